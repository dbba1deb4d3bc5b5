"""Tasks of an encode -> what they are expected to take, said before any is begun."""

import os
from collections.abc import Sequence
from typing import Any

from sirencodec.batch.clock import expected_seconds, on_cores, readable_time
from sirencodec.batch.messages import package_warnings
from sirencodec.batch.outputs import Existing
from sirencodec.batch.tally import readable_bytes, share
from sirencodec.batch.tasks import STREAM, Task
from sirencodec.cli.inputs import leave_existing
from sirencodec.cli.report import Report, emit_json, outcome_record
from sirencodec.config import EncodeConfig
from sirencodec.errors import ParameterError
from sirencodec.fitting.pyramid.memory import fit_bytes

UNKNOWN_PIXELS = 1_000_000  # of what cannot be looked at before its turn comes


def expect_times(
    tasks: Sequence[Task], config: EncodeConfig, jobs: int, cores: int
) -> dict[Task, float]:
    """Tasks -> seconds that each adds to the time of all, by the sizes in the files' headers."""
    if config.max_seconds is not None:
        return dict.fromkeys(tasks, config.max_seconds / jobs)
    return {
        task: on_cores(expected_seconds(_count_pixels(task), config), cores, jobs) for task in tasks
    }


def expected_memory(tasks: Sequence[Task], jobs: int) -> int:
    """Tasks -> bytes that the fits of the largest take, as many as are done at a time."""
    largest = sorted((_count_pixels(task) for task in tasks), reverse=True)[:jobs]
    return sum(fit_bytes(num_pixels) for num_pixels in largest)


def expected_size(tasks: Sequence[Task], config: EncodeConfig) -> str | None:
    """Tasks -> what is known of the size of their outputs before the work, to end a phrase.

    Of a single picture what a fit would begin with, and None if it cannot be read; of several what
    was asked for, if that is a size: to look at all of them is left to ``dry_run``.
    """
    if config.size_bytes is not None:
        return f", at most {readable_bytes(len(tasks) * config.size_bytes)}"
    if config.bpp is not None:
        num_pixels = sum(_count_pixels(task) for task in tasks)
        return f", at most {readable_bytes(num_pixels * config.bpp / 8)}"
    return "" if len(tasks) > 1 else _expected_single(tasks[0], config)


def _expected_single(task: Task, config: EncodeConfig) -> str | None:
    """Task -> about how large its output will be, to end a phrase; None if that is not known."""
    from sirencodec.batch.expectation import expected_bytes
    from sirencodec.batch.reading import count_pixels, read_picture

    if task.source == STREAM or count_pixels(task.source) is None:
        return None
    try:
        with package_warnings(lambda _text: None):
            image = read_picture(task.source, config.max_pixels)
            return f", about {readable_bytes(expected_bytes(image, config))}"
    except Exception:  # what is wrong with it is told when it is encoded
        return None


def dry_run(
    tasks: Sequence[Task],
    config: EncodeConfig,
    existing: Existing,
    jobs: int,
    report: Report,
    *,
    as_json: bool,
) -> None:
    """Say what would become of each task, and what all of it would take. Nothing is written."""
    due, num_skipped = leave_existing(tasks, existing, report, as_json=as_json)
    cores = os.cpu_count() or 1
    times = expect_times(due, config, jobs, cores)
    num_encoded = input_bytes = output_bytes = 0
    seconds = 0.0
    for task in due:
        with report.guarding(task.source, task if as_json else None):
            record = _expect(task, config, times[task])
            input_bytes += record["input_bytes"]
            output_bytes += record["expected_bytes"]
            seconds += times[task]
            num_encoded += 1
            if as_json:
                emit_json(record)
            else:
                report.say(_line(task, record))
    sizes = f"{readable_bytes(input_bytes)} would become about {readable_bytes(output_bytes)}"
    report.say(
        f"sirencodec: {num_encoded} to encode, {num_skipped} skipped, "
        f"{report.num_failures} would fail: "
        f"{sizes}{share(output_bytes, input_bytes, ', ')}, in about {readable_time(seconds)} "
        f"at effort {config.effort} on {cores} cores"
    )
    report.say(
        "sirencodec: times are those of one server processor; yours may take twice or half as long"
    )


def _expect(task: Task, config: EncodeConfig, seconds: float) -> dict[str, Any]:
    """Task -> what it is expected to come to, for programs. The keys are part of the interface."""
    from sirencodec.batch.expectation import expected_bytes
    from sirencodec.batch.reading import read_picture

    if task.source == STREAM:
        raise ParameterError("stdin can be read once, and that is for the encode itself")
    image = read_picture(task.source, config.max_pixels)
    return {
        **outcome_record("expected", task),
        "input_bytes": os.stat(task.source).st_size,
        "width": image.width,
        "height": image.height,
        "mode": image.mode,
        "expected_bytes": expected_bytes(image, config),
        "expected_seconds": round(seconds, 1),
        "expected_memory_bytes": fit_bytes(image.width * image.height),
    }


def _line(task: Task, record: dict[str, Any]) -> str:
    """The same for people."""
    num_bytes = record["expected_bytes"]
    of_input = share(num_bytes, record["input_bytes"], ", ")
    return (
        f"{task.source} -> {task.output}: {record['width']}x{record['height']} {record['mode']}, "
        f"about {readable_bytes(num_bytes)}{of_input}, {readable_time(record['expected_seconds'])}"
    )


def _count_pixels(task: Task) -> int:
    from sirencodec.batch.reading import count_pixels

    return (None if task.source == STREAM else count_pixels(task.source)) or UNKNOWN_PIXELS
