"""Picture and coordinates -> values and samples by PyTorch, in bounded memory, on any device.

Enlarging asks the network between the stored pixels. Shrinking must not: a network sampled once a
pixel aliases like any other signal sampled below twice its highest frequency, so each output pixel
then is the mean over a small grid of points, about one per stored pixel it covers.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS
from sirencodec.image.samples import Samples, has_alpha_channel
from sirencodec.synthesis.coordinates import Float64Array, grid_coordinates
from sirencodec.synthesis.features import Cell
from sirencodec.synthesis.network import augment, evaluate, evaluate_with_jacobian
from sirencodec.synthesis.query_numpy import HIDDEN_WEIGHT, to_samples
from sirencodec.synthesis.region import Region
from sirencodec.synthesis.torch_picture import TorchPicture
from sirencodec.synthesis.torch_threads import worker_threads

# A chunk's activations, chunk x width in float32, should stay in a core's second-level cache.
CPU_CHUNK_POINTS = 4096
FIELD_CHUNK_POINTS = 1 << 16  # scattered points share the work of finding features near them
CUDA_CHUNK_POINTS = 1 << 18  # enough to fill a GPU; 256 MiB at width 256
STRIP_POINTS = 1 << 18  # points between two strips of output; a strip takes some 30 MiB


def query_points(picture: TorchPicture, coordinates: Float64Array) -> Tensor:
    """Coordinates -> values, chunk by chunk.

    Args:
        picture: what to ask.
        coordinates: (n, 2) columns (x, y).

    Returns:
        (channels, n) values of the layers' dtype, on their device.
    """

    def values(points: Tensor, tangents: Tensor) -> Tensor:
        return evaluate(picture.layers, points)

    return _map_chunks(values, picture, coordinates)


def query_jacobian(picture: TorchPicture, coordinates: Float64Array) -> Tensor:
    """(n, 2) coordinates, columns (x, y) -> (2, channels, n) derivatives along x and y."""

    def jacobian(points: Tensor, tangents: Tensor) -> Tensor:
        return evaluate_with_jacobian(picture.layers, points, tangents)[1]

    return _map_chunks(jacobian, picture, coordinates)


def _map_chunks(
    function: Callable[[Tensor, Tensor], Tensor],
    picture: TorchPicture,
    coordinates: Float64Array,
) -> Tensor:
    """Values of ``function`` of points and tangents, chunk by chunk, a core each on a CPU."""
    like = picture.layers[0]
    chunk_points = CPU_CHUNK_POINTS if like.device.type == "cpu" else CUDA_CHUNK_POINTS
    if picture.field is not None:
        chunk_points = max(chunk_points, FIELD_CHUNK_POINTS)

    def evaluate_chunk(start: int) -> Tensor:
        return function(*_inputs(picture, coordinates[start : start + chunk_points]))

    starts = range(0, max(1, len(coordinates)), chunk_points)
    with worker_threads(_num_workers(like)) as workers:
        return torch.cat(workers.map(evaluate_chunk, starts), -1)


def _num_workers(like: Tensor) -> int:
    return torch.get_num_threads() if like.device.type == "cpu" else 1


def _inputs(picture: TorchPicture, coordinates: Float64Array) -> tuple[Tensor, Tensor]:
    """Coordinates -> points for the first layer and the derivatives of its inputs."""
    like, field = picture.layers[0], picture.field
    plain = torch.from_numpy(coordinates).to(like)
    unit = torch.eye(INPUTS).to(like)[:, :, None].expand(-1, -1, len(plain))
    if field is None:
        return augment(plain), unit
    pixels_per_unit = np.array([field.width, field.height]) / 2
    features, derivatives = field.points(*((coordinates + 1) * pixels_per_unit).T)
    derivatives = derivatives * torch.from_numpy(pixels_per_unit).to(like)[:, None, None]
    return augment(plain, features), torch.cat([unit, derivatives], 1)


def query_strips(
    picture: TorchPicture, region: Region, strip_points: int = STRIP_POINTS
) -> Iterator[Float64Array]:
    """Picture and region -> its rows of pixels from the top, a strip at a time.

    Args:
        picture: what to ask.
        region: where.
        strip_points: that may be asked at a time: memory against the number of operations.

    Yields:
        (rows, width, channels) float64 values, rows as bounded memory allows. A row of few pixels
        can take more points than that; then they are summed a few lines at a time.
    """
    across, down = region.points_across, region.points_down
    x, y = region.x(), region.y()
    lines_at_once = max(1, strip_points // len(x))
    rows_per_strip = max(1, lines_at_once // down)
    lines_of, points = _line_query(picture, x), across * down
    has_weights = points > 1 and has_alpha_channel(len(picture.layers[-1]))
    for top in range(0, region.height, rows_per_strip):
        rows = min(rows_per_strip, region.height - top)
        strip_y = y[top * down : (top + rows) * down]
        lines_per_piece = min(rows * down, lines_at_once)  # less than all only if rows is 1
        total = torch.zeros((), dtype=torch.float64, device=picture.layers[0].device)
        for start in range(0, len(strip_y), lines_per_piece):
            values = lines_of(strip_y[start : start + lines_per_piece]).double()
            if has_weights:
                values[-1].clamp_(0, 1)
                values[:-1] *= values[-1] + HIDDEN_WEIGHT
            cells = values.reshape(len(values), rows, -1, region.width, across)
            sums = cells.sum((2, 4)) if points > 1 else cells[:, :, 0, :, 0]
            total = sums if start == 0 else total + sums
        if has_weights:
            total[:-1] *= points / (total[-1] + points * HIDDEN_WEIGHT)
        yield total.div_(points).permute(1, 2, 0).cpu().numpy()


def _line_query(picture: TorchPicture, x: Float64Array) -> Callable[[Float64Array], Tensor]:
    """Picture and x of every column -> the function from y of some lines to all their values.

    Lines and columns are a product, which is what makes features cheap: see ``features``.
    """
    field = picture.field
    if field is None:
        return lambda y: query_points(picture, grid_coordinates(x, y))
    like = picture.layers[0]
    columns = list(field.cells((x + 1) * field.width / 2, field.width, axis=1))

    def query(y: Float64Array) -> Tensor:
        values = like.new_empty(len(picture.layers[-1]), len(y), len(x))
        rows = list(field.cells((y + 1) * field.height / 2, field.height, axis=0))

        def evaluate_block(block: tuple[Cell, Cell]) -> None:
            lines, places = block
            features = field.rectangle(lines, places).flatten(1)
            coordinates = grid_coordinates(x[places.positions], y[lines.positions])
            points = augment(torch.from_numpy(coordinates).to(like), features)
            part = values[:, lines.positions, places.positions]
            part.copy_(evaluate(picture.layers, points).view(part.shape))

        blocks = [(lines, places) for lines in rows for places in columns]
        with worker_threads(_num_workers(like)) as workers:
            workers.map(evaluate_block, blocks)
        return values

    return query


def query_samples(picture: TorchPicture, region: Region, bit_depth: int) -> Samples:
    """Picture and region -> (height, width, channels) samples, filled in strip by strip."""
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    samples = np.empty((region.height, region.width, len(picture.layers[-1])), dtype=dtype)
    top = 0
    for values in query_strips(picture, region):
        samples[top : top + len(values)] = to_samples(values, bit_depth)
        top += len(values)
    return samples
