"""File -> what parts of it take to decode, and what they are worth."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import sirencodec
from benchmarks.measuring.fresh_process import ask
from sirencodec.bitstream.container import parse_container
from sirencodec.errors import FormatError, SirenCodecWarning
from sirencodec.image.quality import psnr_db

CROP_SIDE: Final = 512
NUM_CROPS: Final = 20  # at random


@dataclass(frozen=True, slots=True)
class Cut:
    """A file that ends early.

    Attributes:
        num_bytes: that are left.
        segments: that are whole.
        psnr_db: of its decode against that of the whole file; None if there is no picture yet.
    """

    num_bytes: int
    segments: int
    psnr_db: float | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a decode takes, on so many threads; the calling thread is one of them."""

    what: str
    threads: int
    clock_s: float
    processor_s: float
    caller_s: float
    memory_bytes: int


def measure_cuts(data: bytes, shares: tuple[float, ...]) -> Iterator[Cut]:
    """File and shares of its bytes -> what is left of it."""
    whole = sirencodec.decode(data).samples
    container = parse_container(data)
    ends = [container.segments_start + end for end in container.table.starts]
    for share in shares:
        num_bytes = round(share * len(data))
        segments = sum(end <= num_bytes for end in ends[1:])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SirenCodecWarning)
                found = sirencodec.decode(data[:num_bytes], partial=True).samples
        except FormatError:
            yield Cut(num_bytes, segments, None)
        else:
            yield Cut(num_bytes, segments, psnr_db(whole, found))


def measure_costs(
    path: Path, threads: tuple[int, ...], widths: tuple[int, ...], repeats: int
) -> Iterator[Cost]:
    """File -> what all of it, a crop, and all of it at other widths take."""
    info = sirencodec.read_info(path)
    side = min(CROP_SIDE, info.width, info.height)
    generator = Random(0)
    crops = [
        [generator.randint(0, info.width - side), generator.randint(0, info.height - side)]
        for _ in range(NUM_CROPS)
    ]
    cases: dict[str, tuple[list[list[int] | None], int | None]] = {
        "all of it": ([None], None),
        f"{side} x {side} of it, at random": ([[*corner, side, side] for corner in crops], None),
    }
    cases |= {f"all of it, {width} wide": ([None], width) for width in widths}
    for what, (boxes, width) in cases.items():
        for count in threads:
            request = {"file": str(path), "crops": boxes, "width": width}
            request |= {"repeats": repeats, "threads": count}
            reply = ask("benchmarks.measuring.crop_process", request, what)
            yield Cost(what, count, **reply)
