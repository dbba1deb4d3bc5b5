"""Progress bars on stderr, if that is a terminal."""

import sys
from typing import TYPE_CHECKING, Self

from sirencodec.cli.report import Report, is_terminal, printable
from sirencodec.fitting.progress import FitProgress

if TYPE_CHECKING:
    from rich.progress import Progress as Display
    from rich.progress import TaskID


class ProgressBars:
    """A bar for each file at work; within the ``with`` block, lines of the report go above them."""

    def __init__(self, report: Report, *, is_wanted: bool) -> None:
        """Take over what ``report`` says, if there will be bars at all."""
        self._report = report
        self._bars: dict[str, TaskID] = {}
        self._last_steps: dict[str, int] = {}
        self._display: Display | None = None
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

    def update(self, name: str, progress: FitProgress) -> None:
        """Move the bar of the file of this name; its first update makes it."""
        if self._display is None:
            return
        if name not in self._bars:
            self._bars[name] = self._display.add_task(printable(name), psnr="")
        bar = self._bars[name]
        if progress.step < self._last_steps.get(name, 0):
            self._display.reset(bar)  # the next of several attempts
        self._last_steps[name] = progress.step
        self._display.update(
            bar,
            total=progress.steps,
            completed=progress.step,
            psnr=f"{progress.psnr_db:.2f} dB",
        )

    def finish(self, name: str) -> None:
        """Take the bar away."""
        if self._display is not None and name in self._bars:
            self._display.remove_task(self._bars.pop(name))
            self._display.refresh()  # or it would show once more below the next line

    def _say_above(self, line: str) -> None:
        if self._display is not None:
            self._display.console.print(
                printable(line), markup=False, highlight=False, soft_wrap=True
            )


def _make_display() -> "Display":
    """Bars with name, share, quality so far and time left."""
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
        TextColumn("{task.fields[psnr]}", markup=False),
        TimeRemainingColumn(),
        console=Console(stderr=True, emoji=False),
        transient=True,
        redirect_stdout=False,  # rich would move what is written to stdout over to stderr
        redirect_stderr=False,
    )
