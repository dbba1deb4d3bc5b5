"""Latents, predicted centres and scales -> bits of each latent, and the gradient of those.

A latent x is coded by a Laplace distribution with centre c and scale b = 2^s, s the log-scale. With
d = |x - c|, its probability is the mass from d - 1/2 to d + 1/2:

    e1 = exp(-|d - 1/2| / b)      e2 = exp(-(d + 1/2) / b)
    p  = (e1 - e2) / 2            where d >= 1/2
    p  = 1 - (e1 + e2) / 2        where d <  1/2
    bits = -log2(p + SMALLEST_PROBABILITY)

The derivatives of p have the same form on both sides of d = 1/2:

    dp / dd = -(e1 - e2) / (2 b)
    dp / ds = ln(2) / (2 b) * ((d - 1/2) e1 - (d + 1/2) e2)

and s has no gradient where it leaves ``SCALE_RANGE``.
"""

import math

import torch
from torch import Tensor

SCALE_RANGE = (-6.0, 43 / 6)  # log-scales that the coder's tables cover
SMALLEST_PROBABILITY = 2.0**-18  # so that a hopeless latent does not swamp the gradient


def laplace_bits(
    samples: Tensor,
    predicted: Tensor,
    present: Tensor | None = None,
    bit_error: Tensor | None = None,
    gradient: Tensor | None = None,
) -> Tensor:
    """Samples and what is predicted of them -> (n,) bits.

    Args:
        samples: (n,) latents.
        predicted: (2, n) centres and log-scales.
        present: (n,) 1 for samples that there are, 0 for others, which take no bits; None if all
            are there.
        bit_error: what a bit counts for in ``gradient``.
        gradient: (2, n), to be filled with the gradient of bit_error * bits with respect to
            ``predicted``; None if not wanted. With respect to the samples it is the opposite of
            that with respect to the centres.
    """
    centre, log_scale = predicted
    inverse_scale = torch.exp2(-log_scale.clamp(*SCALE_RANGE))
    offset = samples - centre
    near = offset.abs().sub_(0.5)
    far = near + 1
    e1 = near.abs().mul_(inverse_scale).neg_().exp_()
    e2 = far.mul(inverse_scale).neg_().exp_()
    probability = torch.copysign(e1, near).sub_(e2).mul_(0.5)
    probability.add_(near < 0).add_(SMALLEST_PROBABILITY)
    bits = probability.log2().neg_()
    if present is not None:
        bits *= present
    if gradient is not None and bit_error is not None:
        factor = inverse_scale.mul_(bit_error * (0.5 / math.log(2))).div_(probability)
        if present is not None:
            factor *= present
        torch.mul((e1 - e2).mul_(factor), offset.sign(), out=gradient[0]).neg_()
        of_scale = torch.addcmul(e2.mul_(far), e1, near, value=-1).mul_(factor)
        inside = (log_scale > SCALE_RANGE[0]) & (log_scale < SCALE_RANGE[1])
        torch.mul(of_scale, inside, out=gradient[1]).mul_(math.log(2))
    return bits
