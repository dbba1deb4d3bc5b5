"""Fitted network -> what is left of it at a few bits a weight, steps chosen as the codec does.

Every kind of network gets steps by its own sensitivities and within the same budget
(`fitting.pure.bit_allocation`), so a layer that needs fine steps gets them from one that does not.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from benchmarks.measuring.measure import Point
from benchmarks.studies.activations.fitting import Gradient, Schedule, fit, psnr_db
from benchmarks.studies.activations.networks import Network, gradient_of
from benchmarks.studies.activations.pictures import Signal
from sirencodec.bitstream.quantize import STEP_SIZES, quantize
from sirencodec.entropy.matrices import matrices_bits
from sirencodec.fitting.pure.bit_allocation import allocate_steps
from sirencodec.synthesis.network import Layers

PROBE_POINTS = 4096


def round_and_refit(
    layers: Layers, signal: Signal, schedule: Schedule, network: Network, bits: int
) -> Point:
    """Network -> PSNR as it was, rounded at once, and fitted on through the rounding.

    Args:
        layers: of the fitted network.
        signal: what it was fitted to.
        schedule: of fitting on.
        network: its kind.
        bits: coded, a weight, in the mean; the budget before fitting on.

    Returns:
        Also the coded bits a weight after that, under the codec's entropy model.
    """
    values = network.values
    budget_bits = bits * sum(layer.numel() for layer in layers)
    matrices = [layer.double().numpy() for layer in layers]
    indices = allocate_steps(matrices, sensitivities(network, layers, signal.points), budget_bits)
    steps = [float(STEP_SIZES[index]) for index in indices]

    def rounded_values(layers: Sequence[Tensor], points: Tensor) -> Tensor:
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


def sensitivities(network: Network, layers: Layers, points: Tensor) -> list[float]:
    """Network and points -> mean squared derivative of an output, by layer.

    As ``sensitivities`` of the pure fit, for any activation: one random sign a point and output.
    """
    points = points[:, :: max(1, points.shape[1] // PROBE_POINTS)]
    leaves = [layer.detach().requires_grad_() for layer in layers]
    inputs, phases = network.trace(leaves, points)
    generator = torch.Generator().manual_seed(0)
    signs = torch.randint(0, 2, phases[-1].shape, generator=generator) * 2 - 1
    deltas = torch.autograd.grad((signs * phases[-1]).sum(), phases)
    return [
        float((delta.square() @ rows.detach().square().t()).mean()) / points.shape[1]
        for delta, rows in zip(deltas, inputs, strict=True)
    ]


def _round(layers: Sequence[Tensor], steps: list[float]) -> Layers:
    return [torch.round(layer / step) * step for layer, step in zip(layers, steps, strict=True)]


def _through_rounding(gradient: Gradient, steps: list[float]) -> Gradient:
    """Gradient -> that at the rounded layers, to be applied to the unrounded ones."""
    return lambda layers, points, targets: gradient(_round(layers, steps), points, targets)
