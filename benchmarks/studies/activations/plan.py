"""How much of the study to run: every size and seed of it, in full and in the quick form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.measuring.measure import Point
from benchmarks.measuring.pixels import Pixels

Job = Callable[[], list[Point]]
"""A piece of the study, between a fraction of a second and a minute long -> its points."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of the study.

    Attributes:
        pictures: square crops by name, all of one size.
        seeds: of sampling, initialisation and batches; a spread is over these.
        samples: drawn to compare a distribution with another.
        sum_widths: inputs of the weighted sums.
        sum_draws: sums with fixed weights, a seed and width.
        depth: sine layers.
        start_width: width of deep networks that are not fitted.
        fitted_width: of deep networks that are.
        depth_steps: updates of these.
        bias_widths: of networks that start with different biases.
        bias_steps: updates of these.
        width: of all other networks that are fitted.
        hidden_layers: sine layers of all these after the first.
        folding_steps: updates of each parametrisation.
        folding_factors: learning rates tried, as multiples of the reference's.
        omegas: factors of the first layer that are tried.
        hidden_omegas: the same of hidden layers.
        omega_sides: sides of the crops, in pixels.
        bandwidth_side: side of those that lose their high frequencies.
        omega_bandwidths: shares of Nyquist's frequency that are left of them.
        omega_bpps: bits a pixel of the files.
        omega_steps: updates behind each of these files.
        rival_steps: updates of each activation.
        rival_rates: learning rates tried for each.
        weight_bits: of rounded networks.
    """

    pictures: Mapping[str, Pixels]
    seeds: tuple[int, ...] = (0, 1, 2)
    samples: int = 1 << 16
    sum_widths: tuple[int, ...] = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
    sum_draws: int = 8
    depth: int = 16
    start_width: int = 256
    fitted_width: int = 48
    depth_steps: int = 400
    bias_widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    bias_steps: int = 120
    width: int = 48
    hidden_layers: int = 3
    folding_steps: int = 300
    folding_factors: tuple[float, ...] = tuple(30 ** (power / 4) for power in range(-3, 9))
    omegas: tuple[int, ...] = (4, 7, 11, 16, 22, 30, 45, 60)
    hidden_omegas: tuple[float, ...] = (1, 3, 10, 30, 100)
    omega_sides: tuple[int, ...] = (16, 32, 64, 128)
    bandwidth_side: int = 64
    omega_bandwidths: tuple[float, ...] = (0.125, 0.25, 0.5)
    omega_bpps: tuple[float, ...] = (0.4, 1.6)
    omega_steps: int = 400
    rival_steps: int = 400
    rival_rates: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1)
    weight_bits: tuple[int, ...] = (6, 7, 8)


TIME_PART: Final = "time"  # of points that say what each part took
CROP_SIDE: Final = 128
QUICK_CROP_SIDE: Final = 24


def quick_plan(pictures: Mapping[str, Pixels]) -> Plan:
    """Crops -> the same experiments, too small to show much: seconds in all."""
    return Plan(
        pictures,
        seeds=(0, 1),
        samples=1 << 12,
        sum_widths=(8, 64),
        sum_draws=2,
        depth=4,
        start_width=64,
        fitted_width=12,
        depth_steps=30,
        bias_widths=(16, 32),
        bias_steps=40,
        width=16,
        hidden_layers=2,
        folding_steps=40,
        folding_factors=(1 / 30, 1.0, 30.0),
        omegas=(8,),
        hidden_omegas=(3, 30),
        omega_sides=(8, 16),
        bandwidth_side=16,
        omega_bandwidths=(0.5,),
        omega_bpps=(4.0,),
        omega_steps=20,
        rival_steps=24,
        rival_rates=(0.01,),
        weight_bits=(6, 8),
    )
