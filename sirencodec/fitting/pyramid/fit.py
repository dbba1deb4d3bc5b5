"""Image samples -> quantised pyramid and network: rate-distortion fitting.

The image is fitted from coarse to fine: first reduced by 4, then by 2, then as it is. A stage fits
all grids it can show and hands them on, so most of the way is made where a step costs a fraction of
a full one; from zero at full size the fine grids would take on what belongs in the coarse ones
(benchmarks/LOG.md, entry 8).

For the same reason bits weigh more at first than at the end: what a fine grid has taken on is slow
to leave it (entry 21).

Rounding of latents comes in by degrees: their values are pulled towards whole numbers by a smooth
step function with Gaussian noise in it, which narrows as the fit goes on. At the end each matrix
gets the step at which it costs least, all is rounded, and latents that a neighbouring whole number
suits better move there (``latent_trials``). Rounding matrices before the end brings nothing, nor do
steps of theirs after latents are rounded (LOG.md, entry 28).

Loss: mean squared error, values being 0 to 1, plus ``lambda_`` times bits a pixel.
"""

import torch

from sirencodec.bitstream.architecture import Architecture
from sirencodec.entropy.payload import QuantizedPicture
from sirencodec.fitting.progress import OnStep
from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.pyramid.state import PyramidState
from sirencodec.fitting.pyramid.target_correction import corrected_picture
from sirencodec.fitting.pyramid.target_search import TargetSearch
from sirencodec.image.samples import Samples
from sirencodec.native.tensors import loops_for
from sirencodec.synthesis.threads import worker_threads

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
        plan: amount of work and lambda.
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
    if loops_for(torch.float32, device.type) is None:
        return 1, cores
    return cores, 1


def _fit(state: PyramidState, architecture: Architecture, plan: PyramidPlan) -> QuantizedPicture:
    """The stages in turn, the rounding, and what a target asks for besides."""
    search = TargetSearch(state, plan)
    work = [steps * 4.0**-octaves for octaves, steps in plan.stages]
    for number, (octaves, steps) in enumerate(plan.stages):
        state.start_stage(octaves, steps)
        last = number == len(plan.stages) - 1
        for step in range(steps):
            progress = (sum(work[:number]) + step / steps * work[number]) / sum(work)
            if last:
                search.follow(step, progress)
            state.soft_step(progress, step)
        state.finish_stage()
    state.round_matrices()
    state.try_neighbours(plan.trial_passes)
    return corrected_picture(state, architecture, plan)
