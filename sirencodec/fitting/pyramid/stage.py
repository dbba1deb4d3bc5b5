"""What a stage of a fit shows of a pyramid's matrices.

A stage fits the image reduced by some octaves with the grids that are no finer than its pixels. So
the network lacks the finer grids' features, and there is no refinement but at full size.

Where the full image is ``octaves`` doublings further on, each of them multiplies a feature by the
sum of its kernel's taps, once along either axis; kernels are not normalised. The stage's first
layer makes up for the doublings that are left out. Otherwise all features would shrink, by more
than half, when the next stage sets in (benchmarks/LOG.md, entry 17).
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
    """The part of all matrices that one stage shows."""

    def __init__(self, architecture: Architecture, octaves: int, parts: Parts) -> None:
        """Look at the image reduced by ``octaves``, the kernels left out being as in ``parts``."""
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
        """The network's layers -> those of the stage's."""
        return [layers[0][:, self._columns] * self._gains, *layers[1:]]

    def shown(
        self, parts: Parts, grids: Sequence[Tensor]
    ) -> tuple[Layers, Tensor, Sequence[Tensor], Sequence[Tensor]]:
        """All matrices and the stage's grids -> what a ``DistortionTerm`` makes the image of."""
        refinement = parts.refinement if self._refines else ()
        return self.layers(parts.layers), parts.kernels[self.octaves :], grids, refinement

    def gradient(self, shown: Gradient, networks: list[list[Tensor]], parts: Parts) -> Parts:
        """Gradient of what is shown -> that of all ``parts``: zero for what is not."""
        first = torch.zeros_like(parts.layers[0])
        first[:, self._columns] = shown.layers[0] * self._gains
        kernels = torch.zeros_like(parts.kernels)
        kernels[self.octaves :] = shown.kernels
        refinement = shown.refinement or [torch.zeros_like(m) for m in parts.refinement]
        return Parts([first, *shown.layers[1:]], kernels, networks, refinement)

    def copies(self, parts: Parts) -> list[Tensor]:
        """Matrices -> copies of those of which not all is shown, for ``restore``."""
        return [part.clone() for part in (parts.layers[0], parts.kernels, *parts.refinement)]

    def restore(self, parts: Parts, copies: Sequence[Tensor]) -> None:
        """Undo what an update has done to all that is not shown."""
        layer, kernels, *refinement = copies
        layer[:, self._columns] = parts.layers[0][:, self._columns]
        parts.layers[0].copy_(layer)
        parts.kernels[: self.octaves] = kernels[: self.octaves]
        if not self._refines:
            for matrix, before in zip(parts.refinement, refinement, strict=True):
                matrix.copy_(before)
