"""The command that measures one picture at several sizes."""

import tempfile
from pathlib import Path

import click

from benchmarks.cli.options import (
    File,
    Listed,
    check_codecs,
    dataset_facts,
    finish,
    open_store,
    output_option,
    seed_option,
    threads_option,
)
from benchmarks.measuring.codecs import OURS

MEGAPIXELS = (0.1, 0.4, 2.0)


@click.command("size")
@click.option("--image", type=File, required=True, help="large picture, which is reduced")
@click.option("--megapixels", type=Listed(float), default=MEGAPIXELS, show_default="0.1,0.4,2")
@click.option("--codecs", type=Listed(str), default=(OURS, "avif-444"), show_default="with AVIF")
@click.option("--efforts", type=Listed(int), default=(4,), show_default="4", help="of sirencodec")
@click.option("--bpp", type=Listed(float), default=(0.3,), show_default="0.3", help="of ours")
@click.option("--settings", type=Listed(float), default=(40, 55, 70), show_default="40,55,70")
@seed_option
@threads_option
@output_option("size.json")
def size(
    image: Path,
    megapixels: tuple[float, ...],
    codecs: tuple[str, ...],
    efforts: tuple[int, ...],
    bpp: tuple[float, ...],
    settings: tuple[float, ...],
    seed: int,
    threads: int,
    output: Path,
) -> None:
    """Encode one picture at several sizes: time, peak of memory and quality of each."""
    from benchmarks.measuring.rate_distortion import Plan, run_plan
    from benchmarks.measuring.sizes import KIND, write_sizes
    from benchmarks.reporting.size_table import size_table

    check_codecs(codecs)
    with tempfile.TemporaryDirectory() as folder, open_store(output, KIND) as store:
        files = write_sizes(image, megapixels, Path(folder))
        plan = Plan(files, codecs, efforts, bpp, settings, seed=seed, threads=threads)
        facts = dataset_facts(image, files, seed)
        failures = run_plan(plan, store, parallel=1, facts=facts)
    click.echo(size_table(store.whole_run()))
    finish(store, failures, output)
