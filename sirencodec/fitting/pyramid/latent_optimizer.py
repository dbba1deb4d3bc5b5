"""Gradient with respect to latents -> latents moved: momentum, in units that a whole grid shares.

With m the running mean of gradients, and v that of their mean square over a grid, both corrected
for starting at zero as Adam's are (Kingma and Ba 2015, arXiv 1412.6980), an update is

    latents -= rate * clamp(m / sqrt(v), -longest_move, longest_move).

Adam has a v for each number. Latents that hardly matter would then go as far as those that do, and
those that do not matter at random.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from sirencodec.entropy.latents import LARGEST_LATENT
from sirencodec.fitting.pyramid.settings import LatentSettings

EPSILON = 1e-12  # so that a grid without any gradient stays


class LatentOptimizer:
    """Moves the latents of one stage in place."""

    def __init__(self, latents: Tensor, sizes: Sequence[int], settings: LatentSettings) -> None:
        """Remember ``latents``, (count,), of grids that have so many each."""
        self._latents, self._sizes, self._settings = latents, list(sizes), settings
        self._first_moment = torch.zeros_like(latents)
        self._second_moments = [0.0] * len(self._sizes)
        self._updates = 0

    def update(self, gradient: Tensor, rate: float) -> None:
        """Move all latents by about ``rate`` levels, against the gradient.

        Args:
            gradient: (count,) of the loss with respect to the latents.
            rate: levels for a gradient as large as the grid's root mean square.
        """
        self._updates += 1
        settings = self._settings
        self._first_moment.lerp_(gradient, 1 - settings.momentum)
        first_share = 1 - settings.momentum**self._updates
        second_share = 1 - settings.second_moment_decay**self._updates
        squares = torch.stack([part.square().mean() for part in torch.split(gradient, self._sizes)])
        parts = zip(
            torch.split(self._latents, self._sizes),
            torch.split(self._first_moment, self._sizes),
            squares.tolist(),
            strict=True,
        )
        longest = settings.longest_move
        for index, (latents, first, new) in enumerate(parts):
            second = self._second_moments[index]
            second += (1 - settings.second_moment_decay) * (new - second)
            self._second_moments[index] = second
            deviation = math.sqrt(second / second_share) + EPSILON
            moves = first / (first_share * deviation)
            latents.sub_(moves.clamp_(-longest, longest), alpha=rate)
        self._latents.clamp_(-LARGEST_LATENT, LARGEST_LATENT)
