"""The command that asks several measures at once, on crops."""

import tempfile
from pathlib import Path

import click

from benchmarks.cli.options import (
    Listed,
    check_codecs,
    dataset_facts,
    finish,
    images_options,
    jobs_options,
    open_images,
    open_store,
    output_option,
    seed_option,
    threads_of_each,
)
from benchmarks.measuring.codecs import OURS, OURS_FOR_PSNR


@click.command()
@images_options
@click.option("--side", type=click.IntRange(161), default=320, help="of their middles, in pixels")
@click.option("--codecs", type=Listed(str), default=(OURS, OURS_FOR_PSNR), show_default=True)
@click.option("--efforts", type=Listed(int), default=(4,), show_default="4", help="of ours")
@click.option("--bpp", type=Listed(float), default=(0.2, 0.5), show_default="0.2,0.5")
@seed_option
@jobs_options
@output_option("panel.json")
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
    """Middles of images, ours and both AVIF: bits at equal quality by every measure.

    What this chooses is chosen for all: images are not to be those tested on.
    """
    from benchmarks.measuring.crops import write_middles
    from benchmarks.measuring.rate_distortion import Plan, run_plan
    from benchmarks.reporting.panel_table import KIND, RIVALS, panel_table

    check_codecs((*codecs, *RIVALS))
    files = open_images(dataset, images)
    threads = threads_of_each(threads, jobs)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        crops = write_middles(files, side, Path(folder))
        plan = Plan(crops, (*codecs, *RIVALS), efforts, bpp, seed=seed, threads=threads)
        facts = dataset_facts(dataset, crops, seed) | {"side": side}
        with open_store(output, KIND) as store:
            failures = run_plan(plan, store, parallel=jobs, facts=facts, refresh=refresh)
            click.echo(panel_table(store.whole_run()))
    finish(store, failures, output)
