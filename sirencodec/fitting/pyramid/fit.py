"""Image samples -> quantised pyramid and network: rate-distortion fitting.

The loss is D + bit_error * B. D is the mean squared error, values being 0 to 1, or stands in for a
blend of measures (``stage_loss``). B are the bits of the latents, at bit_error = lambda / pixels
each; a larger lambda makes a smaller file.

The image is fitted from coarse to fine: reduced by 4, then by 2, then as it is. A stage fits the
grids that it can show and hands them on. Most of the way is thus made where an update costs a
fraction of a full one, and fine grids do not take on what belongs in the coarse ones.

An update softens the latents, takes the loss of the picture they make, and moves matrices and
latents against its gradient. After the last update the matrices are rounded, then the latents, by
RDOQ, and a picture that misses its target is corrected.
"""

import math
from collections.abc import Iterator

import torch

from sirencodec.bitstream.architecture import Architecture
from sirencodec.entropy.payload import QuantizedPicture, encode_payload
from sirencodec.fitting.loss.values import psnr_db
from sirencodec.fitting.progress import FitProgress, OnStep
from sirencodec.fitting.pyramid.pacing import (
    Pacer,
    Place,
    correction_work,
    planned_work,
    stages_work,
    work_left,
)
from sirencodec.fitting.pyramid.plan import PyramidPlan
from sirencodec.fitting.pyramid.schedule import Pace, Schedule
from sirencodec.fitting.pyramid.state import PyramidState
from sirencodec.fitting.pyramid.target_correction import corrected_picture
from sirencodec.fitting.pyramid.target_search import TargetSearch
from sirencodec.fitting.target import Kind
from sirencodec.fitting.time_budget import TimeBudget
from sirencodec.image.samples import Samples
from sirencodec.native.tensors import loops_for
from sirencodec.synthesis.torch_threads import worker_threads

ONE_THREAD_PIXELS = 1 << 15  # below, waking a thread takes longer than its work


def fit_pyramid(
    samples: Samples,
    architecture: Architecture,
    plan: PyramidPlan,
    device: torch.device,
    on_step: OnStep | None = None,
    budget: TimeBudget | None = None,
) -> QuantizedPicture:
    """Image samples -> quantised pyramid and network.

    Args:
        samples: (height, width, channels) uint8 or uint16.
        architecture: the network and grids to fit.
        plan: updates, lambda, target and settings.
        device: where to compute.
        on_step: called after every update, and once for each RDOQ.
        budget: time there is; updates are then as many as it is enough for, whatever the plan.

    Raises:
        FitError: if the loss stops being a finite number.

    Warns:
        SirenCodecWarning: if the shortest fit takes longer.
    """
    count, cores_each = _share_cores(samples.shape[0] * samples.shape[1], device)
    with worker_threads(count, cores_each) as workers:
        state = PyramidState(samples, architecture, plan, device, workers)
        fit = PyramidFit(state, architecture, plan, on_step, budget)
        fit.run_stages()
        fit.round()
        return corrected_picture(fit, fit.plan)


def _share_cores(num_pixels: int, device: torch.device) -> tuple[int, int]:
    """Image size and device -> threads for the parts of an update, and cores for each."""
    cores = torch.get_num_threads()
    if num_pixels < ONE_THREAD_PIXELS:
        return 1, 1
    if loops_for(torch.float32, device.type) is None:
        return 1, cores
    return cores, 1


class PyramidFit:
    """The way of a pyramid from zero latents to a file's integers.

    Attributes:
        state: latents, matrices and lambda, which all methods change.
        plan: of the fit; where there is a budget of time, changed as updates are timed.
    """

    def __init__(
        self,
        state: PyramidState,
        architecture: Architecture,
        plan: PyramidPlan,
        on_step: OnStep | None = None,
        budget: TimeBudget | None = None,
    ) -> None:
        """Fit ``state``, of this architecture, as planned; ``on_step`` hears of progress."""
        self.state, self._architecture, self.plan = state, architecture, plan
        self._schedule = Schedule(plan.settings.schedule)
        self._on_step, self._done = on_step, 0
        self._pacer = None if budget is None else Pacer(budget)
        self._place = Place(0, 0)
        self._rounded_at = plan.lambda_  # lambda at which matrices were rounded last

    def run_stages(self) -> None:
        """All updates from coarse to fine; lambda goes towards the target in the last stage."""
        search = TargetSearch(self.plan)
        last = len(self.plan.stages) - 1
        for number in range(last + 1):
            self.state.start_stage(octaves=self.plan.stages[number][0])
            for update, progress in self._progress(number):
                if self._is_paced_anew():
                    search.follow(self.plan)
                if number == last:
                    self._go_towards_target(search, update, progress)
                else:
                    self.state.lambda_ = search.restrained_lambda(
                        update,
                        self.plan.stages[number][1],
                        progress,
                        self.state.lambda_,
                        self.state.rounded,
                    )
                share = self._schedule.latent_share(self.state.lambda_)
                stage = self.plan.stages[number]
                self._update(self._schedule.pace(progress, update, stage, share))
        self.state.matrix_steps = search.matrix_steps

    def _go_towards_target(self, search: TargetSearch, update: int, progress: float) -> None:
        """Before an update of the last stage: lambda that the search wants."""
        if search.will_measure(update):
            self.state.follow_for_matrices()
        self.state.lambda_ = search.next_lambda(
            update, progress, self.state.lambda_, self.state.rounded
        )

    def _progress(self, number: int) -> Iterator[tuple[int, float]]:
        """Stage -> its updates, and how far the whole fit is before each, 0 to 1, by its work."""
        self._place = Place(number, 0)
        while self._place.done < self.plan.stages[number][1]:
            octaves, _ = self.plan.stages[number]
            done = (*self.plan.stages[:number], (octaves, self._place.done))
            yield self._place.done, stages_work(done) / stages_work(self.plan.stages)
            self._place = Place(number, self._place.done + 1)

    def _is_paced_anew(self) -> bool:
        """Whether the plan has changed, as updates were timed."""
        if self._pacer is None:
            return False
        plan = self._pacer.paced(self.plan, self._place)
        if plan is None:
            return False
        self.plan = self.state.plan = plan
        return True

    def _update(self, pace: Pace, *, of_matrices: bool = True) -> None:
        """One update: soften the latents, take the loss, move matrices and latents."""
        latents = self.state.soften(pace.temperature, pace.amplitude)
        loss = self.state.loss(latents, pace.bit_weight)
        if of_matrices:
            self.state.move_matrices(loss.matrices, pace.network_rate)
        self.state.move_latents(loss, latents, pace.latent_rate)
        self._report(psnr_db(loss.squared_error))

    def round(self) -> None:
        """Round the matrices, then the latents, by RDOQ."""
        self._round_matrices()
        self._rdoq(self.plan.rdoq_passes)

    def _round_matrices(self) -> None:
        """Round the matrices at lambda as it is."""
        self.state.round_matrices()
        self._rounded_at = self.lambda_

    def fit_on(self, lambda_: float) -> None:
        """Correct by updates at another lambda, late in the schedule, and round anew.

        Matrices stay as they were rounded, unless lambda is far from that one.
        """
        largest = self.plan.settings.correction.largest_kept_change
        of_matrices = abs(math.log(lambda_ / self._rounded_at)) > largest
        self.state.lambda_ = lambda_
        updates, start = self.plan.correction_updates, self.plan.correction_start
        share, stage = self._schedule.latent_share(lambda_), self.plan.stages[-1]
        share *= self.plan.correction_latent_share
        for update in range(updates):
            progress = start + (1 - start) * update / updates
            pace = self._schedule.pace(progress, self.plan.last_updates, stage, share)
            self._update(pace, of_matrices=of_matrices)
        if of_matrices:
            self._round_matrices()
        self._rdoq(1)

    def nudge(self, lambda_: float) -> None:
        """Correct by RDOQ alone at another lambda; the matrices stay."""
        self.state.lambda_ = lambda_
        self._rdoq(1)

    def _rdoq(self, passes: int) -> None:
        """Round the latents by RDOQ; all passes are reported as one update."""
        self.state.rdoq(passes)
        self._report(self.psnr_db())

    def _report(self, psnr_db: float) -> None:
        """Report that one more update is done, with the picture's PSNR."""
        self._done += 1
        if self._on_step is not None:
            total = sum(updates for _, updates in self.plan.stages) + 1
            left = max(0.0, work_left(self.plan, self._place)) / planned_work(self.plan)
            self._on_step(FitProgress(self._done, total, psnr_db, min(1.0, 1 - left)))

    def has_time(self) -> bool:
        """Whether there is time for a correction."""
        return self._pacer is None or self._pacer.allows(correction_work(self.plan))

    @property
    def lambda_(self) -> float:
        """Lambda of the picture as it is."""
        return self.state.lambda_

    def psnr_db(self) -> float:
        """PSNR of the rounded picture."""
        return self.state.rounded.psnr_db()

    def measured(self, kind: Kind) -> float:
        """What a target of this kind is about, of the rounded picture."""
        return self.state.rounded.measured(kind)

    def is_exact(self) -> bool:
        """Whether the rounded picture decodes to the very samples."""
        return self.state.rounded.is_exact(self.plan.peak)

    def quantized(self) -> QuantizedPicture:
        """The rounded picture as integers."""
        return self.state.quantized()

    def payload_bytes(self, picture: QuantizedPicture) -> int:
        """Picture -> bytes of its payload."""
        return encode_payload(picture, self._architecture).num_bytes
