"""Image samples -> about how many bits and how much error a trade-off will come to.

Reverse water-filling (Cover and Thomas, Elements of Information Theory, section 10.3): independent
Gaussian sources are best coded with the same error each, the water level, and not at all where
they have less energy than that. The sources taken here are the coefficients of 8 x 8 cosine
transforms. It takes milliseconds, and spares a fit the search for its target: on twelve crops of
training photographs, from 0.05 to 1.2 bits a pixel, the rate was right to 15 % (benchmarks/LOG.md,
entry 11).
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

BLOCK: Final = 8
LARGEST_BLOCKS: Final = 1 << 14  # a megapixel says enough about a larger image

# From the bits of water-filling to those of a fitted pyramid's latents, both a pixel:
# factor * bits ** exponent. Ours sees more than a block where little is coded, and pays for its
# redundant grids where much is.
BPP_FACTOR: Final = 1.39
BPP_EXPONENT: Final = 1.4
PSNR_OFFSET_DB: Final = -0.8

TRADE_OFF_RANGE: Final = (1e-6, 0.3)
BISECTIONS: Final = 40

Energies = npt.NDArray[np.float64]


class Spectrum:
    """The energies of an image's transform coefficients."""

    def __init__(self, samples: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> None:
        """Transform ``samples``, (height, width, channels)."""
        self._channels = samples.shape[2]
        blocks = _blocks(samples)
        self._num_pixels = blocks.shape[0] * BLOCK * BLOCK
        values = blocks / np.iinfo(samples.dtype).max @ _decorrelation(self._channels).T
        cosines = _cosines()
        coefficients = np.einsum("ur,nrcs,vc->nuvs", cosines, values, cosines, optimize=True)
        coefficients[:, 0, 0] -= coefficients[:, 0, 0].mean(0)
        self._energies: Energies = np.square(coefficients).ravel()

    def bpp(self, trade_off: float) -> float:
        """Trade-off (error that a bit a pixel is worth) -> bits a pixel of the latents."""
        ratios = np.maximum(1.0, self._energies / self._water_level(trade_off))
        bpp: float = 0.5 * float(np.log2(ratios).sum()) / self._num_pixels
        return BPP_FACTOR * math.exp(BPP_EXPONENT * math.log(max(bpp, 1e-9)))

    def psnr_db(self, trade_off: float) -> float:
        """Trade-off -> quality."""
        errors = np.minimum(self._energies, self._water_level(trade_off))
        error: float = float(errors.sum()) / (self._num_pixels * self._channels)
        return -10 * math.log10(max(error, 1e-12)) + PSNR_OFFSET_DB

    def _water_level(self, trade_off: float) -> float:
        """A coefficient's error falls by 2 ln 2 times itself for a bit."""
        level: float = trade_off * self._channels / (2 * math.log(2))
        return level


def trade_off_where(measure: Callable[[float], float], wanted: float) -> float:
    """A falling measure of trade-offs, and a value of it -> the trade-off that has it."""
    low, high = (math.log(end) for end in TRADE_OFF_RANGE)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if measure(math.exp(middle)) > wanted:
            low = middle
        else:
            high = middle
    return math.exp(high)


def _blocks(samples: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> Energies:
    """Samples -> (blocks, 8, 8, channels), some of them where there are many."""
    height, width, channels = samples.shape
    padding = ((0, -height % BLOCK), (0, -width % BLOCK), (0, 0))
    every = max(1, math.ceil(math.sqrt(height * width / (BLOCK * BLOCK * LARGEST_BLOCKS))))
    whole: npt.NDArray[np.generic] = np.pad(samples, padding, mode="edge")
    rows, columns = whole.shape[0] // BLOCK, whole.shape[1] // BLOCK
    grid = whole.reshape(rows, BLOCK, columns, BLOCK, channels)[::every, :, ::every]
    blocks = grid.transpose(0, 2, 1, 3, 4).reshape(-1, BLOCK, BLOCK, channels)
    return blocks.astype(np.float64)


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
