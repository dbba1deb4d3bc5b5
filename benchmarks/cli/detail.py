"""The command that asks which detail a codec keeps."""

from pathlib import Path

import click

from benchmarks.cli.options import (
    Folder,
    Listed,
    check_codecs,
    dataset_facts,
    images_options,
    open_images,
    open_store,
    output_option,
    seed_option,
    show_point,
    threads_option,
)
from benchmarks.measuring.codecs import OURS, OURS_FOR_PSNR

BOTH_TUNES = (OURS, OURS_FOR_PSNR, "avif-444", "avif-444-psnr")


@click.command()
@images_options
@click.option("--codecs", type=Listed(str), default=BOTH_TUNES, show_default=True)
@click.option("--efforts", type=Listed(int), default=(4,), show_default="4", help="of ours")
@click.option("--bpp", type=float, default=0.4, show_default=True, help="rivals: the nearest")
@seed_option
@threads_option
@click.option("--kept", type=Folder, help="coded files that rate-distortion kept; others are made")
@output_option("detail.json")
def detail(
    dataset: Path,
    images: tuple[str, ...],
    codecs: tuple[str, ...],
    efforts: tuple[int, ...],
    bpp: float,
    seed: int,
    threads: int,
    kept: Path | None,
    output: Path,
) -> None:
    """Encode at one rate; which detail is kept, by contrast, of light and of red-green?"""
    from benchmarks.measuring.codecs import Effort
    from benchmarks.measuring.detail import KIND, measure_details
    from benchmarks.measuring.machine import describe_session
    from benchmarks.reporting.detail_table import detail_table

    check_codecs(codecs)
    files = open_images(dataset, images)
    levels = [Effort(level, seed, threads) for level in efforts]
    with open_store(output, KIND) as store:
        store.start_session(describe_session(1, threads), dataset_facts(dataset, files, seed))
        measure_details(files, codecs, levels, bpp, store, show_point, kept)
    click.echo(detail_table(store.whole_run()))
    click.echo(f"{len(store.points)} points in {output}", err=True)
