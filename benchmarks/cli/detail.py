"""The command that asks which detail a codec keeps."""

import os
from pathlib import Path

import click

from benchmarks.cli.options import (
    RESULTS,
    Folder,
    Listed,
    NewFile,
    check_codecs,
    dataset_facts,
    open_images,
    open_store,
    show_point,
)
from benchmarks.measuring.codecs import OURS, OURS_FOR_PSNR

BOTH_TUNES = (OURS, OURS_FOR_PSNR, "avif-444", "avif-444-psnr")


@click.command()
@click.option("--dataset", type=Folder, required=True, help="folder of images")
@click.option("--images", type=Listed(str), default=(), help="names without suffix [all]")
@click.option("--codecs", type=Listed(str), default=BOTH_TUNES, show_default=True)
@click.option("--efforts", type=Listed(int), default=(4,), show_default="4", help="of ours")
@click.option("--bpp", type=float, default=0.4, show_default=True, help="rivals: the nearest")
@click.option("--seed", type=int, default=0)
@click.option("--threads", type=click.IntRange(1), help="[all cores]")
@click.option("--kept", type=Folder, help="coded files that rate-distortion kept; others are made")
@click.option("--output", type=NewFile, default=RESULTS / "detail.json", show_default="detail.json")
def detail(
    dataset: Path,
    images: tuple[str, ...],
    codecs: tuple[str, ...],
    efforts: tuple[int, ...],
    bpp: float,
    seed: int,
    threads: int | None,
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
    threads = threads or os.cpu_count() or 1
    levels = [Effort(level, seed, threads) for level in efforts]
    with open_store(output, KIND) as store:
        store.start_session(describe_session(1, threads), dataset_facts(dataset, files, seed))
        measure_details(files, codecs, levels, bpp, store, show_point, kept)
    click.echo(detail_table(store.whole_run()))
    click.echo(f"{len(store.points)} points in {output}", err=True)
