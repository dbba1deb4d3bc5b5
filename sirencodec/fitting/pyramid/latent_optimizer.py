"""Gradient with respect to latents -> latents moved: momentum, in units that a whole grid shares.

With m the running mean of gradients, and v that of their mean square over a grid, both corrected
for starting at zero as Adam's are (Kingma and Ba 2015, arXiv 1412.6980), an update is

    latents -= rate * clamp(m / sqrt(v), -longest_move, longest_move).

Adam has a v for each number. Latents that hardly matter would then go as far as those that do, and
those that do not matter at random.
"""

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from sirencodec.entropy.latents import LARGEST_LATENT
from sirencodec.fitting.pyramid.settings import LatentSettings

EPSILON: Final = 1e-12  # so that a grid without any gradient stays
CHUNK: Final = 1 << 20  # latents that are moved at a time, to save memory


class LatentOptimizer:
    """Moves the latents of one stage in place."""

    def __init__(self, latents: Tensor, sizes: Sequence[int], settings: LatentSettings) -> None:
        """Remember ``latents``, (count,), of grids that have so many each."""
        self._latents, self._sizes, self._settings = latents, list(sizes), settings
        self._first_moment = torch.zeros_like(latents)
        self._second_moments = [0.0] * len(self._sizes)
        self._updates = 0

    def update(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Move all latents by about ``rate`` levels, against the gradient.

        Args:
            gradients: of the loss with respect to each grid's latents, (rows, columns) or flat.
            rate: levels for a gradient as large as the grid's root mean square.
        """
        self._updates += 1
        settings = self._settings
        first_share = 1 - settings.momentum**self._updates
        second_share = 1 - settings.second_moment_decay**self._updates
        flat = [gradient.reshape(-1) for gradient in gradients]
        squares = torch.stack([_mean_square(gradient) for gradient in flat])
        parts = zip(
            torch.split(self._latents, self._sizes),
            torch.split(self._first_moment, self._sizes),
            flat,
            squares.tolist(),
            strict=True,
        )
        longest = settings.longest_move
        for index, (latents, first, gradient, new) in enumerate(parts):
            first.lerp_(gradient, 1 - settings.momentum)
            second = self._second_moments[index]
            second += (1 - settings.second_moment_decay) * (new - second)
            self._second_moments[index] = second
            deviation = math.sqrt(second / second_share) + EPSILON
            for some in _chunks(len(latents)):
                moves = first[some] / (first_share * deviation)
                latents[some].sub_(moves.clamp_(-longest, longest), alpha=rate)
        self._latents.clamp_(-LARGEST_LATENT, LARGEST_LATENT)


def _mean_square(gradient: Tensor) -> Tensor:
    """(count,) -> mean of squares, in memory for a part of it."""
    if len(gradient) <= CHUNK:
        return gradient.square().mean()
    squares = [gradient[some].square().sum() for some in _chunks(len(gradient))]
    return torch.stack(squares).sum() / len(gradient)


def _chunks(count: int) -> list[slice]:
    """Number of latents -> parts of them that are moved at a time."""
    return [slice(start, start + CHUNK) for start in range(0, count, CHUNK)]
