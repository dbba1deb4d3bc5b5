"""Image files -> encoded files or the reasons why not, one after the other."""

import math
import os
import time
import traceback
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Protocol

from sirencodec.batch.messages import explain, package_warnings
from sirencodec.batch.streams import binary_stdin
from sirencodec.batch.tasks import STREAM, Task
from sirencodec.bitstream.info import describe
from sirencodec.config import EncodeConfig
from sirencodec.fitting.progress import FitProgress, OnStep
from sirencodec.limits import Limits

ENCODE_OPTIONS = ("max_pixels", "skip_existing", "strip")  # that may help a picture through
REPORT_INTERVAL_S = 0.1  # between two looks at the progress


@dataclass(frozen=True, slots=True)
class Encoded:
    """A finished file, not yet written.

    Attributes:
        data: its bytes.
        input_bytes: of the image file.
        width, height: pixels.
        mode: of the image, such as "RGB" or "L;16".
        profile: "pyramid" or "pure".
        psnr_db: infinite if nothing was lost.
        score: SSIMULACRA2 as far as it is believed; None for images too small for it.
        bpp: bits a pixel.
        seconds: spent encoding.
        lossless_webp_bytes: of a lossless WebP with the same metadata, if that is smaller; None if
            it is not, or not known.
    """

    data: bytes
    input_bytes: int
    width: int
    height: int
    mode: str
    profile: str
    psnr_db: float
    score: float | None
    bpp: float
    seconds: float
    lossless_webp_bytes: int | None = None

    @property
    def finite_psnr_db(self) -> float | None:
        """``psnr_db``, for JSON, which has no infinity."""
        return self.psnr_db if math.isfinite(self.psnr_db) else None


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no file, and the traceback that shows where that came about."""

    reason: str
    details: str = ""


Outcome = Encoded | Failed


class Listener(Protocol):
    """Hears what happens while files are encoded."""

    def on_step(self, task: Task, progress: FitProgress) -> None:
        """Some updates of a network are done."""

    def on_warning(self, task: Task, text: str) -> None:
        """The package has issued a warning."""


def encode_in_turn(
    tasks: Iterable[Task], config: EncodeConfig, listener: Listener
) -> Generator[tuple[Task, Outcome], None, None]:
    """Tasks -> their outcomes. Each task is taken when its turn comes. Nothing is written."""
    for task in tasks:

        def on_step(progress: FitProgress, task: Task = task) -> None:
            listener.on_step(task, progress)

        def on_warning(text: str, task: Task = task) -> None:
            listener.on_warning(task, text)

        yield task, encode_file(task.source, read_stdin(task), config, on_step, on_warning)


def read_stdin(task: Task) -> bytes | None:
    """What is piped in, if that is what the task is about."""
    return binary_stdin().read() if task.source == STREAM else None


def encode_file(
    name: str,
    contents: bytes | None,
    config: EncodeConfig,
    on_step: OnStep,
    on_warning: Callable[[str], None],
) -> Outcome:
    """Image file, by name or contents -> outcome.

    Args:
        name: of the file, for messages, and to read it by if there are no ``contents``.
        contents: of the file, or None.
        config: how to encode it.
        on_step: called with the progress, a few times a second.
        on_warning: called with the text of each of the package's warnings.
    """
    try:
        with package_warnings(on_warning):
            from sirencodec.batch.reading import read_picture
            from sirencodec.encoder import encode_image
            from sirencodec.image.lossless_webp import smaller_lossless_webp

            input_bytes = os.stat(name).st_size if contents is None else len(contents)
            image = read_picture(name if contents is None else contents, config.max_pixels)
            result = encode_image(image, config, _seldom(on_step))
    except Exception as error:
        return failed(name, error)
    facts = describe(result.data, Limits(max_pixels=config.max_pixels))
    webp_bytes = smaller_lossless_webp(image.samples, len(result.data) - facts.metadata_bytes)
    return Encoded(
        data=result.data,
        input_bytes=input_bytes,
        width=facts.width,
        height=facts.height,
        mode=image.mode,
        profile=facts.profile,
        psnr_db=result.psnr_db,
        score=result.score,
        bpp=result.bpp,
        seconds=result.seconds,
        lossless_webp_bytes=None if webp_bytes is None else webp_bytes + facts.metadata_bytes,
    )


def failed(name: str, error: Exception) -> Failed:
    """What happened to the file of this name -> outcome."""
    return Failed(explain(name, error, ENCODE_OPTIONS), "".join(traceback.format_exception(error)))


def _seldom(on_step: OnStep) -> OnStep:
    """Callback -> one that passes on as much as eyes can follow."""
    last_time = 0.0

    def now_and_then(progress: FitProgress) -> None:
        nonlocal last_time
        now = time.monotonic()
        if now - last_time >= REPORT_INTERVAL_S:
            last_time = now
            on_step(progress)

    return now_and_then
