"""Measures and a picture -> the image that squared error should come near in their stead.

A measure optimised alone is gamed: it rises while the picture falls apart. So a fit that is tuned
for eyes follows a blend, in which squared error and each measure pull with forces of a given share:

    G = s_0 G_0 + sum of s_m G_m |G_0| / |G_m|,    s_0 + sum of s_m = 1

where G_0 is the gradient of the mean squared error with respect to the N values v, G_m that of a
measure, and |.| the root mean square. |G_0| / |G_m| is followed by a running mean, so that a
measure that is nearly content does not pull as hard as one that is not. Squared error with targets

    t = v - N G / 2

has just this gradient at v. So the blend needs no loops of its own: the targets of the squared
error are renewed every few updates, and lambda keeps its meaning.

Where no gradient is followed but single changes are judged, the second derivative counts as well.
Squared error of weight c with targets v - N G / (2 c) has the same gradient, and c times as much of
that (``surrogate``).

Where there is alpha, all errors of colour count by it (``alpha``). Measures see the picture over
gray, by the original's alpha, so the weights that squared error gives to colours are those of all
of G, and the targets are those above. Alpha itself is left to squared error.
"""

import math

import torch
from torch import Tensor

from sirencodec.fitting.loss.pixel.alpha import (
    alpha_targets,
    composite,
    has_alpha,
    weights_of,
)
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.loss.pixel.measures import measure_of
from sirencodec.image.samples import num_colours
from sirencodec.synthesis.threads import Workers


class Blend:
    """The blend of measures of one image.

    Attributes:
        weights: (channels, height, width), what squared error counts for; None if 1 everywhere.
    """

    def __init__(self, image: Tensor, settings: BlendSettings, workers: Workers) -> None:
        """Let the measures see the original.

        Args:
            image: (channels, height, width) values, 0 to 1.
            settings: shares and memory.
            workers: threads to share the work among, on a CPU.
        """
        self._image, self._settings = image, settings
        self._num_colours = num_colours(len(image))
        self.weights = weights_of(image) if has_alpha(image) else None
        seen = self._seen(image)
        self._measures = [measure_of(name, seen, workers) for name, _ in settings.shares]
        self._squares: list[float | None] = [None] * (1 + len(self._measures))

    def surrogate(self, values: Tensor, curvature: float) -> tuple[Tensor, Tensor | None]:
        """Values of a picture -> targets and weights of the squared error in the blend's stead.

        Args:
            values: (channels, height, width).
            curvature: of colours, relative to squared error; without measures it is 1.
        """
        targets, colours = self.targets(values), slice(self._num_colours)
        if not self._measures or curvature == 1:
            return targets, self.weights
        targets[colours] = values[colours] + (targets[colours] - values[colours]) / curvature
        weights = torch.ones_like(values) if self.weights is None else self.weights.clone()
        weights[colours] *= curvature
        return targets, weights

    def targets(self, values: Tensor) -> Tensor:
        """(channels, height, width) values of a picture -> targets t, of the same shape."""
        colours = values[: self._num_colours]
        error = colours - self._image[: self._num_colours]
        own_force = self._force(0, error)
        seen = self._seen(values) if self._measures else colours
        pull = error.clone()  # N / 2 times G
        for number, (measure, (_, share)) in enumerate(
            zip(self._measures, self._settings.shares, strict=True), start=1
        ):
            gradient = measure(seen).gradient
            force = self._force(number, gradient)
            if force > 0:  # a measure may be content, or have no say on so small an image
                pull.sub_(error, alpha=share)
                pull.sub_(gradient, alpha=measure.better * share * own_force / force)
        targets = self._image.clone()
        targets[: self._num_colours] = colours - pull
        if self.weights is not None:
            targets[-1] = alpha_targets(values[-1], self._image[-1])
        return targets

    def _seen(self, values: Tensor) -> Tensor:
        """(channels, height, width) values -> the colours that measures see."""
        colours = values[: self._num_colours].contiguous()
        return colours if not has_alpha(values) else composite(colours, self._image)

    def _force(self, number: int, gradient: Tensor) -> float:
        """Gradient -> its root mean square, as the running mean of squares has it.

        Of colours that count by their alpha.
        """
        weighted = gradient if self.weights is None else gradient * self.weights[:-1]
        square, before = weighted.square().mean().item(), self._squares[number]
        memory = 0.0 if before is None else self._settings.memory
        followed: float = memory * (before or 0.0) + (1 - memory) * square
        self._squares[number] = followed
        return math.sqrt(followed)

    def score(self, values: Tensor) -> float:
        """(channels, height, width) values of a picture -> number of the first measure."""
        score: float = self._measures[0].value(self._seen(values))
        return score

    @property
    def has_measures(self) -> bool:
        """Whether anything but squared error has a share."""
        return bool(self._measures)
