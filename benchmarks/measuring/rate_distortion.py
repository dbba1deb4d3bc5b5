"""Images, codecs and settings -> rate-distortion points, each measured once."""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.measuring.codecs import CODECS, OURS_BY_QUALITY, is_ours
from benchmarks.measuring.fresh_process import MeasurementError
from benchmarks.measuring.machine import code_fingerprint, describe_session
from benchmarks.measuring.measure import Job, measure
from benchmarks.measuring.results import RunStore

KIND = "rate-distortion"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to measure.

    Attributes:
        images: files of the originals.
        codecs: names in ``CODECS``.
        efforts: of our codec.
        targets_bpp: settings of our codec by bits a pixel.
        settings: of the other codecs, and of ours by quality; their whole grid if empty.
        variants: of our codec; the empty name is the codec as it is.
        seed, threads: of every encode.
    """

    images: Sequence[Path]
    codecs: Sequence[str]
    efforts: Sequence[int]
    targets_bpp: Sequence[float]
    settings: Sequence[float] = ()
    variants: Sequence[str] = field(default=("",))
    seed: int = 0
    threads: int = 1

    def jobs(self) -> Iterator[Job]:
        """All points, rivals first; by setting, so that a cut-off run holds whole settings."""
        for name in sorted(self.codecs, key=is_ours):
            settings = self.settings or CODECS[name].settings
            if is_ours(name):
                yield from self._our_jobs(
                    name, settings if name == OURS_BY_QUALITY else self.targets_bpp
                )
                continue
            for setting in settings:
                for image in self.images:
                    yield Job(name, setting, None, image, threads=self.threads)

    def _our_jobs(self, name: str, settings: Sequence[float]) -> Iterator[Job]:
        for effort in sorted(self.efforts):
            for setting in settings:
                for variant in self.variants:
                    for image in self.images:
                        yield Job(name, setting, effort, image, variant, self.seed, self.threads)


def run_plan(
    plan: Plan,
    store: RunStore,
    *,
    parallel: int = 1,
    facts: dict[str, Any] | None = None,
    keep_files: Path | None = None,
    refresh: bool = False,
    arguments: list[str] | None = None,
) -> list[str]:
    """Measure what the store does not have yet.

    Args:
        plan: what to measure.
        store: where finished points are and go.
        parallel: jobs at a time.
        facts: of the run, such as its dataset, checked against earlier sessions.
        keep_files: folder for copies of the coded files.
        refresh: measure anew what another version of our code has made.
        arguments: the command's, for the record; those of this process if None.

    Returns:
        What failed, one line each.
    """
    code = code_fingerprint()
    missing = [
        job
        for job in plan.jobs()
        if job.key not in store.points
        or (refresh and store.points[job.key].get("code", code) != code)
    ]
    if not missing:
        return []
    facts = (facts or {}) | {"seed": plan.seed}
    store.start_session(describe_session(parallel, plan.threads, arguments), facts)
    failures: list[str] = []

    def measure_and_keep(job: Job) -> None:
        """Not left to the loop below, which an interruption ends before the last points come in."""
        store.add(measure(job, keep_files))

    with _progress() as progress, ThreadPoolExecutor(parallel) as pool:
        task = progress.add_task("measuring", total=len(missing))
        pending = {pool.submit(measure_and_keep, job): job for job in missing}
        try:
            for future in as_completed(pending):
                try:
                    future.result()
                except MeasurementError as error:
                    failures.append(str(error))
                    progress.console.print(f"failed: {error}", markup=False)
                del pending[future]
                following = _describe(next(iter(pending.values()), None))
                progress.update(task, advance=1, description=following)
                if not progress.console.is_terminal:
                    count = f"{len(missing) - len(pending)}/{len(missing)}"
                    print(f"{count}, next {following}", file=sys.stderr, flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failures


def _describe(job: Job | None) -> str:
    if job is None:
        return "done"
    effort = "" if job.effort is None else f" e{job.effort}"
    variant = f" {job.variant}" if job.variant else ""
    return f"{job.codec}{effort}{variant} {job.setting:g} {job.image.stem}"


def _progress() -> Progress:
    """Progress on standard error; where that is no terminal, only the last state is printed."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
    )
