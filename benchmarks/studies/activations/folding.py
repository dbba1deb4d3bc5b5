"""sin(omega_0 (W x + b)) against sin((omega_0 W) x + b): what differs?

Written the second way, a layer can compute the same functions. Two things may differ: where it
starts, if the same random b is taken in both, for then omega_0 does not amplify it; and how far an
update moves it. So networks that are the *same function* at the start are fitted with omega_0 left
inside the sine, folded into the weights, into the biases, or into both; at the same learning rate,
and at one rescaled for what was folded. Beside them stands the literal reading, which starts from
other biases.

What is folded has its gradient divided by omega_0. Under gradient descent the same rate moves the
phases omega_0^2 times less, and under Adam or SOAP, whose steps do not depend on the gradient's
size, omega_0 times less.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch

from benchmarks.ablations.pure_alternatives import pytorch_bias
from benchmarks.measuring.measure import Point
from benchmarks.studies.activations.fitting import Parametrisation, Schedule, around_mean, fit
from benchmarks.studies.activations.pictures import Signal, picture_signal
from benchmarks.studies.activations.plan import Job, Plan
from sirencodec.bitstream.architecture import Architecture
from sirencodec.synthesis.network import Layers

PART = "folding"
RATE_PART = "folding-rates"
HIDDEN_PART = "hidden-omega"
OMEGA_0 = 30
# Form -> factors that stay in front of the weights, and of the biases.
FORMS = {
    "inside": (30.0, 30.0),
    "weights folded": (1.0, 30.0),
    "biases folded": (30.0, 1.0),
    "both folded": (1.0, 1.0),
}
# Learning rates with omega_0 inside. Adam's is that of the authors' code; the others do about
# as well as any, on the project's own picture.
REFERENCE_RATES = {"gradient descent": 0.1, "Adam": 1e-4, "SOAP": 1e-3}
# How much shorter an update gets when a factor omega_0 is folded, as a power of it.
RATE_POWER = {"gradient descent": 2, "Adam": 1, "SOAP": 1}


@dataclass(frozen=True, slots=True)
class Case:
    """One way to write and fit the same layers.

    Attributes:
        optimizer: a key of ``REFERENCE_RATES``.
        form: a key of ``FORMS``.
        rescaled: whether rates make up for what was folded.
        plain_biases: whether the random biases are taken as they are, not omega_0 times them.
    """

    optimizer: str
    form: str
    rescaled: bool = False
    plain_biases: bool = False

    @property
    def name(self) -> str:
        """As in results."""
        notes = [self.optimizer, self.form]
        notes += ["rescaled"] if self.rescaled else []
        return ", ".join(notes + (["plain biases"] if self.plain_biases else []))

    def relative_rates(self) -> tuple[float, float]:
        """Learning rates of weights and biases, relative to the reference's."""
        if not self.rescaled:
            return (1.0, 1.0)
        power = RATE_POWER[self.optimizer]
        weights, biases = FORMS[self.form]
        return ((OMEGA_0 / weights) ** power, (OMEGA_0 / biases) ** power)


def cases() -> list[Case]:
    """Every form as it is and rescaled; then the literal reading, as it is and rescaled."""
    found = []
    for optimizer in REFERENCE_RATES:
        found.append(Case(optimizer, "inside"))
        for form in list(FORMS)[1:]:
            found += [Case(optimizer, form), Case(optimizer, form, rescaled=True)]
        found.append(Case(optimizer, "both folded", plain_biases=True))
        found.append(Case(optimizer, "both folded", rescaled=True, plain_biases=True))
    return found


def jobs(plan: Plan) -> Iterator[Job]:
    """One a seed and case, on the first picture."""
    for seed in plan.seeds:
        for case in cases():
            yield partial(_fit_case, plan, case, seed)


def rate_jobs(plan: Plan) -> Iterator[Job]:
    """Adam at many learning rates: one a form and rate, of the first seed."""
    for form in FORMS:
        for factor in plan.folding_factors:
            yield partial(_fit_case, plan, Case("Adam", form), plan.seeds[0], factor)


def hidden_jobs(plan: Plan) -> Iterator[Job]:
    """Omega_0 of the hidden layers, the start being the same: one a seed, omega_0 and rate."""
    for seed in plan.seeds:
        for omega in plan.hidden_omegas:
            for rescaled in (False, True):
                yield partial(_fit_hidden, plan, omega, rescaled, seed)


def _first_picture(plan: Plan) -> tuple[str, Signal]:
    name, pixels = next(iter(plan.pictures.items()))
    return name, picture_signal(pixels)


def reference_start(plan: Plan, signal: Signal, seed: int) -> Layers:
    """The authors' network: PyTorch's biases, and omega_0 = 30 in every sine layer."""
    architecture = Architecture(plan.width, plan.hidden_layers, len(signal.targets), OMEGA_0)
    layers = pytorch_bias(architecture, (1.0, 1.0), torch.Generator().manual_seed(seed))
    return around_mean(layers, signal.targets)


def with_plain_biases(layers: Layers) -> Layers:
    """Start -> the same weights and the same random biases, these not multiplied by omega_0."""
    plain = [torch.cat([layer[:, :-1], layer[:, -1:] / OMEGA_0], 1) for layer in layers[:-1]]
    return [*plain, layers[-1]]


def _fit_case(plan: Plan, case: Case, seed: int, factor: float | None = None) -> list[Point]:
    """One fit; at ``factor`` times the reference's rate, if that is what is asked about."""
    name, signal = _first_picture(plan)
    start = reference_start(plan, signal, seed)
    if case.plain_biases:
        start = with_plain_biases(start)
    # The linear layer on top has no omega_0.
    scales = [FORMS[case.form]] * (plan.hidden_layers + 1) + [(1.0, 1.0)]
    relative = [case.relative_rates()] * (plan.hidden_layers + 1) + [(1.0, 1.0)]
    rate = REFERENCE_RATES[case.optimizer] * (factor or 1.0)
    schedule = Schedule(case.optimizer, rate, plan.folding_steps, seed)
    fitted = fit(start, signal, schedule, Parametrisation(scales, relative))
    asked = "" if factor is None else f", rate x {factor:.3g}"
    return [
        {
            "part": PART if factor is None else RATE_PART,
            "case": f"{case.name}{asked}, seed {seed}",
            "optimizer": case.optimizer,
            "form": case.form,
            "rescaled": case.rescaled,
            "plain_biases": case.plain_biases,
            "picture": name,
            "seed": seed,
            "learning_rate": rate,
            "steps": plan.folding_steps,
            "psnr_db": fitted.psnr_db,
            "curve": fitted.curve,
        }
    ]


def _fit_hidden(plan: Plan, omega: float, rescaled: bool, seed: int) -> list[Point]:
    name, signal = _first_picture(plan)
    start = reference_start(plan, signal, seed)
    scales = [FORMS["inside"], *[(omega, omega)] * plan.hidden_layers, (1.0, 1.0)]
    relative = OMEGA_0 / omega if rescaled else 1.0
    rates = [(1.0, 1.0), *[(relative, relative)] * plan.hidden_layers, (1.0, 1.0)]
    schedule = Schedule("Adam", REFERENCE_RATES["Adam"], plan.folding_steps, seed)
    fitted = fit(start, signal, schedule, Parametrisation(scales, rates))
    return [
        {
            "part": HIDDEN_PART,
            "case": f"omega_0 {omega:g}{', rescaled' if rescaled else ''}, seed {seed}",
            "omega_0": omega,
            "rescaled": rescaled,
            "picture": name,
            "seed": seed,
            "steps": plan.folding_steps,
            "psnr_db": fitted.psnr_db,
        }
    ]
