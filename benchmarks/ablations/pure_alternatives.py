"""What ablations put in the place of the codec's own ingredients; see `pure_variants.py`."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import torch
import zstandard
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS, Architecture
from sirencodec.bitstream.container import Header
from sirencodec.bitstream.quantize import QuantizedWeights
from sirencodec.entropy import matrices, payload
from sirencodec.entropy.level_tables import largest_level
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.fitting.pure import fit
from sirencodec.fitting.start import initial_layers
from sirencodec.image.samples import Samples
from sirencodec.synthesis.network import Layers
from sirencodec.synthesis.picture import Picture, to_picture
from sirencodec.theory import first_layer_bound, hidden_bound, pytorch_bias_bound

# What is to be replaced, as it was before.
_encode_payload, _matrices_bits = payload.encode_payload, matrices.matrices_bits
_rgb_targets = fit._targets

Indices = npt.NDArray[np.int64]
ZSTD_LEVEL = 19

# Orthonormal, so that a squared error means the same in both spaces: luma, and two of chroma.
LUMA_CHROMA = np.array(
    [
        np.array([1, 1, 1]) / math.sqrt(3),
        np.array([1, 0, -1]) / math.sqrt(2),
        np.array([-1, 2, -1]) / math.sqrt(6),
    ]
)


def zero_bias(
    architecture: Architecture, axis_scale: tuple[float, float], generator: torch.Generator
) -> Layers:
    """Initial layers, all biases zero but those of the first, which set where the waves start."""
    layers = initial_layers(architecture, axis_scale, generator)
    for layer in layers[1:]:
        layer[:, -1] = 0
    return layers


def pytorch_bias(
    architecture: Architecture, axis_scale: tuple[float, float], generator: torch.Generator
) -> Layers:
    """Initial layers with the biases that ``torch.nn.Linear`` would leave in the authors' code."""
    layers = initial_layers(architecture, axis_scale, generator)
    for layer in layers[:-1]:
        rows, columns = layer.shape
        bound = architecture.omega_0 * pytorch_bias_bound(columns - 1)
        layer[:, -1] = (torch.rand(rows, generator=generator) * 2 - 1) * bound
    return layers


def coin_bias(
    architecture: Architecture, axis_scale: tuple[float, float], generator: torch.Generator
) -> Layers:
    """Initial layers whose biases are drawn from the weights' range, as in COIN's code."""
    layers = initial_layers(architecture, axis_scale, generator)
    first = architecture.omega_0 * first_layer_bound(INPUTS)
    hidden = hidden_bound(architecture.hidden_features)
    for layer, bound in zip(layers[:-1], [first, *[hidden] * len(layers[1:-1])], strict=True):
        layer[:, -1] = (torch.rand(len(layer), generator=generator) * 2 - 1) * bound
    return layers


class Adam:
    """Adam (Kingma and Ba 2014) with the interface of the codec's optimiser."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        """Remember ``parameters``."""
        self._parameters = parameters
        self._means = [torch.zeros_like(parameter) for parameter in parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in parameters]
        self._step = 0

    def update(self, gradients: Sequence[Tensor], learning_rates: Sequence[float]) -> None:
        """Move each parameter by about its learning rate."""
        self._step += 1
        lists = (self._parameters, gradients, learning_rates, self._means, self._squares)
        for parameter, gradient, rate, mean, square in zip(*lists, strict=True):
            mean.lerp_(gradient, 0.1)
            square.lerp_(gradient.square(), 0.001)
            deviation = (square / (1 - 0.999**self._step)).sqrt_().add_(1e-12)
            parameter.sub_(mean / (1 - 0.9**self._step) / deviation, alpha=rate)


class RandomBatches(Iterator[Indices]):
    """Batches of pixels drawn at random from the whole image, without regard to where they lie."""

    def __init__(
        self, width: int, height: int, batch_pixels: int, generator: np.random.Generator
    ) -> None:
        """Prepare batches of ``batch_pixels``, or of all pixels if there are no more."""
        self._count = width * height
        self._generator = generator
        self._order: Indices = np.empty(0, dtype=np.int64)
        self.batch_pixels = min(batch_pixels, self._count)

    def __next__(self) -> Indices:
        """(batch_pixels,) indices; none comes twice before all have come."""
        if len(self._order) < self.batch_pixels:
            self._order = self._generator.permutation(self._count)
        batch, self._order = np.split(self._order, [self.batch_pixels])
        return batch


def equal_sensitivities(layers: Sequence[Tensor], points: Tensor) -> list[float]:
    """As if every weight mattered as much as any other: one step for all layers."""
    del points
    return [1.0] * len(layers)


def encode_one_gaussian(picture: QuantizedPicture, architecture: Architecture) -> bytes:
    """Payload whose layers all use one Gaussian, the one that codes them shortest together."""
    with _one_gaussian(picture.weights):
        return _encode_payload(picture, architecture)


def bits_of_one_gaussian(weights: QuantizedWeights) -> float:
    """What that payload takes."""
    with _one_gaussian(weights):
        return _matrices_bits(weights)


def _one_gaussian(weights: QuantizedWeights) -> Any:
    levels = np.concatenate([matrix.ravel() for matrix in weights.levels])
    with mock.patch.object(matrices, "NUM_SHAPES", 1):
        model, _ = matrices.best_model(levels)

    def chosen(matrix: npt.NDArray[np.int32]) -> tuple[int, float]:
        if model == matrices.ZERO_MODEL:  # all of them are zero
            return model, 0.0
        costs = matrices.code_lengths(model)
        return model, float(costs[matrix + largest_level(model)].sum())

    return mock.patch.object(matrices, "best_model", chosen)


def encode_zstd(picture: QuantizedPicture, architecture: Architecture) -> bytes:
    """Payload of step indices and levels packed by a general compressor, zstandard."""
    del architecture
    return _pack_zstd(picture.weights)


def _pack_zstd(weights: QuantizedWeights) -> bytes:
    widest = max(int(np.abs(matrix).max()) for matrix in weights.levels)
    kind = "int8" if widest < 128 else "int16"
    raw = b"".join(matrix.astype(kind).tobytes() for matrix in weights.levels)
    head = bytes([np.dtype(kind).itemsize, *weights.step_indices])
    return head + zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_content_size=False).compress(raw)


def bits_of_zstd(weights: QuantizedWeights) -> float:
    """What that payload takes."""
    return 8.0 * len(_pack_zstd(weights))


def decode_zstd(
    coded: bytes,
    architecture: Architecture,
    width: int,
    height: int,
    on_symbols: None = None,
    finest: int = 0,
) -> QuantizedPicture:
    """Payload of ``encode_zstd`` -> levels."""
    del width, height, on_symbols, finest  # which only grids need, and inspection asks for
    shapes = architecture.layer_shapes
    head, packed = coded[: 1 + len(shapes)], coded[1 + len(shapes) :]
    size = architecture.num_parameters * head[0]
    raw = zstandard.ZstdDecompressor().decompress(packed, max_output_size=size)
    flat = np.frombuffer(raw, dtype=f"int{8 * head[0]}").astype(np.int32)
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    pieces = zip(np.split(flat, ends[:-1]), shapes, strict=True)
    levels = tuple(piece.reshape(shape) for piece, shape in pieces)
    return QuantizedPicture(QuantizedWeights(levels, tuple(head[1:])))


def luma_targets(samples: Samples) -> Tensor:
    """Samples -> targets in luma and chroma, for a network that is to learn these."""
    targets = _rgb_targets(samples)
    if len(targets) != len(LUMA_CHROMA):
        return targets
    return torch.from_numpy(LUMA_CHROMA).float() @ targets


def luma_picture(quantized: QuantizedPicture, header: Header) -> Picture:
    """A file of such a network -> its picture, whose last layer makes RGB."""
    picture = to_picture(quantized, header)
    *layers, last = picture.layers
    if len(last) != len(LUMA_CHROMA):
        return picture
    return replace(picture, layers=(*layers, LUMA_CHROMA.T @ last))
