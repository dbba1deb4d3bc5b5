"""Features at pixel centres -> corrections of the finest ones (FORMAT.md, section 9).

Upsampling is linear and knows of no edges, and the network sees one point at a time. The refinement
is what lets neighbours speak: two 3 x 3 convolutions at stored resolution, rectified
between, which see all features within two pixels and add to the two finest. What comes out is
interpolated like any feature, so a file still answers at every coordinate. On crops of
photographs error and bits together fall by a tenth (benchmarks/LOG.md, entry 12).

Rectified rather than by a sine, because then it is the same at any scale of the latents, so one
shipped refinement suits all rates.
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import conv2d, unfold

from sirencodec.bitstream.architecture import REFINED

NEIGHBOURS: Final = 9  # pixels of a plane that a convolution sees: 3 x 3
HALO: Final = 2  # pixels that two convolutions see beyond their output


def num_refined(exponents: Sequence[int]) -> int:
    """Exponents of a pyramid's grids, rising -> how many features are corrected: the first ones."""
    return sum(exponent in REFINED for exponent in exponents)


def corrections(features: Tensor, exponents: Sequence[int], matrices: Sequence[Tensor]) -> Tensor:
    """Features with their surroundings -> what to add to the first ``num_refined`` of them.

    Args:
        features: (grids, rows + 4, columns + 4), one a grid.
        exponents: of the grids, consecutive and rising, at least one of them in ``REFINED``.
        matrices: of ``entropy.prior.refinement_shapes``. Columns go grid by grid from exponent 0
            (or channel by channel), and in each row by row of the 3 x 3 neighbours; the last is a
            bias.

    Returns:
        (refined, rows, columns).
    """
    return local_corrections(features, LocalRefinement(exponents, matrices).matrices)


def local_corrections(features: Tensor, matrices: Sequence[Tensor]) -> Tensor:
    """As ``corrections``, by matrices of just the columns and rows there are."""
    first, second = matrices
    # Channels last: twice as fast on a CPU with so few of them.
    window = features[None].contiguous(memory_format=torch.channels_last)
    hidden = _convolved(window, first[:, :-1].view(len(first), -1, 3, 3), first[:, -1]).relu_()
    weights = second[:, :-1].view(-1, len(first), 3, 3)
    return _convolved(hidden, weights, second[:, -1])[0]


def _convolved(planes: Tensor, weights: Tensor, biases: Tensor) -> Tensor:
    """(1, inputs, rows, columns) -> (1, outputs, rows - 2, columns - 2)."""
    if not planes.is_cuda:
        return conv2d(planes, weights, biases)
    # cuDNN would round single precision to the eleven bits of TF32; matrix products do not.
    rows, columns = planes.shape[2] - 2, planes.shape[3] - 2
    product = torch.addmm(biases[:, None], weights.flatten(1), unfold(planes, 3)[0])
    return product.view(1, -1, rows, columns)


class LocalRefinement:
    """The part of a refinement that concerns some grids.

    Attributes:
        matrices: the two, with columns of the features there are and rows of those that are
            corrected; none if there is no refinement.
    """

    def __init__(self, exponents: Sequence[int], matrices: Sequence[Tensor]) -> None:
        """Take from ``matrices``, as ``corrections`` has them, what ``exponents`` need."""
        self._whole = matrices
        finest, coarsest = exponents[0], exponents[-1]
        self._columns = slice(NEIGHBOURS * finest, NEIGHBOURS * (coarsest + 1))
        self._rows = slice(finest, finest + num_refined(exponents))
        self.matrices: list[Tensor] = []
        if matrices:
            first, second = matrices
            self.matrices = [
                torch.cat([first[:, self._columns], first[:, -1:]], 1),
                second[self._rows].contiguous(),
            ]

    def gradient(self, local: Sequence[Tensor]) -> list[Tensor]:
        """Gradient of ``matrices`` -> that of what they were taken from."""
        whole = [torch.zeros_like(matrix) for matrix in self._whole]
        if whole:
            whole[0][:, self._columns] = local[0][:, :-1]
            whole[0][:, -1] = local[0][:, -1]
            whole[1][self._rows] = local[1]
        return whole
