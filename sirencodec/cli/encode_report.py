"""What became of images that were to be encoded -> lines for people, objects for programs."""

import math

from sirencodec.batch.encode_files import Encoded, Failed
from sirencodec.batch.pictures import describe_passed_over
from sirencodec.batch.run import Result, Skipped
from sirencodec.batch.tally import share
from sirencodec.batch.tasks import Inputs, Task
from sirencodec.cli.report import Report, emit_json, outcome_record
from sirencodec.config import EncodeConfig

# SSIMULACRA2 from which a picture is called so, in the words of those who made it.
_WORDS = (
    (90, "not to be told apart"),
    (80, "very high quality"),
    (70, "high quality"),
    (50, "medium quality"),
    (30, "low quality"),
)


def summary(task: Task, encoded: Encoded) -> str:
    """What became of an image, in a line."""
    of_input = share(len(encoded.data), encoded.input_bytes, " (")
    of_input += " of the input)" if of_input else ""
    decibels = f"{encoded.psnr_db:.2f} dB, " if math.isfinite(encoded.psnr_db) else ""
    return (
        f"{task.source} -> {task.output}: {encoded.width}x{encoded.height} {encoded.mode}, "
        f"{len(encoded.data)} bytes{of_input}, {encoded.bpp:.3f} bpp, "
        f"{decibels}{quality_in_words(encoded)}, {encoded.seconds:.1f} s"
    )


def better_kept_otherwise(task: Task, encoded: Encoded) -> str | None:
    """That a lossless WebP of the image is smaller, in a line; None if it is not."""
    if encoded.lossless_webp_bytes is None:
        return None
    return (
        f"{task.source}: a lossless WebP takes {encoded.lossless_webp_bytes} bytes, and this file "
        f"{len(encoded.data)}: .siren is for photographs"
    )


def quality_in_words(encoded: Encoded) -> str:
    """Finished file -> its score and what that means."""
    if math.isinf(encoded.psnr_db):
        return "exact"
    if encoded.score is None:
        return "too small for a score"
    shown = round(encoded.score)  # what is said fits what is shown
    words = (word for least, word in _WORDS if shown >= least)
    return f"SSIMULACRA2 {shown} ({next(words, 'very low quality')})"


def record(task: Task, result: Result, config: EncodeConfig) -> dict[str, object]:
    """The same for programs. The keys are part of the interface."""
    if isinstance(result, Failed):
        return outcome_record("failed", task) | {"reason": result.reason}
    if isinstance(result, Skipped):
        return outcome_record("skipped", task)
    return outcome_record("encoded", task) | _encoded_record(result, config)


def _encoded_record(encoded: Encoded, config: EncodeConfig) -> dict[str, object]:
    return {
        "input_bytes": encoded.input_bytes,
        "width": encoded.width,
        "height": encoded.height,
        "mode": encoded.mode,
        "bytes": len(encoded.data),
        "lossless_webp_bytes": encoded.lossless_webp_bytes,
        "bpp": encoded.bpp,
        "psnr_db": encoded.finite_psnr_db,
        "ssimulacra2": encoded.score,
        "profile": encoded.profile,
        "effort": config.effort,
        "seconds": encoded.seconds,
    }


def report_passed_over(inputs: Inputs, report: Report) -> int:
    """Say what directories hold that is not encoded; how many pictures are among it."""
    lines, num_pictures = describe_passed_over(inputs.passed_over)
    for line in lines:
        report.say(f"sirencodec: {line}")
    if num_pictures:
        report.mark_failed()
    return num_pictures


def report_result(
    task: Task, result: Result, config: EncodeConfig, report: Report, *, as_json: bool
) -> None:
    """Say what became of an image, to people and to programs; that it was skipped, to programs."""
    if isinstance(result, Encoded):
        report.say(summary(task, result))
        if line := better_kept_otherwise(task, result):
            report.say(line)
    elif isinstance(result, Failed):
        report.fail_with(result.reason, result.details)
    if as_json:
        emit_json(record(task, result, config))


def report_twins(twins: list[Task], report: Report) -> None:
    """Say, once, which outputs have longer names than usual."""
    if twins:
        names = ", ".join(task.output for task in twins[:4]) + (", ..." if len(twins) > 4 else "")
        report.say(
            f"sirencodec: {len(twins)} inputs would share an output; they keep what tells them "
            f"apart: {names}"
        )
        twins.clear()
