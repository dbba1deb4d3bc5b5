"""Omega_0 of the first layer: which is best for which size, bandwidth and rate of a picture?

Fits of the codec itself, rounded to a budget as a file would be, so that what is compared is
quality at equal bits and equal updates. Crops of several sizes have the same bandwidth in cycles a
pixel; and one size is measured with its high frequencies taken away.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from benchmarks.measuring.measure import Point
from benchmarks.measuring.pixels import Pixels
from benchmarks.studies.activations.pictures import centre, low_pass
from benchmarks.studies.activations.plan import Job, Plan
from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.quantize import QuantizedWeights, dequantize
from sirencodec.errors import FitError
from sirencodec.fitting.pure.fit import PureFit
from sirencodec.fitting.pure.plan import PurePlan, plan_architecture
from sirencodec.fitting.pure.settings import NetworkSettings
from sirencodec.image.quality import psnr_db
from sirencodec.synthesis.coordinates import image_coordinates
from sirencodec.synthesis.network import augment, evaluate
from sirencodec.theory import Floats

PART = "omega"
BATCH_PIXELS = 4096
NETWORK = NetworkSettings()
OLD_OMEGA_0 = 30  # the authors', and the codec's until this study


def rule(num_parameters: Floats) -> Floats:
    """Weights of networks -> omega_0 as the encoder chooses it, but for the pictures' size."""
    photo, size = NETWORK.photo_omega_0, num_parameters / NETWORK.photo_parameters
    return np.minimum(photo * size**NETWORK.omega_0_power, photo)


def jobs(plan: Plan) -> Iterator[Job]:
    """One a seed, picture, size or bandwidth, rate and omega_0."""
    for seed in plan.seeds[:2]:
        for name, pixels in plan.pictures.items():
            for facts, target in _targets(plan, name, pixels):
                for bpp in plan.omega_bpps:
                    planned = _architecture(target, bpp)
                    for omega in sorted({*plan.omegas, planned.omega_0, OLD_OMEGA_0}):
                        yield partial(_fit, plan, facts, target, bpp, omega, seed)


def _architecture(target: Pixels, bpp: float) -> Architecture:
    """Picture and rate -> the network that the codec plans."""
    height, width, channels = target.shape
    return plan_architecture(bpp * height * width, channels, max(height, width), NETWORK)


def _targets(plan: Plan, name: str, pixels: Pixels) -> Iterator[tuple[Point, Pixels]]:
    for side in plan.omega_sides:
        yield {"picture": name, "side": side, "bandwidth": 1.0}, centre(pixels, side)
    for bandwidth in plan.omega_bandwidths:
        target = low_pass(centre(pixels, plan.bandwidth_side), bandwidth)
        yield {"picture": name, "side": plan.bandwidth_side, "bandwidth": bandwidth}, target


def _fit(
    plan: Plan, facts: Point, target: Pixels, bpp: float, omega_0: int, seed: int
) -> list[Point]:
    height, width, _ = target.shape
    budget_bits = bpp * height * width
    planned = _architecture(target, bpp)
    architecture = replace(planned, omega_0=omega_0)
    batch_pixels = min(height * width, BATCH_PIXELS)
    work = PurePlan(plan.omega_steps, batch_pixels, budget_bits, seed)
    try:
        quantized = PureFit(target, architecture, work, torch.device("cpu")).whole()
        quality = psnr_db(target, decoded(quantized, target.shape))
    except FitError:  # far too large an omega_0: as good as a flat picture
        flat = np.broadcast_to(target.mean((0, 1)).round().astype(np.uint8), target.shape)
        quality = psnr_db(target, flat)
    case = ", ".join(f"{key} {value}" for key, value in facts.items())
    return [
        {"part": PART, "case": f"{case}, {bpp} bpp, omega_0 {omega_0}, seed {seed}"}
        | facts
        | {
            "bpp": bpp,
            "omega_0": omega_0,
            "seed": seed,
            "steps": plan.omega_steps,
            "hidden_features": architecture.hidden_features,
            "hidden_layers": architecture.hidden_layers,
            "parameters": architecture.num_parameters,
            "planned": planned.omega_0,
            "psnr_db": quality,
        }
    ]


def decoded(quantized: QuantizedWeights, shape: tuple[int, ...]) -> Pixels:
    """Network as stored -> the picture it stands for, 8 bits."""
    height, width, channels = shape
    layers = [torch.from_numpy(matrix).float() for matrix in dequantize(quantized)]
    points = augment(torch.from_numpy(image_coordinates(width, height)).float())
    levels = (evaluate(layers, points).clamp(0, 1) * 255).round().to(torch.uint8)
    picture: Pixels = levels.numpy().reshape(channels, height, width).transpose(1, 2, 0)
    return picture
