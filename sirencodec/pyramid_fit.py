"""Image samples -> quantised pyramid and network: rate-distortion fitting.

The image is fitted from coarse to fine: first reduced by 4, then by 2, then as it is. A stage fits
all grids it can show and hands them on, so most of the way is made where a step costs a fraction of
a full one; from zero at full size the fine grids would take on what belongs in the coarse ones
(benchmarks/LOG.md, entry 8).

Rounding comes in by degrees. While latents are soft their values are pulled towards whole numbers
by a smooth step function with Gaussian noise in it, which narrows as the fit goes on; at the end
they are rounded and only the network follows. The network's own rounding starts before that:
each matrix gets the step that costs least, and fitting goes on through it.

Loss: mean squared error, values being 0 to 1, plus ``trade_off`` times bits a pixel.
"""

import math

import torch

from sirencodec.architecture import Architecture
from sirencodec.entropy.payload import QuantizedPicture, encode_payload
from sirencodec.progress import OnStep
from sirencodec.pyramid_state import PyramidPlan, PyramidState
from sirencodec.query import Samples
from sirencodec.target_search import DB_TO_TRADE_OFF, TargetSearch
from sirencodec.workers import worker_threads

ROUND_NETWORK_AT = 0.85  # of the last stage

# A result this close to its target, on the right side of it, needs no correction.
BUDGET_SLACK = 0.05
PSNR_SLACK_DB = 0.25
# Exponent, for bits follow the trade-off little by now, and at a large one hardly at all: every
# further correction to the same side is stronger by as much.
EXCESS_TO_TRADE_OFF = 6.0
# Likewise for a decibel that is missing.
MISSING_DB_TO_TRADE_OFF = 9 * DB_TO_TRADE_OFF
CORRECTIONS = 5
LARGEST_CHANGE = math.log(5)  # of a trade-off, by one correction

ONE_THREAD_PIXELS = 1 << 15


def fit_pyramid(
    samples: Samples,
    architecture: Architecture,
    plan: PyramidPlan,
    device: torch.device,
    on_step: OnStep | None = None,
) -> QuantizedPicture:
    """Image samples -> quantised pyramid and network.

    Args:
        samples: (height, width, channels) uint8 or uint16.
        architecture: the network and grids to fit.
        plan: amount of work and trade-off.
        device: where to compute.
        on_step: called after every step.

    Raises:
        FitError: if the loss stops being a finite number.
    """
    count, cores_each = _share_cores(samples.shape[0] * samples.shape[1], device)
    with worker_threads(count, cores_each) as workers:
        state = PyramidState(samples, architecture, plan, device, on_step, workers)
        return _fit(state, architecture, plan)


def _share_cores(num_pixels: int, device: torch.device) -> tuple[int, int]:
    """Image size and device -> threads for the parts of a step, and cores for each."""
    cores = torch.get_num_threads()
    if num_pixels < ONE_THREAD_PIXELS:  # waking a thread would take longer than its work
        return 1, 1
    if device.type != "cpu" or cores == 1:
        return 1, cores
    return 2, cores // 2


def _fit(state: PyramidState, architecture: Architecture, plan: PyramidPlan) -> QuantizedPicture:
    """The stages in turn, the hard steps, and what a target asks for besides."""
    search = TargetSearch(state, plan)
    work = [steps * 4.0**-octaves for octaves, steps in plan.stages]
    for number, (octaves, steps) in enumerate(plan.stages):
        state.start_stage(octaves, steps)
        last = number == len(plan.stages) - 1
        for step in range(steps):
            if last and step == int(ROUND_NETWORK_AT * steps):
                state.choose_steps()
            share = step / steps
            if last:
                search.follow(step)
            state.soft_step((sum(work[:number]) + share * work[number]) / sum(work), step)
        state.finish_stage()
    if not state.are_rounded:
        state.choose_steps()
    for step in range(plan.hard_steps):
        state.hard_step(1 - step / plan.hard_steps)
    return _corrected(state, architecture, plan)


def _corrected(
    state: PyramidState, architecture: Architecture, plan: PyramidPlan
) -> QuantizedPicture:
    """A few more steps wherever rounding has led off the target; the best picture of all."""
    best_picture, best_merit = state.quantized(), (False, -math.inf)
    strength, last = 0, 0.0
    for correction in range(CORRECTIONS + 1):
        picture = state.quantized()
        bits = 8.0 * len(encode_payload(picture, architecture))
        psnr_db = state.rounded_psnr_db()
        if plan.budget_bits is not None:
            excess = bits / plan.budget_bits - 1
            meets, close = excess <= 0, -BUDGET_SLACK <= excess <= 0
            merit = psnr_db if meets else -excess
            logarithm = EXCESS_TO_TRADE_OFF * math.log(1 + excess + BUDGET_SLACK / 4)
        elif plan.psnr_db is not None:
            missing_db = plan.psnr_db - psnr_db
            meets, close = missing_db <= 0, -PSNR_SLACK_DB <= missing_db <= 0
            merit = -bits if meets else -missing_db
            logarithm = -MISSING_DB_TO_TRADE_OFF * (missing_db + PSNR_SLACK_DB / 4)
        else:
            return picture
        if (meets, merit) > best_merit:
            best_picture, best_merit = picture, (meets, merit)
        if close or correction == CORRECTIONS:
            break
        strength, last = (strength + 1 if logarithm * last > 0 else 1), logarithm
        state.correct(math.exp(min(max(strength * logarithm, -LARGEST_CHANGE), LARGEST_CHANGE)))
    return best_picture
