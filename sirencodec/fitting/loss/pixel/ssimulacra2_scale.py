"""Norms of SSIMULACRA2's maps -> its score, and how it scales images.

The numbers are those of version 2.1 (github.com/cloudinary/ssimulacra2), as the Python package
``ssimulacra2`` 0.3 has them: weights fitted to opinions of people on compressed images.
"""

from typing import Final

import torch
from torch import Tensor

NUM_SCALES: Final = 6
SMALLEST_SIDE: Final = 8  # of a scale, in pixels
C2: Final = 0.0009  # against division by zero, in the map of structure

# Channels X, Y, B - Y; then scales, finest first; then the 1-norm and the 4-norm; then maps: of
# structure, of artefacts and of lost detail. That many weights are zero is as published.
_WEIGHTS: Final = """
0 .0007376606707406586 0  0 .0007793481682867309 0
0 .0004371155730107379 0  1.1041726426657346 .00066284834129271 .00015231632783718752
0 .0016406437456599754 0  1.8422455520539298 11.441172603757666 0
.0007989109436015163 .000176816438078653 0  1.8787594979546387 10.94906990605142 0
.0007289346991508072 .9677937080626833 0  .00014003424285435884 .9981766977854967 .00031949755934435053
.0004550992113792063 0 0  .0013648766163243398 0 0
0 0 0  7.466890328078848 0 17.445833984131262
.0006235601634041466 0 0  6.683678146179332 .00037724407979611296 1.027889937768264
225.20515300849274 0 0  19.213238186143016 .0011401524586618361 .001237755635509985
176.39317598450694 0 0  24.43300999870476 .28520802612117757 .0004485436923833408
0 0 0  34.77906344483772 44.835625328877896 0
0 0 0  0 0 0
0 .0008680556573291698 0  0 0 0
0 .0005313191874358747 0  .00016533814161379112 0 0
0 0 0  .0004179171803251336 .0017290828234722833 0
.0020827005846636437 0 0  8.826982764996862 23.19243343998926 0
95.1080498811086 .9863978034400682 .9834382792465353  .0012286405048278493 171.2667255897307 .9807858872435379
0 0 0  .0005130064588990679 0 .00010854057858411537
"""  # noqa: E501
WEIGHTS: Final = torch.tensor([float(word) for word in _WEIGHTS.split()], dtype=torch.float64)

# Smaller ones are left out: together they are worth 0.002 points, and five planes, two of them at
# full size, have no others.
_LEAST_WEIGHT: Final = 0.003

# Weighted sum -> score: a cubic polynomial, then a power.
_SCALE: Final = 0.9562382616834844
_CUBIC: Final = 2.326765642916932, -0.020884521182843837, 6.248496625763138e-05
_POWER: Final = 0.6276336467831387


def scale_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Size of an image -> height and width of every scale that it has; none if it is too small."""
    sizes = list[tuple[int, int]]()
    while len(sizes) < NUM_SCALES and min(height, width) >= SMALLEST_SIDE:
        sizes.append((height, width))
        height, width = (height + 1) // 2, (width + 1) // 2
    return sizes


def weights_of(num_scales: int) -> Tensor:
    """Number of scales -> (3, scales, 2, 3) weights of norms.

    With fewer scales than six the published program takes the same list from its beginning on, so
    that weights move to other channels. We follow: the score is what that program says it is.
    """
    weights = WEIGHTS[: 3 * num_scales * 6].reshape(3, num_scales, 2, 3)
    return torch.where(weights < _LEAST_WEIGHT, 0, weights)


def score_of(weighted: Tensor) -> Tensor:
    """Sum of weighted norms -> score: 100 is no difference; 90 to 30 are good to poor."""
    scaled = weighted * _SCALE
    cubic = sum(factor * scaled**power for power, factor in enumerate(_CUBIC, 1))
    # The polynomial rises throughout. At zero the power's derivative is infinite: it is left out.
    is_above = scaled > 0
    return 100 - 10 * torch.where(is_above, torch.where(is_above, cubic, 1) ** _POWER, 0)
