"""Tasks filled with the addresses of NumPy's arrays alone: compiled loops take grids to values."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from sirencodec.bitstream.architecture import grid_shape
from sirencodec.native.library import double_loops
from sirencodec.native.tasks import STRIP, Layer, SynthesisTask, UpsamplingTask, rounded_up
from tests.unit.builders import (
    ALL_GRIDS,
    architecture,
    corrected,
    random_kernels,
    random_latents,
    random_refinement,
    upsampled,
)

Floats = npt.NDArray[np.float64]
pytestmark = pytest.mark.skipif(not double_loops(), reason="loops are not built")

HALO = 2
CHANNELS = 3
KERNELS = random_kernels(ALL_GRIDS[-1])
REFINEMENT = random_refinement()


def random_layers() -> list[Floats]:
    generator = np.random.default_rng(0)
    shapes = architecture(channels=CHANNELS).layer_shapes
    return [generator.normal(0, shape[1] ** -0.5, shape) for shape in shapes]


def expected_values(
    latents: Sequence[npt.NDArray[np.generic]], layers: Sequence[Floats], width: int, height: int
) -> Floats:
    features = [
        upsampled(grid, KERNELS, exponent, width, height)
        for exponent, grid in zip(ALL_GRIDS, latents, strict=True)
    ]
    hidden = np.stack(
        [
            *np.meshgrid(*((2 * np.arange(side) + 1) / side - 1 for side in (width, height))),
            *corrected(features, ALL_GRIDS, REFINEMENT),
        ]
    ).reshape(-1, height * width)
    for number, layer in enumerate(layers):
        hidden = layer[:, :-1] @ (np.sin(hidden) if number else hidden) + layer[:, -1:]
    return hidden.reshape(-1, height, width)


def compiled_features(
    latents: Sequence[npt.NDArray[np.generic]], width: int, height: int
) -> Floats:
    """(grids, height + 2 HALO, columns), the outermost pixels repeated."""
    (loops,) = double_loops()
    row = rounded_up(width + 2 * HALO) + 2 * STRIP
    features = np.zeros((len(latents), height + 2 * HALO, row))
    for feature, exponent, latent in zip(features, ALL_GRIDS, latents, strict=True):
        grid = latent.astype(np.float64)
        task = UpsamplingTask(
            grid=grid.ctypes.data,
            kernels=KERNELS.ctypes.data,
            exponent=exponent,
            feature=feature.ctypes.data,
            row=row,
            height=height,
            width=width,
            picture_height=height,
        )
        memory = np.zeros(loops.upsampling_memory(ctypes.byref(task)))
        task.memory = memory.ctypes.data
        loops.upsample(ctypes.byref(task))
    return features


@pytest.mark.parametrize("band", [1, 7, 1000])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (64, 64), (200, 41)], ids=str)
def test_grids_become_values(size: tuple[int, int], band: int) -> None:
    """Band by band of so many rows, into arrays without room behind their rows."""
    (loops,), (width, height) = double_loops(), size
    latents, layers = random_latents(width, height, ALL_GRIDS), random_layers()
    assert [grid.shape for grid in latents] == [grid_shape(width, height, k) for k in ALL_GRIDS]
    features = compiled_features(latents, width, height)
    matrices = [np.ascontiguousarray(matrix) for matrix in (*REFINEMENT, *layers)]
    described = (Layer * len(matrices))(
        *(Layer(matrix.ctypes.data, None, len(matrix), matrix.shape[1] - 1) for matrix in matrices)
    )
    x = (2 * np.arange(rounded_up(width)) + 1) / width - 1
    y = (2 * np.arange(height) + 1) / height - 1
    values = np.full((CHANNELS, height, width), np.nan)
    for top in range(0, height, band):
        task = SynthesisTask(
            features=features[:, top:].ctypes.data,
            values=values[:, top:].ctypes.data,
            feature_plane=features[0].size,
            feature_row=features.shape[2],
            value_plane=values[0].size,
            value_row=width,
            x=x.ctypes.data,
            y=y[top:].ctypes.data,
            rows=min(band, height - top),
            columns=width,
            num_features=len(latents),
            num_refined=len(REFINEMENT[1]),
            convolutions=ctypes.addressof(described),
            layers=ctypes.addressof(described) + 2 * ctypes.sizeof(Layer),
            depth=len(layers),
        )
        assert loops.synthesis(ctypes.byref(task)) == 0
    expected = expected_values(latents, layers, width, height)
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12)
