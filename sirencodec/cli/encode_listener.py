"""What happens while files are encoded -> bars and lines."""

import time
from collections.abc import Callable, Sequence

from sirencodec.batch.clock import Clock, readable_time
from sirencodec.batch.encode_files import Encoded
from sirencodec.batch.run import Result
from sirencodec.batch.tally import Tally
from sirencodec.batch.tasks import Task
from sirencodec.cli.forecast import expect_times, expected_memory, expected_size
from sirencodec.cli.progress import ProgressBars
from sirencodec.cli.report import Report
from sirencodec.config import EncodeConfig
from sirencodec.fitting.progress import FitProgress

WORTH_A_WORD_S = 5  # what takes less is over before it is read
CALIBRATION_S = 2.0  # of a fit, after which its own pace says how long it takes
CALIBRATION_SHARE = 0.01  # of its work, at least
WORTH_BYTES = 1e9  # of memory


class EncodeListener:
    """Shows what happens while files are encoded."""

    def __init__(
        self,
        report: Report,
        bars: ProgressBars,
        config: EncodeConfig,
        jobs: int,
        cores: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Images at a time and cores tell how long it will take; ``now`` is a clock."""
        self._report = report
        self._bars = bars
        self._config = config
        self._jobs = jobs
        self._cores = cores
        self._clock: Clock | None = None
        self._now = now
        self._begun: tuple[float, float] | None = None  # when, and with what share of work done
        self._is_foretold = self._several = False
        self._num_done = 0

    def on_start(self, tasks: Sequence[Task]) -> None:
        """Say what it will take, if that is worth waiting for."""
        self._clock = Clock(expect_times(tasks, self._config, self._jobs, self._cores))
        left_s, self._several = self._clock.left_s, len(tasks) > 1
        if self._several:
            self._bars.start_batch(len(tasks), self._clock)
        if left_s >= WORTH_A_WORD_S:
            self._foretell(tasks, left_s)

    def _foretell(self, tasks: Sequence[Task], left_s: float) -> None:
        """Say what it will take, in a line, if anything is known."""
        what = f"{len(tasks)} files" if self._several else tasks[0].source
        is_planned = self._config.max_seconds is not None
        effort = "as planned" if is_planned else f"at effort {self._config.effort}"
        size = expected_size(tasks, self._config)
        if size is None and not is_planned:
            return
        memory = expected_memory(tasks, self._jobs)
        room = f", {memory / 1e9:.1f} GB of memory" if memory >= WORTH_BYTES else ""
        self._report.say(f"{what}: about {readable_time(left_s)} {effort}{size or ''}{room}")

    def on_finish(self, task: Task, result: Result, tally: Tally) -> None:
        """Take the file's bar away, and move that of all."""
        self._bars.finish(task.source)
        if self._clock is None:
            return  # seen to before the batch began
        self._num_done += 1
        self._clock.finish(task, was_work=isinstance(result, Encoded))
        self._bars.count(self._num_done, tally)

    def on_step(self, task: Task, progress: FitProgress) -> None:
        """Move the file's bar, and say how long a long fit takes once its pace is known."""
        self._bars.update(task.source, progress)
        if self._several or self._is_foretold or not self._bars.are_shown:
            return
        if self._begun is None:
            self._begun = self._now(), progress.share
        begun, share = self._begun
        elapsed_s, done = self._now() - begun, progress.share - share
        if elapsed_s < CALIBRATION_S or done < CALIBRATION_SHARE:
            return
        self._is_foretold, whole_s = True, elapsed_s / done
        if whole_s >= WORTH_A_WORD_S:
            self._report.say(f"{task.source}: about {readable_time(whole_s)} at the pace it has")

    def on_warning(self, task: Task, text: str) -> None:
        """Say so."""
        self._report.warn(task.source, text)
