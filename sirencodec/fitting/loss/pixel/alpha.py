"""How colour and alpha of an image with transparency count in a fit.

What is seen of a pixel of colour c and alpha a, over any background b, is a c + (1 - a) b. So an
error of colour counts by the alpha of the original, and where that is 0 colour is free: it becomes
what costs least, mostly that of the surroundings, and enlarging has no fringe.
"""

from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from sirencodec.image.samples import has_alpha_channel

# Opaque and transparent pixels aim this far beyond 1 and 0, for free, since a decode clamps: errors
# of up to twenty levels then leave them exactly opaque and transparent. Half of it leaves more that
# are not, half as much again too [benchmarks/LOG.md, 36].
ALPHA_MARGIN: Final = 0.08
BACKGROUND: Final = 0.5  # gray, that measures see a picture over


def has_alpha(image: Tensor) -> bool:
    """(channels, height, width) image -> whether its last channel is alpha."""
    return has_alpha_channel(len(image))


def weights_of(image: Tensor) -> Tensor:
    """(channels, height, width) image with alpha -> what an error of each value counts for."""
    weights = image[-1:].repeat(len(image), 1, 1)
    weights[-1] = 1
    return weights


def composite(colours: Tensor, image: Tensor, background: float = BACKGROUND) -> Tensor:
    """Colours of a picture of ``image``, (colours, height, width) -> the same over a gray.

    By the original's alpha, as far as there is one.
    """
    return torch.lerp(colours.new_tensor(background), colours, image[-1:])


def alpha_targets(alpha: Tensor, original: Tensor) -> Tensor:
    """(height, width) alpha of a picture, and the original's -> what it should come near.

    The original's between 0 and 1; at 1, any value beyond 1 + ALPHA_MARGIN is as good; at 0, any
    below -ALPHA_MARGIN.
    """
    opaque, transparent = original >= 1, original <= 0
    targets = torch.where(opaque, alpha.clamp(min=1 + ALPHA_MARGIN), original)
    return torch.where(transparent, alpha.clamp(max=-ALPHA_MARGIN), targets)


def premultiplied(values: Tensor) -> Tensor:
    """(channels, height, width) values -> colours times alpha, and alpha; without alpha as is."""
    if not has_alpha(values):
        return values
    alpha = values[-1:].clamp(0, 1)
    return torch.cat([values[:-1] * alpha, alpha])


def mean_colour(image: Tensor) -> Tensor:
    """(channels, height, width) image -> (channels,) means, colours counted by their alpha."""
    if not has_alpha(image):
        return image.mean((1, 2))
    weights = weights_of(image)
    sums = weights.sum((1, 2))
    return torch.where(
        sums > 0, (weights * image).sum((1, 2)) / sums.clamp(min=1e-6), image.mean((1, 2))
    )


def halved(image: Tensor) -> Tensor:
    """Image -> means of its 2 x 2 blocks, colours counted by their alpha.

    The last row and column are doubled if they are odd. Where a block is transparent throughout,
    its colour is the plain mean.
    """
    _, height, width = image.shape
    even = pad(image[None], (0, width % 2, 0, height % 2), mode="replicate")
    plain = avg_pool2d(even, 2)[0]
    if not has_alpha(image):
        return plain
    alpha = plain[-1:]
    colours = avg_pool2d(even[:, :-1] * even[:, -1:], 2)[0] / alpha.clamp(min=1e-6)
    return torch.cat([torch.where(alpha > 0, colours, plain[:-1]), alpha])
