"""The commands that measure: rate-distortion, speed, scale, ablate."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks.cli.options import (
    File,
    Listed,
    check_codecs,
    dataset_facts,
    finish,
    images_options,
    jobs_options,
    list_variants,
    open_images,
    open_store,
    output_option,
    seed_option,
    show_point,
    threads_of_each,
    threads_option,
)
from benchmarks.measuring.codecs import BPP_TARGETS, CODECS, OURS_BY_QUALITY, OURS_FOR_PSNR

if TYPE_CHECKING:
    from benchmarks.measuring.rate_distortion import Plan

PROFILES = ("pyramid", "pure")  # of what is ablated
USUAL_CODECS = tuple(name for name in CODECS if name != OURS_BY_QUALITY)
DECODE_WIDTHS = (256, 512, 1024, 2048, 4096, 8192)


@click.command("rate-distortion")
@images_options
@click.option(
    "--codecs",
    type=Listed(str),
    default=USUAL_CODECS,
    show_default="all but sirencodec-q",
)
@click.option("--efforts", type=Listed(int), default=(4,), show_default="4", help="of sirencodec")
@click.option("--bpp", type=Listed(float), default=BPP_TARGETS, show_default=True, help="of ours")
@click.option("--settings", type=Listed(float), default=(), help="of all others, not their grids")
@seed_option
@click.option(
    "--keep-files", type=click.Path(file_okay=False, path_type=Path), help="keep coded files here"
)
@jobs_options
@output_option("run.json")
def rate_distortion(
    dataset: Path,
    images: tuple[str, ...],
    codecs: tuple[str, ...],
    efforts: tuple[int, ...],
    bpp: tuple[float, ...],
    settings: tuple[float, ...],
    seed: int,
    jobs: int,
    threads: int | None,
    keep_files: Path | None,
    refresh: bool,
    output: Path,
) -> None:
    """Encode, decode, verify and measure every point; goes on where an earlier run ended."""
    from benchmarks.measuring.rate_distortion import KIND, Plan

    check_codecs(codecs)
    files = open_images(dataset, images)
    threads = threads_of_each(threads, jobs)
    plan = Plan(files, codecs, efforts, bpp, settings, seed=seed, threads=threads)
    _carry_out(plan, KIND, output, dataset, jobs, refresh, keep_files)


@click.command()
@click.option("--image", type=File, required=True, help="picture that is encoded and decoded")
@click.option("--sizes", type=Listed(int), default=(256, 512, 768), show_default="256,512,768")
@click.option("--efforts", type=Listed(int), default=(4, 0, 2), show_default="4,0,2")
@click.option("--widths", type=Listed(int), default=DECODE_WIDTHS, show_default="256 to 8192")
@click.option("--threads", type=Listed(int), default=None, help="[1 and all cores]")
@click.option("--devices", type=Listed(str), default=("cpu",), show_default="cpu", help="cpu,cuda")
@click.option("--bpp", type=float, default=0.2)
@click.option("--repeats", type=click.IntRange(1), default=5, help="rounds that count")
@click.option("--encode-repeats", type=click.IntRange(1), default=3, help="of encodes")
@output_option("speed.json")
def speed(
    image: Path,
    sizes: tuple[int, ...],
    efforts: tuple[int, ...],
    widths: tuple[int, ...],
    threads: tuple[int, ...] | None,
    devices: tuple[str, ...],
    bpp: float,
    repeats: int,
    encode_repeats: int,
    output: Path,
) -> None:
    """Time starting, decoding by width, and encoding by size and effort; Pillow beside it."""
    from benchmarks.measuring.fresh_process import MeasurementError
    from benchmarks.measuring.machine import describe_session
    from benchmarks.measuring.speed import KIND, Plan, measure_speed

    cores = os.cpu_count() or 1
    threads = threads or tuple(sorted({1, cores}))
    plan = Plan(image, sizes, widths, efforts, bpp, threads, devices, repeats, encode_repeats)
    facts = {"image": image.stem, "bpp": bpp, "decoded_effort": efforts[0]}
    with open_store(output, KIND) as store:
        store.start_session(describe_session(1, max(threads)), facts)
        try:
            measure_speed(plan, store, show_point)
        except MeasurementError as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"{len(store.points)} points in {output}", err=True)


@click.command()
@images_options
@click.option(
    "--bpp",
    type=Listed(float),
    default=(0.1, 0.2, 0.3, 0.4, 0.8),
    show_default="0.1,0.2,0.3,0.4,0.8",
    help="of the half-size image, the one that is stored",
)
@click.option("--effort", type=int, default=4)
@seed_option
@threads_option
@output_option("scale.json")
def scale(
    dataset: Path,
    images: tuple[str, ...],
    bpp: tuple[float, ...],
    effort: int,
    seed: int,
    threads: int,
    output: Path,
) -> None:
    """Encode at half size, decode at the original size, beside enlarging by Lanczos and bicubic."""
    from benchmarks.measuring.codecs import Effort
    from benchmarks.measuring.machine import describe_session
    from benchmarks.measuring.scale import KIND, measure_scale

    files = open_images(dataset, images)
    with open_store(output, KIND) as store:
        store.start_session(describe_session(1, threads), dataset_facts(dataset, files, seed))
        measure_scale(files, bpp, Effort(effort, seed, threads), store, show_point)
    click.echo(f"{len(store.points)} points in {output}", err=True)


@click.command()
@images_options
@click.option("--profile", type=click.Choice(PROFILES), default=PROFILES[0], show_default=True)
@click.option("--variants", type=Listed(str), default=(), help="names [all of the profile]")
@click.option("--bpp", type=Listed(float), default=(0.1, 0.2), show_default="0.1,0.2")
@click.option("--efforts", type=Listed(int), default=(2,), show_default="2")
@seed_option
@jobs_options
@output_option("ablation.json")
@click.option("--list", "is_listing", is_flag=True, is_eager=True, callback=list_variants)
def ablate(
    dataset: Path,
    images: tuple[str, ...],
    profile: str,
    variants: tuple[str, ...],
    bpp: tuple[float, ...],
    efforts: tuple[int, ...],
    seed: int,
    jobs: int,
    threads: int | None,
    refresh: bool,
    output: Path,
    is_listing: bool,
) -> None:
    """Encode with one ingredient at a time replaced, and with none, at the same rates.

    All are tuned for squared error, by which they are compared.

    Names of variants may be of either profile; --list tells them.
    """
    del is_listing
    from benchmarks.ablations.variants import VARIANTS, with_bases
    from benchmarks.measuring.rate_distortion import Plan
    from benchmarks.reporting.ablation_table import KIND

    if unknown := set(variants) - set(VARIANTS):
        raise click.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(VARIANTS)}")
    files = open_images(dataset, images)
    threads = threads_of_each(threads, jobs)
    all_names = [name for name, variant in VARIANTS.items() if variant.profile == profile]
    names = with_bases(variants or all_names)
    plan = Plan(files, (OURS_FOR_PSNR,), efforts, bpp, (), names, seed=seed, threads=threads)
    _carry_out(plan, KIND, output, dataset, jobs, refresh)


def _carry_out(
    plan: "Plan",
    kind: str,
    output: Path,
    dataset: Path,
    jobs: int,
    refresh: bool,
    keep_files: Path | None = None,
) -> None:
    """Measure what ``output`` does not hold of a plan, and tell where it went."""
    from benchmarks.measuring.rate_distortion import run_plan

    facts = dataset_facts(dataset, plan.images, plan.seed)
    with open_store(output, kind) as store:
        failures = run_plan(
            plan, store, parallel=jobs, facts=facts, keep_files=keep_files, refresh=refresh
        )
    finish(store, failures, output)
