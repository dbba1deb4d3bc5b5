"""Image samples -> about how many bits and how much error a lambda will come to.

Reverse water-filling (Cover and Thomas, Elements of Information Theory, section 10.3): independent
Gaussian sources of energies e_i are best coded with the same error each, the water level w, and not
at all where e_i < w: sum of log2(max(1, e_i / w)) / 2 bits, sum of min(e_i, w) error. The sources
here are the coefficients of 8 x 8 cosine transforms, of the image and of the picture that its
blocks' means make. It takes milliseconds, and spares a fit most of its search: one that begins at
three times the right lambda loses 4 to 10 %.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sirencodec.fitting.pyramid.plan_settings import ForecastSettings
from sirencodec.fitting.target import LEAST_LOSS, OVERHEAD_BYTES, PYRAMID_BYTES, Kind, Target
from sirencodec.image.samples import Samples

BLOCK: Final = 8  # pixels along a side of a transform, as in JPEG
LARGEST_BLOCKS: Final = 1 << 14  # a megapixel of blocks says enough about a larger image

BAND_BLOCKS: Final = 1 << 12  # that are looked at in one go, about

LAMBDA_RANGE: Final = (1e-7, 0.3)  # a guard: no photograph's target lies beyond; by eye
BISECTIONS: Final = 40  # lambda to 3 parts in 10^11

Energies = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Energies of coefficients that stand for so many pixels."""

    energies: Energies
    num_pixels: int


class Spectrum:
    """The energies of an image's transform coefficients.

    Attributes:
        num_pixels: of the image.
    """

    def __init__(
        self,
        samples: Samples,
        settings: ForecastSettings,
    ) -> None:
        """Transform ``samples``, (height, width, channels)."""
        self._settings = settings
        height, width, self._channels = samples.shape
        self.num_pixels: int = height * width
        axes = _decorrelation(self._channels).T / np.iinfo(samples.dtype).max
        some, block_means = _look_at(samples)
        fine = _coefficients(some @ axes)
        means = _coefficients(_in_blocks(BLOCK * block_means @ axes))
        coarsest = means[:, :, 0, 0] - means[:, :, 0, 0].mean((0, 1))
        self._levels = [
            _Level(_variations(fine), fine[..., 0].size),
            _Level(_variations(means), means[..., 0].size * BLOCK**2),
            _Level(np.square(coarsest), means[..., 0].size * BLOCK**2),
        ]

    def bpp(self, lambda_: float) -> float:
        """Lambda (error that a bit a pixel is worth) -> bits a pixel of the latents."""
        water_level, bpp = self._water_level(lambda_), 0.0
        for level in self._levels:
            ratios = np.maximum(1.0, level.energies / water_level)
            bpp += 0.5 * float(np.log2(ratios).sum()) / level.num_pixels
        return bpp

    def psnr_db(self, lambda_: float) -> float:
        """Lambda -> PSNR of a fit, psnr_offset_db - psnr_factor * 10 log10(error), in dB."""
        water_level, error = self._water_level(lambda_), 1e-12
        for level in self._levels:
            errors = np.minimum(level.energies, water_level)
            error += float(errors.sum()) / (level.num_pixels * self._channels)
        settings = self._settings
        return settings.psnr_offset_db - settings.psnr_factor * 10 * math.log10(error)

    def lambda_for(self, target: Target) -> float:
        """Target, a size being that of a payload -> the lambda that is foreseen to meet it."""
        settings, budget_bits = self._settings, target.budget_bits
        if budget_bits is not None:
            return lambda_where(lambda lambda_: self._bits(lambda_, budget_bits), budget_bits)
        if target.kind is Kind.PSNR:
            return lambda_where(self.psnr_db, target.value)
        missing = max(100 - target.value, LEAST_LOSS) / 100
        return changed_lambda(settings.score_lambda, math.pow(missing, 1 / settings.score_power))

    def _bits(self, lambda_: float, budget_bits: float) -> float:
        """Lambda -> bits of latents and matrices, for which there are so many."""
        matrices = likely_matrices_bits(lambda_, self.num_pixels, budget_bits, self._settings)
        return self.bpp(lambda_) * self.num_pixels + matrices

    def _water_level(self, lambda_: float) -> float:
        """Lambda -> w: lambda * channels / (2 ln 2), for a bit lowers an error w by 2 ln 2 w."""
        level: float = lambda_ * self._channels / (2 * math.log(2))
        return level


def foreseen_bytes(target: Target, samples: Samples, settings: ForecastSettings) -> int:
    """Measure wanted and image -> about how many bytes a pyramid would have."""
    spectrum = Spectrum(samples, settings)
    lambda_ = spectrum.lambda_for(target)
    matrices_bits = likely_matrices_bits(lambda_, spectrum.num_pixels, math.inf, settings)
    payload_bits = spectrum.bpp(lambda_) * spectrum.num_pixels + matrices_bits
    return OVERHEAD_BYTES + PYRAMID_BYTES + round(payload_bits / 8)


def lambda_where(measure: Callable[[float], float], wanted: float) -> float:
    """Falling function of lambda, and a value of it -> lambda, by bisection in ``LAMBDA_RANGE``."""
    low, high = (math.log(end) for end in LAMBDA_RANGE)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if measure(math.exp(middle)) > wanted:
            low = middle
        else:
            high = middle
    return math.exp(high)


def changed_lambda(lambda_: float, factor: float) -> float:
    """Lambda times a factor, within ``LAMBDA_RANGE``."""
    lowest, highest = LAMBDA_RANGE
    return min(max(lambda_ * factor, lowest), highest)


def likely_matrices_bits(
    lambda_: float, num_pixels: int, budget_bits: float, settings: ForecastSettings
) -> float:
    """Lambda -> bits that all matrices of a picture are likely to take.

    Args:
        lambda_: error that a bit a pixel is worth.
        num_pixels: of the image.
        budget_bits: for matrices and latents.
        settings: what they come to elsewhere.
    """
    octaves = math.log2(lambda_ / num_pixels / settings.usual_bit_error)
    usual = max(0.0, settings.matrices_bits - settings.matrices_bits_per_octave * octaves)
    return min(usual, settings.largest_matrices_share * budget_bits)


def _look_at(samples: Samples) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """Image -> some of its blocks, as ``_in_blocks``, and the mean of each block.

    A band of rows at a time, so that a large image is not held twice.
    """
    height, width = samples.shape[:2]
    down, across = (1 + -(-(side - BLOCK // 2) // BLOCK) for side in (height, width))
    every = max(1, math.ceil(math.sqrt(down * across / LARGEST_BLOCKS)))
    rows = BLOCK * every * max(1, BAND_BLOCKS // (every * across))
    some, means = [], []
    for top in range(-(BLOCK // 2), height, rows):
        blocks = _in_blocks(samples, (top, min(top + rows, height)))
        some.append(blocks[::every, :, ::every])
        means.append(blocks.mean((1, 3)))
    return np.concatenate(some), np.concatenate(means)


def _in_blocks(plane: npt.NDArray[Any], band: tuple[int, int] | None = None) -> npt.NDArray[Any]:
    """(rows, columns, channels) -> (down, 8, across, 8, channels), edges repeated.

    The first block begins half a block outside, as drawings tend to have their edges at multiples
    of powers of two, where blocks would not see them.

    Args:
        plane: to cut.
        band: first row of blocks that are wanted, which may be outside, and the row after the last;
            None for all.
    """
    height, width = plane.shape[:2]
    top, bottom = band or (-(BLOCK // 2), height)
    above, left = max(0, -top), BLOCK // 2
    padding = (above, (top - bottom) % BLOCK), (left, (left - width) % BLOCK), (0, 0)
    padded = np.pad(plane[max(0, top) : bottom], padding, mode="edge")
    rows, columns, channels = padded.shape
    return padded.reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK, channels)


def _coefficients(blocks: npt.NDArray[Any]) -> Energies:
    """(down, 8, across, 8, channels) -> cosine transforms, (down, across, 8, 8, channels)."""
    cosines = _cosines()
    found: Energies = np.einsum("ur,drack,vc->dauvk", cosines, blocks, cosines, optimize=True)
    return found


def _variations(coefficients: Energies) -> Energies:
    """Transforms -> energies of their coefficients, those of the blocks' means left out."""
    energies = np.square(coefficients)
    energies[:, :, 0, 0] = 0
    return energies


def _cosines() -> Energies:
    """The orthonormal cosine transform, a row a frequency."""
    frequency, place = np.arange(BLOCK)[:, None], np.arange(BLOCK)[None]
    rows: Energies = np.cos(np.pi * (2 * place + 1) * frequency / (2 * BLOCK))
    return rows * np.where(frequency == 0, math.sqrt(1 / BLOCK), math.sqrt(2 / BLOCK))


def _decorrelation(channels: int) -> Energies:
    """Orthonormal axes of colour: gray, and two differences; opacity stays as it is."""
    axes: Energies = np.eye(channels)
    if channels >= 3:
        colours = np.array([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [1.0, -2.0, 1.0]])
        axes[:3, :3] = colours / np.linalg.norm(colours, axis=1, keepdims=True)
    return axes
