"""Image -> `.siren` bytes."""

import time
from dataclasses import dataclass, replace
from itertools import repeat

from sirencodec.architecture import Architecture
from sirencodec.config import EncodeConfig
from sirencodec.container import Header, write_container
from sirencodec.decoder import decode
from sirencodec.device import choose_device
from sirencodec.entropy.payload import encode_payload
from sirencodec.errors import ImageError
from sirencodec.fit import FitPlan, OnStep, fit
from sirencodec.format import SIDE_RANGE
from sirencodec.image import Image
from sirencodec.limits import DEFAULT_LIMITS
from sirencodec.metadata_section import write_metadata
from sirencodec.metrics import psnr_db
from sirencodec.planning import plan_architecture, plan_fits
from sirencodec.rate_control import reach_target


@dataclass(frozen=True, slots=True)
class EncodeResult:
    """A finished file and what is known of it.

    Attributes:
        data: the file's bytes.
        psnr_db: of its decode at stored size against the image, all channels.
        bpp: bits a pixel, the whole file counted.
        seconds: time it took, all attempts at the target together.
    """

    data: bytes
    psnr_db: float
    bpp: float
    seconds: float = 0.0


def encode_image(
    image: Image, config: EncodeConfig | None = None, on_step: OnStep | None = None
) -> EncodeResult:
    """Image -> file, under the target that ``config`` names.

    Args:
        image: what to encode.
        config: target, effort and the rest; the defaults if None.
        on_step: called after every update of the network with the progress of the current fit.

    Returns:
        The file, checked by decoding it.

    Raises:
        FitError: if the network cannot be fitted.
        ImageError: if a side is longer than a file can say.
        LimitError: if image or metadata are larger than a reader would take.
        ParameterError: if the device does not exist.

    Warns:
        TargetWarning: if the target is out of reach; the closest is returned.
    """
    config = config or EncodeConfig()
    device = choose_device(config.device)
    started = time.perf_counter()
    num_pixels, longest_side = image.width * image.height, max(image.width, image.height)
    if max(image.width, image.height) > SIDE_RANGE[1]:
        raise ImageError(f"{image.width} x {image.height}: sides go up to {SIDE_RANGE[1]} pixels")
    DEFAULT_LIMITS.check("max_pixels", num_pixels)
    metadata = None if config.strip else write_metadata(image.metadata)

    def attempt(budget_bits: float) -> EncodeResult:
        """The best file at one payload budget."""
        architecture = plan_architecture(budget_bits, image.channels, longest_side)
        plans = plan_fits(architecture, num_pixels, config.effort, budget_bits, config.seed)
        return max(map(attempt_plan, repeat(architecture), plans), key=lambda tried: tried.psnr_db)

    def attempt_plan(architecture: Architecture, plan: FitPlan) -> EncodeResult:
        """One fit, from samples to a file that has been decoded again."""
        quantized = fit(image.samples, architecture, plan, device, on_step)
        payload = encode_payload(quantized)
        header = Header(image.width, image.height, image.bit_depth, architecture)
        data = write_container(header, payload, metadata)
        return _check(image, data)

    result = reach_target(attempt, num_pixels, config, metadata)
    return replace(result, seconds=time.perf_counter() - started)


def _check(image: Image, data: bytes) -> EncodeResult:
    """Decode what was written and measure it."""
    decoded = decode(data, device="cpu")
    quality = psnr_db(image.samples, decoded.samples)
    return EncodeResult(data, quality, 8 * len(data) / (image.width * image.height))
