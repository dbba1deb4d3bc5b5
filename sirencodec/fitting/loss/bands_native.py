"""Rows of an image -> bands, one a thread, and what each adds to features that two of them see.

A band's pixels see features up to 2 HALO rows beyond its last feature row, which belong to the next
band. What a band adds to the gradient there it keeps apart until all are done, so threads never
write to the same memory and sums do not depend on timing.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from sirencodec.synthesis.refinement import HALO


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Rows ``top`` to ``bottom`` of the image.

    Attributes:
        below: (grids, 2 HALO, columns) gradient with respect to the last of the features that the
            band sees, where the next one begins; None of the last band, which has no next one.
    """

    top: int
    bottom: int
    below: Tensor | None

    def clear(self, gradients: Tensor) -> None:
        """Zero all that the band adds to: its rows of the features' gradient, and those below."""
        if self.below is None:
            gradients[:, self.top :].zero_()
        else:
            gradients[:, self.top : self.bottom].zero_()
            self.below.zero_()

    def join(self, gradients: Tensor) -> None:
        """Add what the band has kept apart to the features' gradient."""
        if self.below is not None:
            gradients[:, self.bottom : self.bottom + 2 * HALO] += self.below


def cut_bands(gradients: Tensor, height: int, count: int) -> list[Band]:
    """Gradient of features and rows of the image -> up to ``count`` bands of about one height.

    Args:
        gradients: (grids, height + 2 HALO, columns).
        height: rows of the image.
        count: of bands, fewer if there are not as many rows.
    """
    grids, _, row = gradients.shape
    bounds = [height * part // count for part in range(count + 1)]
    return [
        Band(top, bottom, None if bottom == height else gradients.new_zeros(grids, 2 * HALO, row))
        for top, bottom in pairwise(bounds)
        if top < bottom
    ]
