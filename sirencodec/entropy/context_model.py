"""What a context model sees and the units it computes in: constants of FORMAT.md, section 8."""

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]  # of whole numbers, exact below 2^53

# Order in which the samples at even and odd (rows, columns) of a grid are coded. The second lies
# between four of the first, and the others between four of those.
PHASES: Final = ((0, 0), (1, 1), (0, 1), (1, 0))
COARSER_SOURCES: Final = 2  # grids that a prediction sees besides the phases already coded
NEIGHBOURS: Final = 9  # samples of a source that it sees: 3 x 3

WEIGHT_BITS: Final = 16  # fractional bits of a weight
INPUT_BITS: Final = 3  # latents enter as eighths
HIDDEN_BITS: Final = 12  # fractional bits of an activation
LARGEST_HIDDEN: Final = 1 << 20  # 256
