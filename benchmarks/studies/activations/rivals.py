"""Sine against ReLU, ReLU with positional encoding and tanh: same parameters, same time.

Every kind gets the learning rate that is best for it on the signal in question, of those tried with
the first seed. Then fits at equal parameters and updates; fits at equal time, the updates of each
kind being as many as it can do while the sine network does its own; the networks at equal
parameters rounded to some bits a weight, at once and with further fitting through the rounding; and
how well derivatives of the network follow those of the picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from benchmarks.measuring.measure import Point
from benchmarks.studies.activations.derivatives import Sheet, correlations, make_sheet
from benchmarks.studies.activations.fitting import Fitted, Schedule, around_mean, fit
from benchmarks.studies.activations.networks import (
    KINDS,
    Network,
    gradient_of,
    num_parameters,
    octaves,
    start,
    width_for,
)
from benchmarks.studies.activations.pictures import (
    OWN_PICTURE,
    Signal,
    own_crop,
    periodic_signal,
    picture_signal,
)
from benchmarks.studies.activations.plan import Job, Plan
from benchmarks.studies.activations.rounding import round_and_refit
from sirencodec.synthesis.network import Layers

PART = "rivals"
RATE_PART = "rival-rates"
WEIGHT_PART = "rival-bits"
DERIVATIVE_PART = "rival-derivatives"
PERIODIC = "periodic"
SHOWN = OWN_PICTURE.stem
PERIODIC_SAMPLES = 96
OPTIMIZERS = ("SOAP", "Adam")
REFIT_SHARE = 0.2  # of the updates, once more, through the rounding
REFIT_RATE = 0.1  # of the learning rate


@dataclass(slots=True, eq=False)
class _Contest:
    """What later jobs need of earlier ones.

    Attributes:
        rates: best learning rate by optimiser, signal and kind.
        step_ms: processor time of an update by signal and kind, SOAP, equal parameters.
    """

    plan: Plan
    signals: dict[str, Signal]
    rates: dict[tuple[str, str, str], float] = field(default_factory=dict)
    step_ms: dict[tuple[str, str], float] = field(default_factory=dict)


def jobs(plan: Plan, sheets: list[Sheet]) -> Iterator[Job]:
    """Rates, fits, rounding, derivatives; the last also adds a sheet to ``sheets``."""
    signals = {name: picture_signal(pixels) for name, pixels in plan.pictures.items()}
    contest = _Contest(plan, signals | {PERIODIC: periodic_signal(PERIODIC_SAMPLES)})
    for optimizer in OPTIMIZERS:
        for name in contest.signals:
            for kind in KINDS:
                yield partial(_choose_rate, contest, optimizer, name, kind)
                yield partial(_equal_parameters, contest, optimizer, name, kind)
    for name in contest.signals:
        for kind in KINDS:
            yield partial(_equal_time, contest, name, kind)
    yield partial(_compare_derivatives, contest, sheets)


def _network(contest: _Contest, name: str, kind: str) -> tuple[Network, int, int]:
    """Signal and kind -> the network, its width and its number of parameters."""
    plan, signal = contest.plan, contest.signals[name]
    coordinates, channels = len(signal.points) - 1, len(signal.targets)
    limit = num_parameters(coordinates, plan.width, plan.hidden_layers, channels)
    count = octaves(max(signal.shape))
    inputs = coordinates * (1 + 2 * count) if KINDS[kind].is_encoded else coordinates
    width = width_for(limit, inputs, plan.hidden_layers, channels)
    parameters = num_parameters(inputs, width, plan.hidden_layers, channels)
    return Network(KINDS[kind], count), width, parameters


def _fit(
    contest: _Contest, optimizer: str, name: str, kind: str, rate: float, steps: int, seed: int
) -> Fitted:
    plan, signal = contest.plan, contest.signals[name]
    network, width, _ = _network(contest, name, kind)
    inputs = len(signal.points) - 1
    if KINDS[kind].is_encoded:
        inputs *= 1 + 2 * octaves(max(signal.shape))
    layers = start(kind, inputs, width, plan.hidden_layers, len(signal.targets), seed)
    layers = around_mean(layers, signal.targets)
    schedule = Schedule(optimizer, rate, steps, seed)
    gradient = gradient_of(network.values)
    return fit(layers, signal, schedule, values=network.values, gradient=gradient)


def _choose_rate(contest: _Contest, optimizer: str, name: str, kind: str) -> list[Point]:
    plan = contest.plan
    seed = plan.seeds[0]
    qualities = {
        rate: _fit(contest, optimizer, name, kind, rate, plan.rival_steps // 2, seed).psnr_db
        for rate in plan.rival_rates
    }
    contest.rates[optimizer, name, kind] = max(qualities, key=lambda rate: qualities[rate])
    facts = {"part": RATE_PART, "optimizer": optimizer, "signal": name, "kind": kind}
    return [
        facts
        | {"case": f"{optimizer}, {kind}, {name}, rate {rate:g}"}
        | {"learning_rate": rate, "steps": plan.rival_steps // 2, "seed": seed, "psnr_db": quality}
        for rate, quality in qualities.items()
    ]


def _equal_parameters(contest: _Contest, optimizer: str, name: str, kind: str) -> list[Point]:
    plan = contest.plan
    rate = contest.rates[optimizer, name, kind]
    points = []
    times = []
    for seed in plan.seeds:
        fitted = _fit(contest, optimizer, name, kind, rate, plan.rival_steps, seed)
        times.append(fitted.step_ms)
        points.append(_point(contest, "parameters", optimizer, name, kind, seed, fitted))
        if optimizer == OPTIMIZERS[0]:
            points += _rounded(contest, name, kind, seed, fitted.layers)
    if optimizer == OPTIMIZERS[0]:
        contest.step_ms[name, kind] = min(times)  # what else the machine does only adds
    return points


def _equal_time(contest: _Contest, name: str, kind: str) -> list[Point]:
    plan = contest.plan
    ratio = contest.step_ms[name, "sine"] / contest.step_ms[name, kind]
    steps = round(plan.rival_steps * ratio)
    rate = contest.rates[OPTIMIZERS[0], name, kind]
    points = []
    for seed in plan.seeds:
        fitted = _fit(contest, OPTIMIZERS[0], name, kind, rate, steps, seed)
        points.append(_point(contest, "time", OPTIMIZERS[0], name, kind, seed, fitted))
    return points


def _point(
    contest: _Contest,
    equal: str,
    optimizer: str,
    name: str,
    kind: str,
    seed: int,
    fitted: Fitted,
) -> Point:
    _, width, parameters = _network(contest, name, kind)
    return {
        "part": PART,
        "case": f"equal {equal}, {optimizer}, {kind}, {name}, seed {seed}",
        "equal": equal,
        "optimizer": optimizer,
        "signal": name,
        "kind": kind,
        "seed": seed,
        "width": width,
        "parameters": parameters,
        "learning_rate": contest.rates[optimizer, name, kind],
        "steps": fitted.curve[-1][0],
        "step_ms": round(fitted.step_ms, 3),
        "psnr_db": fitted.psnr_db,
        "curve": fitted.curve,
    }


def _rounded(contest: _Contest, name: str, kind: str, seed: int, layers: Layers) -> list[Point]:
    """Fitted network -> a point for each number of bits a weight."""
    plan = contest.plan
    network, _, parameters = _network(contest, name, kind)
    rate = REFIT_RATE * contest.rates[OPTIMIZERS[0], name, kind]
    steps = max(1, round(REFIT_SHARE * plan.rival_steps))
    schedule = Schedule(OPTIMIZERS[0], rate, steps, seed)
    return [
        {"part": WEIGHT_PART, "case": f"{bits} bits, {kind}, {name}, seed {seed}"}
        | {"bits": bits, "signal": name, "kind": kind, "seed": seed}
        | round_and_refit(layers, contest.signals[name], schedule, network, bits)
        | {"parameters": parameters}
        for bits in plan.weight_bits
    ]


def _compare_derivatives(contest: _Contest, sheets: list[Sheet]) -> list[Point]:
    """Networks fitted to the project's own picture -> how their derivatives follow its differences.

    That one because the sheet shows it, and other people's photographs stay where they are.
    """
    plan, first = contest.plan, next(iter(contest.signals))
    contest.signals[SHOWN] = picture_signal(own_crop(next(iter(plan.pictures.values())).shape[0]))
    networks = {}
    for kind in KINDS:
        rate = contest.rates[OPTIMIZERS[0], first, kind]
        fitted = _fit(contest, OPTIMIZERS[0], SHOWN, kind, rate, plan.rival_steps, plan.seeds[0])
        networks[kind] = (_network(contest, SHOWN, kind)[0].values, fitted.layers)
    sheet = make_sheet(contest.signals[SHOWN], networks)
    sheets.append(sheet)
    return [
        {"part": DERIVATIVE_PART, "case": f"{kind}, {SHOWN}", "signal": SHOWN, "kind": kind}
        | correlations(sheet, kind)
        for kind in KINDS
    ]
