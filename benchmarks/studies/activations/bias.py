"""What the biases start from: zero, as COIN's code, as PyTorch leaves them, or as this codec.

A bias is drawn from U(-bound, bound) and then, like a weight, multiplied by omega_0 inside the
sine. Bounds of a hidden layer of n inputs, after that:

* zero: 0;
* COIN (its `siren.py` draws biases like weights): sqrt(6/n), which adds 2/n to the variance;
* PyTorch (what the reference code leaves them at): omega_0/sqrt(n), which adds 300/n at 30;
* here: sqrt(6/n)/2, which adds 1/(2n).

Those of the first layer: 0; omega_0/2 = 15; omega_0/sqrt(2) = 21.2; and here pi, a whole period.
"""

from collections.abc import Callable, Iterator
from functools import partial

import torch

from benchmarks.ablations import pure_alternatives
from benchmarks.measuring.measure import Point
from benchmarks.studies.activations.depth import phases_of, probe
from benchmarks.studies.activations.fitting import Schedule, around_mean, fit, rate_for
from benchmarks.studies.activations.pictures import Signal, picture_signal
from benchmarks.studies.activations.plan import Job, Plan
from sirencodec.bitstream.architecture import Architecture
from sirencodec.fitting.start import initial_layers
from sirencodec.inspection.distributions import ks_distance, normal_distribution
from sirencodec.synthesis.network import Layers
from sirencodec.theory import hidden_bound, pytorch_bias_bound, uniform_variance

PART = "bias"
OMEGA_0 = 30
Start = Callable[[Architecture, tuple[float, float], torch.Generator], Layers]


def no_bias(
    architecture: Architecture, axis_scale: tuple[float, float], generator: torch.Generator
) -> Layers:
    """Initial layers without any bias."""
    layers = pure_alternatives.zero_bias(architecture, axis_scale, generator)
    layers[0][:, -1] = 0
    return layers


STARTS: dict[str, Start] = {
    "zero": no_bias,
    "zero but the first": pure_alternatives.zero_bias,
    "COIN": pure_alternatives.coin_bias,
    "PyTorch": pure_alternatives.pytorch_bias,
    "here": initial_layers,
}


def added_variance(name: str, width: int) -> float:
    """Start and width -> what biases add to the variance of a hidden layer's phases."""
    bounds = {
        "COIN": hidden_bound(width),
        "PyTorch": OMEGA_0 * pytorch_bias_bound(width),
        "here": hidden_bound(width) / 2,
    }
    return uniform_variance(bounds.get(name, 0.0))


def jobs(plan: Plan) -> Iterator[Job]:
    """One a seed, width and start, on the first picture."""
    picture, pixels = next(iter(plan.pictures.items()))
    signal = picture_signal(pixels)
    for seed in plan.seeds:
        for width in plan.bias_widths:
            for name in STARTS:
                yield partial(_fit, plan, picture, signal, width, name, seed)


def _fit(plan: Plan, picture: str, signal: Signal, width: int, name: str, seed: int) -> list[Point]:
    architecture = Architecture(width, plan.hidden_layers, len(signal.targets), OMEGA_0)
    layers = STARTS[name](architecture, (1.0, 1.0), torch.Generator().manual_seed(seed))
    phases = [argument.double().numpy() for argument, _ in phases_of(layers, probe(signal))]
    variances = [float(argument.var()) for argument in phases]
    schedule = Schedule("SOAP", rate_for(width), plan.bias_steps, seed)
    fitted = fit(around_mean(layers, signal.targets), signal, schedule)
    return [
        {
            "part": PART,
            "case": f"{name}, {width} wide, {picture}, seed {seed}",
            "bias": name,
            "width": width,
            "picture": picture,
            "seed": seed,
            "steps": plan.bias_steps,
            "added_variance": added_variance(name, width),
            "variances": variances,
            "ks_normal": [
                ks_distance(argument, partial(normal_distribution, variance=max(variance, 1e-12)))
                for argument, variance in zip(phases, variances, strict=True)
            ],
            "psnr_db": fitted.psnr_db,
        }
    ]
