"""Progress on stderr: bars if that is a terminal, otherwise a line now and then."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Self

from sirencodec.batch.clock import Clock, readable_time
from sirencodec.batch.tally import Tally
from sirencodec.cli.report import Report, is_terminal, printable
from sirencodec.fitting.progress import FitProgress

if TYPE_CHECKING:
    from rich.progress import Progress as Display
    from rich.progress import TaskID

LOG_INTERVAL_S: Final = 60.0  # between two lines of progress in a log


class ProgressBars:
    """A bar for each file at work, and one for all of them if there are several.

    Within the ``with`` block, lines of the report go above them.
    """

    def __init__(
        self, report: Report, *, is_wanted: bool, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Take over what ``report`` says, if there will be bars at all.

        Args:
            report: where lines go.
            is_wanted: whether bars are, on a terminal.
            now: seconds since whenever.
        """
        self._report = report
        self._bars: dict[str, TaskID] = {}
        self._last_steps: dict[str, int] = {}
        self._display: Display | None = None
        self._batch: TaskID | None = None
        self._clock: Clock | None = None
        self._total = 0
        self._now, self._last_line = now, now()
        if is_wanted and is_terminal(sys.stderr):
            self._display = _make_display()

    def __enter__(self) -> Self:
        if self._display is not None:
            self._say, self._report.say = self._report.say, self._say_above
            self._display.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._display is not None:
            self._display.stop()
            self._report.say = self._say

    @property
    def are_shown(self) -> bool:
        """Whether someone watches."""
        return self._display is not None

    def start_batch(self, total: int, clock: Clock) -> None:
        """So many files are to be done, and this tells for how long."""
        self._total, self._clock = total, clock
        if self._display is not None:
            self._batch = self._display.add_task(f"{total} files", total=total, note="")

    def count(self, done: int, tally: Tally) -> None:
        """Tell how far the batch is: on its bar, or in the log if some time has passed.

        Args:
            done: files of the batch that are over.
            tally: bytes of those that were encoded.
        """
        if self._clock is None:
            return
        left = f"about {readable_time(self._clock.left_s)} left"
        if self._display is not None and self._batch is not None:
            note = f"{tally.sizes}, {left}" if tally.encoded else left
            self._display.update(self._batch, completed=done, note=note)
        elif self._is_time() and done < self._total:
            sizes = f", {tally.sizes}" if tally.encoded else ""
            self._report.say(f"sirencodec: {done} of {self._total} done{sizes}, {left}")

    def update(self, name: str, progress: FitProgress) -> None:
        """Move the bar of the file of this name; its first update makes it."""
        if self._display is None:
            return
        if name not in self._bars:
            self._bars[name] = self._display.add_task(printable(name), note="")
        bar = self._bars[name]
        if progress.step < self._last_steps.get(name, 0):
            self._display.reset(bar)  # the next of several attempts
        self._last_steps[name] = progress.step
        self._display.update(
            bar,
            total=progress.steps,
            completed=progress.step,
            note=f"{progress.psnr_db:.2f} dB",
        )

    def finish(self, name: str) -> None:
        """Take the bar away."""
        if self._display is not None and name in self._bars:
            self._display.remove_task(self._bars.pop(name))
            self._display.refresh()  # or it would show once more below the next line

    def _is_time(self) -> bool:
        """Whether a line of progress is due; from then on the next one is not for a while."""
        now = self._now()
        if now - self._last_line < LOG_INTERVAL_S:
            return False
        self._last_line = now
        return True

    def _say_above(self, line: str) -> None:
        if self._display is not None:
            self._display.console.print(
                printable(line), markup=False, highlight=False, soft_wrap=True
            )


def _make_display() -> "Display":
    """Bars with name, share, PSNR so far or sizes, and time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Display

    return Display(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeRemainingColumn(),
        console=Console(stderr=True, emoji=False),
        transient=True,
        redirect_stdout=False,  # rich would move what is written to stdout over to stderr
        redirect_stderr=False,
    )
