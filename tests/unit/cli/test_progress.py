"""Progress where nobody watches: a line in the log now and then."""

from __future__ import annotations

from sirencodec.batch.clock import Clock
from sirencodec.batch.tally import Tally
from sirencodec.batch.tasks import Task
from sirencodec.cli.progress import LOG_INTERVAL_S, ProgressBars
from sirencodec.cli.report import Report


def test_a_log_has_a_line_of_progress_now_and_then() -> None:
    lines: list[str] = []
    report, seconds = Report(), 0.0
    report.say = lines.append
    bars = ProgressBars(report, is_wanted=False, now=lambda: seconds)
    bars.start_batch(3, Clock({Task(name, f"{name}.siren"): 20.0 for name in "abc"}))
    bars.count(1, Tally(encoded=1, input_bytes=3000, output_bytes=300))
    assert lines == [], "no line so early"
    seconds += LOG_INTERVAL_S
    for _ in range(2):  # and one is enough
        bars.count(2, Tally(encoded=1, failed=1, input_bytes=3000, output_bytes=300))
    assert lines == ["sirencodec: 2 of 3 done, 3.0 kB became 300 bytes, 10 %, about 1 min left"]
    seconds += LOG_INTERVAL_S
    bars.count(3, Tally(encoded=3))
    assert len(lines) == 1, "the end has a line of its own"
