"""Sizes of images and options of an encode -> about how long it will take.

Times are those of one core of a busy server processor (benchmarks/LOG.md, 40), spread over the
cores there are. Another machine is two or three times as fast or slow: the first image that is
finished says more, and ``Clock`` counts on with it.
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import Final

from sirencodec.batch.tasks import Task
from sirencodec.config import EncodeConfig

# By effort: seconds of a pyramid on one core with `--tune psnr`, whatever its size, and for each
# megapixel. Efforts compare as in docs/measurements.md (What effort buys; By size).
FIXED_S: Final = (3.2, 3.6, 4.0, 4.8, 6.0, 9.2, 12.0, 15.0, 21.0, 27.0)
MEGAPIXEL_S: Final = (41, 69, 90, 144, 206, 420, 633, 992, 1602, 2483)
VISUAL_FACTOR: Final = 1.3  # times that: tuned for eyes

# A larger image gets fewer updates, by the root of its size over this; what else a fit does shrinks
# less, and each pixel takes longer, so all of it goes by this power [benchmarks/LOG.md, 43].
USUAL_PIXELS: Final = 2**19
SIZE_EXPONENT: Final = 0.22

# Images of no more pixels are fitted as all lower efforts would, too.
LARGEST_TRIED_PIXELS: Final = 128 * 128

# What becomes a network alone: files of less than so many bytes, which is what a score takes below
# so many pixels. An update takes so many seconds, and a pixel adds to them; a fit has 200 at effort
# 0 and one for each pixel, and at effort e (1 + e) times as many, but takes no longer than so long
# [benchmarks/LOG.md, 42].
NETWORK_BYTES: Final = 1_000
SCORED_NETWORK_PIXELS: Final = 68 * 68
UPDATE_S, PIXEL_S, FIRST_UPDATES = 0.0017, 5e-7, 200
LONGEST_FIT_S: Final = (7.0, 17.5, 42.0, 105.0, 245.0, 420.0, 700.0, 1225.0, 2100.0, 3500.0)
# Towards a score the first fit is made once more at effort 0, and others are ended anew.
ENDED_ANEW: Final = 1.2

CORES_EXPONENT: Final = 0.7  # of what more cores bring to one image: two are 1.6 times as fast


def expected_seconds(num_pixels: int, config: EncodeConfig) -> float:
    """Pixels and options -> seconds on one core."""
    first = 0 if num_pixels <= LARGEST_TRIED_PIXELS else config.effort
    efforts = range(first, config.effort + 1)
    if not _is_network(num_pixels, config):
        factor = VISUAL_FACTOR if config.is_visual else 1.0
        return factor * sum(_pyramid_seconds(num_pixels, effort) for effort in efforts)
    seconds = sum(_network_seconds(num_pixels, effort) for effort in efforts)
    if _target_bytes(num_pixels, config) is not None:
        return seconds
    return ENDED_ANEW * seconds + _network_seconds(num_pixels, 0)


def _is_network(num_pixels: int, config: EncodeConfig) -> bool:
    """Whether an image of so many pixels is likely to become a network alone."""
    if config.profile != "auto":
        return config.profile == "pure"
    num_bytes = _target_bytes(num_pixels, config)
    if num_bytes is None:
        return num_pixels < SCORED_NETWORK_PIXELS
    return num_bytes < NETWORK_BYTES


def _target_bytes(num_pixels: int, config: EncodeConfig) -> float | None:
    """Bytes that are asked for; None if something else is."""
    return config.size_bytes if config.bpp is None else config.bpp * num_pixels / 8


def _pyramid_seconds(num_pixels: int, effort: int) -> float:
    """Pixels and effort -> seconds of one fit of a pyramid with `--tune psnr`."""
    share = math.pow(USUAL_PIXELS / num_pixels, SIZE_EXPONENT)
    megapixels = num_pixels / 1e6 * min(1.0, share)
    return FIXED_S[effort] + MEGAPIXEL_S[effort] * megapixels


def _network_seconds(num_pixels: int, effort: int) -> float:
    """Pixels and effort -> seconds of one fit of a network alone."""
    updates = (FIRST_UPDATES + num_pixels) * (1 + effort)
    return min(updates * (UPDATE_S + PIXEL_S * num_pixels), LONGEST_FIT_S[effort])


def on_cores(seconds: float, cores: int, jobs: int) -> float:
    """Seconds of one core, for many images -> seconds of all cores, so many images at a time."""
    jobs = min(jobs, cores)
    cores_each = cores / jobs
    return float(seconds / (jobs * cores_each**CORES_EXPONENT))


class Clock:
    """What of a batch is done, and how long the rest will take."""

    def __init__(
        self, expected_s: Mapping[Task, float], now: Callable[[], float] = time.monotonic
    ) -> None:
        """Start.

        Args:
            expected_s: tasks and what each is expected to take, all of them at a time.
            now: seconds since whenever.
        """
        self._left = dict(expected_s)
        self._now = now
        self._started = now()
        self._done_s = 0.0  # expected of what is done

    def finish(self, task: Task, *, was_work: bool) -> None:
        """A task is over; ``was_work`` if it took the time that it was expected to."""
        seconds = self._left.pop(task, 0.0)
        if was_work:
            self._done_s += seconds

    @property
    def left_s(self) -> float:
        """Seconds to go: as expected, corrected by how long was taken so far."""
        expected = sum(self._left.values())
        if self._done_s == 0:
            return expected
        return expected * (self._now() - self._started) / self._done_s


def readable_time(seconds: float) -> str:
    """Seconds -> "5 s", "12 min", "3 h 20 min": no more digits than are known."""
    if seconds < 55:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(5 * round(minutes / 5), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
