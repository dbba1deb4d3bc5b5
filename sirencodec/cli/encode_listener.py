"""What happens while files are encoded -> bars and lines."""

from collections.abc import Sequence

from sirencodec.batch.clock import Clock, readable_time
from sirencodec.batch.encode_files import Encoded
from sirencodec.batch.run import Result
from sirencodec.batch.tally import Tally
from sirencodec.batch.tasks import Task
from sirencodec.cli.forecast import expect_times
from sirencodec.cli.progress import LOG_INTERVAL_S, ProgressBars
from sirencodec.cli.report import Report
from sirencodec.config import EncodeConfig
from sirencodec.fitting.progress import FitProgress

WORTH_A_WORD_S = 5  # what takes less is over before it is read


class EncodeListener:
    """Shows what happens while files are encoded."""

    def __init__(
        self, report: Report, bars: ProgressBars, config: EncodeConfig, jobs: int, cores: int
    ) -> None:
        """Images at a time and cores tell how long it will take."""
        self._report = report
        self._bars = bars
        self._config = config
        self._jobs = jobs
        self._cores = cores
        self._clock: Clock | None = None

    def on_start(self, tasks: Sequence[Task]) -> None:
        """Say what it will take, if that is worth waiting for."""
        self._clock = Clock(expect_times(tasks, self._config, self._jobs, self._cores))
        left_s, several = self._clock.left_s, len(tasks) > 1
        if several:
            self._bars.start_batch(len(tasks), self._clock)
        is_long = left_s >= (WORTH_A_WORD_S if self._bars.are_shown else LOG_INTERVAL_S)
        if is_long and (several or self._bars.are_shown):
            what = f"{len(tasks)} files" if several else tasks[0].source
            effort = f"at effort {self._config.effort}"
            self._report.say(f"{what}: about {readable_time(left_s)} {effort}")

    def on_finish(self, task: Task, result: Result, tally: Tally) -> None:
        """Take the file's bar away, and move that of all."""
        self._bars.finish(task.source)
        if self._clock is not None:
            self._clock.finish(task, was_work=isinstance(result, Encoded))
        self._bars.count(tally)

    def on_step(self, task: Task, progress: FitProgress) -> None:
        """Move the file's bar."""
        self._bars.update(task.source, progress)

    def on_warning(self, task: Task, text: str) -> None:
        """Say so."""
        self._report.warn(task.source, text)
