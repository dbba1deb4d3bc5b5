"""All matrices of a pyramid -> those that a stage of its fit shows, and back.

A stage fits the image reduced by some octaves, with the grids that are no finer than its pixels. So
its network lacks the finer grids' features, and there is no refinement but at full size.

Upsampling to full size has a DC gain: each doubling multiplies a flat feature by (sum of its
kernel's taps)^2, once for either axis. The stage leaves out the last ``octaves`` doublings, so its
first layer is multiplied by their gain. Features then keep their size from stage to stage.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from sirencodec.bitstream.architecture import INPUTS, Architecture
from sirencodec.fitting.loss.costs import Gradient
from sirencodec.fitting.pyramid.matrices import Parts
from sirencodec.synthesis.network import Layers
from sirencodec.synthesis.refinement import num_refined


class StageView:
    """The part of all matrices that one stage shows.

    Attributes:
        octaves: that the image is reduced by; 0 at full size.
        exponents: of the grids that are shown, rising.
    """

    def __init__(self, architecture: Architecture, octaves: int, parts: Parts) -> None:
        """Look at the image reduced by ``octaves``; the gain is that of ``parts.kernels``."""
        self.exponents = [exponent for exponent in architecture.grids if exponent >= octaves]
        self.octaves = octaves
        features = [INPUTS + architecture.grids.index(exponent) for exponent in self.exponents]
        first = parts.layers[0]
        columns = [*range(INPUTS), *features, first.shape[1] - 1]
        self._columns = torch.tensor(columns, device=first.device)
        gain = math.prod(float(kernel.sum()) ** 2 for kernel in parts.kernels[:octaves])
        self._gains = first.new_ones(len(columns))
        self._gains[INPUTS:-1] = gain
        self._refines = not octaves and num_refined(self.exponents) > 0

    def layers(self, layers: Sequence[Tensor]) -> Layers:
        """The network's layers -> those of the stage's network: fewer columns in the first."""
        return [layers[0][:, self._columns] * self._gains, *layers[1:]]

    def shown(
        self, parts: Parts, grids: Sequence[Tensor]
    ) -> tuple[Layers, Tensor, Sequence[Tensor], Sequence[Tensor]]:
        """All matrices and the stage's grids -> what a ``DistortionTerm`` makes the image of."""
        refinement = parts.refinement if self._refines else ()
        return self.layers(parts.layers), parts.kernels[self.octaves :], grids, refinement

    def gradient(self, shown: Gradient, networks: list[list[Tensor]], parts: Parts) -> Parts:
        """Gradients with respect to what is shown -> with respect to all: zero for what is not.

        Args:
            shown: of the error.
            networks: of the bits, with respect to the context networks' trained layers.
            parts: all matrices.
        """
        first = torch.zeros_like(parts.layers[0])
        first[:, self._columns] = shown.layers[0] * self._gains
        kernels = torch.zeros_like(parts.kernels)
        kernels[self.octaves :] = shown.kernels
        refinement = shown.refinement or [torch.zeros_like(m) for m in parts.refinement]
        return Parts([first, *shown.layers[1:]], kernels, networks, refinement)

    def copies(self, parts: Parts) -> list[Tensor]:
        """All matrices -> copies of those that are shown in part or not at all, for ``restore``."""
        return [part.clone() for part in (parts.layers[0], parts.kernels, *parts.refinement)]

    def restore(self, parts: Parts, copies: Sequence[Tensor]) -> None:
        """Undo what an update has done to all that is not shown: SOAP moves it at random."""
        layer, kernels, *refinement = copies
        layer[:, self._columns] = parts.layers[0][:, self._columns]
        parts.layers[0].copy_(layer)
        parts.kernels[: self.octaves] = kernels[: self.octaves]
        if not self._refines:
            for matrix, before in zip(parts.refinement, refinement, strict=True):
                matrix.copy_(before)
