"""What became of an image that was encoded -> a line for people, an object for programs."""

import math

from sirencodec.batch.encode_files import Encoded
from sirencodec.batch.tally import share
from sirencodec.batch.tasks import Task
from sirencodec.config import EncodeConfig

# PSNR in dB from which a picture is called so. A rough guide: it is of photographs, seen at their
# size, and other pictures may look better or worse at the same figure.
_WORDS = ((math.inf, "exact"), (45, "not to be told apart"), (38, "excellent"), (34, "very good"))
_LOWER_WORDS = ((31, "good"), (27, "fair"), (23, "rough"))


def summary(task: Task, encoded: Encoded) -> str:
    """What became of an image, in a line."""
    of_input = share(len(encoded.data), encoded.input_bytes, " (")
    of_input += " of the input)" if of_input else ""
    return (
        f"{task.source} -> {task.output}: {encoded.width}x{encoded.height} {encoded.mode}, "
        f"{len(encoded.data)} bytes{of_input}, {encoded.bpp:.3f} bpp, "
        f"{encoded.psnr_db:.2f} dB ({quality_in_words(encoded.psnr_db)}), {encoded.seconds:.1f} s"
    )


def quality_in_words(psnr_db: float) -> str:
    """PSNR -> what most photographs of it look like."""
    for least_db, word in (*_WORDS, *_LOWER_WORDS):
        if psnr_db >= least_db:
            return word
    return "poor"


def record(task: Task, encoded: Encoded, config: EncodeConfig) -> dict[str, object]:
    """The same for programs. The keys are part of the interface."""
    return {
        "input": task.source,
        "output": task.output,
        "input_bytes": encoded.input_bytes,
        "width": encoded.width,
        "height": encoded.height,
        "mode": encoded.mode,
        "bytes": len(encoded.data),
        "bpp": encoded.bpp,
        "psnr_db": encoded.finite_psnr_db,
        "profile": encoded.profile,
        "effort": config.effort,
        "seconds": encoded.seconds,
    }
