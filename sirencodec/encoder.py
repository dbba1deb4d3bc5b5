"""Image -> `.siren` bytes."""

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.container import overhead_bytes, write_container
from sirencodec.bitstream.format import SIDE_RANGE
from sirencodec.bitstream.header import Header
from sirencodec.bitstream.metadata_section import write_metadata
from sirencodec.config import LARGEST_EFFORT, STRIP_ALL, EncodeConfig
from sirencodec.decoder import decode_samples
from sirencodec.entropy.payload import QuantizedPicture, encode_payload
from sirencodec.errors import ConversionWarning, ImageError
from sirencodec.fitting.loss.pixel.score import ssimulacra2
from sirencodec.fitting.one_colour import is_one_colour, picture_of_one_colour, smallest_network
from sirencodec.fitting.profile import choose_profile
from sirencodec.fitting.progress import OnStep
from sirencodec.fitting.pure.attempts import PureAttempts
from sirencodec.fitting.pure.search import BudgetSearch
from sirencodec.fitting.pyramid.fit import fit_pyramid
from sirencodec.fitting.pyramid.forecast import foreseen_bytes
from sirencodec.fitting.pyramid.memory import check_memory, machine_memory_bytes
from sirencodec.fitting.pyramid.plan import (
    exact_psnr_db,
    plan_pyramid,
    plan_pyramid_architecture,
)
from sirencodec.fitting.settings import Settings
from sirencodec.fitting.target import (
    OVERHEAD_BYTES,
    PYRAMID_BYTES,
    Kind,
    Target,
    believed_score,
    metadata_bytes,
    warn_of_missed_target,
)
from sirencodec.fitting.time_budget import Clock, TimeBudget
from sirencodec.image.image import Image
from sirencodec.image.quality import psnr_db
from sirencodec.image.stripping import strip_image
from sirencodec.limits import DEFAULT_LIMITS
from sirencodec.synthesis.device import choose_device

EFFORT_GROWTH: Final = 2.5  # that an effort takes longer than the one before, at most


@dataclass(frozen=True, slots=True)
class EncodeResult:
    """A finished file and what is known of it.

    Attributes:
        data: the file's bytes.
        psnr_db: of its decode at stored size against the image, all channels.
        bpp: bits a pixel, the whole file counted.
        score: SSIMULACRA2 of its decode, as far as its PSNR lets that be believed: 30 is low, 50
            medium, 70 high quality; at 90 nobody tells it from the image. None for images under 8
            pixels a side.
        quality: what the target is a number of, or what the fit is tuned for if that is a size;
            infinite if the decode is exact.
        seconds: time it took, all attempts at the target together.
    """

    data: bytes
    psnr_db: float
    bpp: float
    score: float | None
    quality: float
    seconds: float = 0.0


def encode_image(
    image: Image,
    config: EncodeConfig | None = None,
    on_step: OnStep | None = None,
    *,
    settings: Settings | None = None,
    now: Clock = time.perf_counter,
) -> EncodeResult:
    """Image -> file, under the target that ``config`` names.

    Args:
        image: what to encode.
        config: target, effort and the rest; the defaults if None.
        on_step: called after every update of the network with the progress of the current fit.
        settings: hyper-parameters, for measurements and tests; the defaults if None.
        now: seconds since whenever, which ``max_seconds`` goes by.

    Returns:
        The file, checked by decoding it.

    Raises:
        FitError: if the network cannot be fitted.
        ImageError: if a side is longer than a file can say.
        LimitError: if image or metadata are larger than a reader would take, or the fit would take
            more memory than the machine has.
        ParameterError: if the device does not exist.

    Warns:
        SirenCodecWarning: if the shortest fit takes longer than ``max_seconds``.
        TargetWarning: if the target is missed; the closest is returned.
    """
    config = config or EncodeConfig()
    started, seconds = now(), config.max_seconds
    budget = None if seconds is None else TimeBudget(seconds, now)
    settings = (settings or Settings()).tuned(config.is_visual)
    num_pixels = image.width * image.height
    if max(image.width, image.height) > SIDE_RANGE[1]:
        raise ImageError(f"{image.width} x {image.height}: sides go up to {SIDE_RANGE[1]} pixels")
    replace(DEFAULT_LIMITS, max_pixels=config.max_pixels).check("max_pixels", num_pixels)
    if config.profile != "pure" and choose_device(config.device).type == "cpu":
        check_memory(num_pixels, machine_memory_bytes())
    if config.strip:
        image = _strip(image, config.strip)
    metadata = write_metadata(image.metadata)
    target = Target.of(config, image.width, image.height)
    work = _Work(image, config, target, metadata, on_step, settings, budget)
    if is_one_colour(image.samples):
        result = _encode_one_colour(work)
    elif choose_profile(config.profile, work.foreseen_bytes, settings.pyramid.plan) == "pyramid":
        result = _encode_pyramid(work)
    else:
        result = _encode_pure(work)
    warn_of_missed_target(target, len(result.data), result.quality, metadata)
    return replace(result, seconds=now() - started)


def _strip(image: Image, what: bool | str) -> Image:
    """Image -> without some metadata; what else that has changed is a warning."""
    stripped, notes = strip_image(image, STRIP_ALL if what is True else str(what))
    for note in notes:
        warnings.warn(note, ConversionWarning, stacklevel=3)
    return stripped


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """What every stage of an encode needs to know, and how what it fits becomes a file."""

    image: Image
    config: EncodeConfig
    target: Target
    metadata: bytes | None
    on_step: OnStep | None
    settings: Settings
    budget: TimeBudget | None = None

    @property
    def foreseen_bytes(self) -> int:
        """About how many bytes the file will have as a pyramid, its metadata not counted.

        Of a size no more than an exact picture takes.
        """
        samples, settings = self.image.samples, self.settings.pyramid
        if self.target.budget_bytes is None:
            return foreseen_bytes(self.target, samples, settings.forecast)
        exact = Target(Kind.PSNR, exact_psnr_db(int(np.iinfo(samples.dtype).max), settings.search))
        budget = int(self.target.budget_bytes) - metadata_bytes(self.metadata)
        return min(budget, foreseen_bytes(exact, samples, settings.forecast))

    def payload_bits(self, architecture: Architecture, budget_bits: float) -> float:
        """Network and a budget -> the same, and what the file's header leaves of the most."""
        spent_bytes = overhead_bytes(self._header(architecture), int(budget_bits) // 8)
        return budget_bits + 8 * (OVERHEAD_BYTES - spent_bytes)

    def finish(self, architecture: Architecture, picture: QuantizedPicture) -> EncodeResult:
        """Network and its integers -> the file, which is decoded again and measured."""
        payload = encode_payload(picture, architecture)
        data = write_container(self._header(architecture), payload, self.metadata)
        limits = replace(DEFAULT_LIMITS, max_pixels=self.config.max_pixels)
        decoded = decode_samples(data, device="cpu", limits=limits)
        original = self.image.samples
        psnr, score = psnr_db(original, decoded), ssimulacra2(original, decoded)
        score = None if score is None else believed_score(score, psnr)
        bpp = 8 * len(data) / (self.image.width * self.image.height)
        return EncodeResult(data, psnr, bpp, score, self._quality(psnr, score))

    def _header(self, architecture: Architecture) -> Header:
        """Network -> header of the image's file."""
        return Header(self.image.width, self.image.height, self.image.bit_depth, architecture)

    def _quality(self, psnr: float, score: float | None) -> float:
        """PSNR and score of a decode -> what the encode is about; infinite for an exact one."""
        kind = self.target.kind
        is_by_score = kind is Kind.SCORE or (kind is Kind.SIZE and self.config.is_visual)
        if score is None or math.isinf(psnr) or not is_by_score:
            return psnr
        return score


def _encode_one_colour(work: _Work) -> EncodeResult:
    """No fit: exact, in fewer bytes than any, whatever is asked for."""
    channels = work.image.channels
    architecture = smallest_network(channels)
    if work.config.profile == "pyramid":
        architecture = plan_pyramid_architecture(channels, work.settings.pyramid.plan)
    picture = picture_of_one_colour(work.image.samples, architecture)
    return work.finish(architecture, picture)


def _encode_pyramid(work: _Work) -> EncodeResult:
    """Latent grids and a network: one fit, which finds the lambda that meets the target.

    A small image is fitted at every lower effort, too, and the best is kept.
    """
    image, config, settings = work.image, work.config, work.settings.pyramid
    device = choose_device(config.device)
    architecture = plan_pyramid_architecture(image.channels, settings.plan)
    most_bytes = OVERHEAD_BYTES + PYRAMID_BYTES + metadata_bytes(work.metadata)
    target = work.target.for_payload(most_bytes)

    is_small = image.width * image.height <= settings.plan.tried_pixels
    budget = None if is_small else work.budget

    def fitted(effort: int) -> EncodeResult:
        """One fit, from samples to a file that has been decoded again."""
        plan = plan_pyramid(target, image.samples, effort, config.seed, settings)
        picture = fit_pyramid(image.samples, architecture, plan, device, work.on_step, budget)
        return work.finish(architecture, picture)

    if is_small and work.budget is not None:
        return _best_in_time(fitted, work.target, work.budget)
    results = map(fitted, range(0 if is_small else config.effort, config.effort + 1))
    return max(results, key=lambda one: work.target.merit(len(one.data), one.quality))


def _best_in_time(
    at_effort: Callable[[int], EncodeResult], target: Target, budget: TimeBudget
) -> EncodeResult:
    """Efforts from the least on, as long as the next will end in time -> the best result."""
    results, effort, took_s = [at_effort(0)], 0, budget.seconds - budget.left_s
    while effort < LARGEST_EFFORT and EFFORT_GROWTH * took_s <= budget.left_s:
        left_s, effort = budget.left_s, effort + 1
        results.append(at_effort(effort))
        took_s = left_s - budget.left_s
    return max(results, key=lambda one: target.merit(len(one.data), one.quality))


def _encode_pure(work: _Work) -> EncodeResult:
    """A network alone: fits at one budget after another, until the target is met."""
    samples, settings = work.image.samples, work.settings.pure
    device = choose_device(work.config.device)
    attempts = PureAttempts(samples, work.config.seed, settings, device, work.on_step, work)
    search = BudgetSearch.of(
        work.target, samples.nbytes, work.foreseen_bytes, work.metadata, settings
    )

    def at_effort(effort: int) -> EncodeResult:
        """All attempts at the target."""
        return search.best(partial(attempts, effort=effort), partial(attempts, effort=0))

    if work.budget is not None:
        return _best_in_time(at_effort, work.target, work.budget)
    return at_effort(work.config.effort)
