"""Fitted network -> what is left of it at a few bits a weight.

One step a matrix, its range over 2^bits - 1, which is what a plain quantiser does; the codec's own
allocates steps by sensitivity (`sirencodec.bit_allocation`) and loses less.
"""

from collections.abc import Sequence

import torch

from benchmarks.activations.fitting import Gradient, Schedule, Values, fit, psnr_db
from benchmarks.activations.networks import gradient_of
from benchmarks.activations.pictures import Signal
from benchmarks.measure import Point
from sirencodec.entropy.matrices import matrices_bits
from sirencodec.quantize import STEP_SIZES, nearest_step_index, quantize
from sirencodec.siren import Layers


def round_and_refit(
    layers: Layers, signal: Signal, schedule: Schedule, values: Values, bits: int
) -> Point:
    """Network -> PSNR as it was, rounded at once, and fitted on through the rounding.

    Returns:
        Also the coded bits a weight of the last, under the codec's entropy model.
    """
    indices = [nearest_step_index(2 * float(layer.abs().max()) / (2**bits - 1)) for layer in layers]
    steps = [float(STEP_SIZES[index]) for index in indices]

    def rounded_values(layers: Sequence[torch.Tensor], points: torch.Tensor) -> torch.Tensor:
        return values(_round(layers, steps), points)

    refitted = fit(
        layers,
        signal,
        schedule,
        values=rounded_values,
        gradient=_through_rounding(gradient_of(values), steps),
    )
    matrices = [layer.double().numpy() for layer in refitted.layers]
    coded_bits = matrices_bits(quantize(matrices, indices))
    return {
        "psnr_db": psnr_db(values(layers, signal.points), signal.targets),
        "rounded_psnr_db": refitted.curve[0][1],
        "refitted_psnr_db": refitted.psnr_db,
        "coded_bits_per_weight": coded_bits / sum(layer.numel() for layer in layers),
    }


def _round(layers: Sequence[torch.Tensor], steps: list[float]) -> Layers:
    return [torch.round(layer / step) * step for layer, step in zip(layers, steps, strict=True)]


def _through_rounding(gradient: Gradient, steps: list[float]) -> Gradient:
    """Gradient -> that at the rounded layers, to be applied to the unrounded ones."""
    return lambda layers, points, targets: gradient(_round(layers, steps), points, targets)
