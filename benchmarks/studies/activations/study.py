"""Plan -> points of every part, with progress, on disk as each part is done."""

import time
from collections.abc import Callable, Iterator

import torch

from benchmarks.measuring.machine import describe_session
from benchmarks.measuring.measure import Point
from benchmarks.measuring.results import RunStore
from benchmarks.studies.activations import (
    arcsine,
    bias,
    central_limit,
    depth,
    folding,
    omega_0,
    rivals,
)
from benchmarks.studies.activations.derivatives import Sheet
from benchmarks.studies.activations.plan import TIME_PART, Job, Plan

KIND = "activations"
OnJob = Callable[[str, int, int], None]
"""Part, jobs done of it, and jobs it has; called before the first and after each."""

# Part as on the command line -> the parts of its points.
PARTS = {
    "arcsine": (arcsine.PART,),
    "central-limit": (central_limit.PART,),
    "depth": (depth.SAMPLE_PART, depth.PART),
    "bias": (bias.PART,),
    "folding": (folding.PART, folding.RATE_PART, folding.HIDDEN_PART),
    "omega": (omega_0.PART,),
    "rivals": (rivals.PART, rivals.RATE_PART, rivals.WEIGHT_PART, rivals.DERIVATIVE_PART),
}


def run_study(
    plan: Plan, store: RunStore, parts: tuple[str, ...], facts: Point, on_job: OnJob
) -> list[Sheet]:
    """Run parts, anew if the store has them already.

    Sums run in one thread, so that the same seeds give the same figures however many cores.

    Returns:
        The pictures of derivatives that were made on the way.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        store.start_session(describe_session(1, 1), facts)
        sheets: list[Sheet] = []
        for part in parts:
            store.points = {
                key: point
                for key, point in store.points.items()
                if point["part"] not in PARTS[part]
            }
            jobs = list(_jobs(part, plan, sheets))
            started, cpu_started = time.perf_counter(), time.process_time()
            on_job(part, 0, len(jobs))
            for done, job in enumerate(jobs, 1):
                for point in job():
                    store.add(point)
                on_job(part, done, len(jobs))
            cpu_s, wall_s = time.process_time() - cpu_started, time.perf_counter() - started
            facts = {"cpu_s": round(cpu_s, 1), "wall_s": round(wall_s, 1)}
            store.add({"part": TIME_PART, "case": part} | facts)
        return sheets
    finally:
        torch.set_num_threads(threads)


def _jobs(part: str, plan: Plan, sheets: list[Sheet]) -> Iterator[Job]:
    match part:
        case "arcsine":
            yield from arcsine.jobs(plan)
        case "central-limit":
            yield from central_limit.jobs(plan)
        case "depth":
            yield from depth.sample_jobs(plan)
            yield from depth.jobs(plan)
        case "bias":
            yield from bias.jobs(plan)
        case "folding":
            yield from folding.jobs(plan)
            yield from folding.rate_jobs(plan)
            yield from folding.hidden_jobs(plan)
        case "omega":
            yield from omega_0.jobs(plan)
        case "rivals":
            yield from rivals.jobs(plan, sheets)
        case _:
            raise ValueError(f"no part {part}: there are {', '.join(PARTS)}")
