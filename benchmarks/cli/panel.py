"""The command that asks several measures at once, on crops."""

import os
import tempfile
from pathlib import Path

import click

from benchmarks.cli.options import (
    RESULTS,
    Folder,
    Listed,
    NewFile,
    check_codecs,
    dataset_facts,
    finish,
    open_images,
    open_store,
)
from benchmarks.measuring.codecs import OURS, OURS_FOR_PSNR


@click.command()
@click.option("--dataset", type=Folder, required=True, help="folder of images, not those tested on")
@click.option("--images", type=Listed(str), default=(), help="names without suffix [all]")
@click.option("--side", type=click.IntRange(161), default=320, help="of their middles, in pixels")
@click.option("--codecs", type=Listed(str), default=(OURS, OURS_FOR_PSNR), show_default=True)
@click.option("--efforts", type=Listed(int), default=(4,), show_default="4", help="of ours")
@click.option("--bpp", type=Listed(float), default=(0.2, 0.5), show_default="0.2,0.5")
@click.option("--seed", type=int, default=0)
@click.option("--jobs", type=click.IntRange(1), default=1, help="points measured at a time")
@click.option("--threads", type=click.IntRange(1), help="of a codec; by default cores / jobs")
@click.option("--refresh", is_flag=True, help="repeat what another version of our code made")
@click.option("--output", type=NewFile, default=RESULTS / "panel.json", show_default="panel.json")
def panel(
    dataset: Path,
    images: tuple[str, ...],
    side: int,
    codecs: tuple[str, ...],
    efforts: tuple[int, ...],
    bpp: tuple[float, ...],
    seed: int,
    jobs: int,
    threads: int | None,
    refresh: bool,
    output: Path,
) -> None:
    """Middles of images, ours and both AVIF: bits at equal quality by every measure."""
    from benchmarks.measuring.crops import write_middles
    from benchmarks.measuring.rate_distortion import Plan, run_plan
    from benchmarks.reporting.panel_table import KIND, RIVALS, panel_table

    check_codecs((*codecs, *RIVALS))
    files = open_images(dataset, images)
    threads = threads or max(1, (os.cpu_count() or 1) // jobs)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        crops = write_middles(files, side, Path(folder))
        plan = Plan(crops, (*codecs, *RIVALS), efforts, bpp, seed=seed, threads=threads)
        facts = dataset_facts(dataset, crops, seed) | {"side": side}
        with open_store(output, KIND) as store:
            failures = run_plan(plan, store, parallel=jobs, facts=facts, refresh=refresh)
            click.echo(panel_table(store.whole_run()))
    finish(store, failures, output)
