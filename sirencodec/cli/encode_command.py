"""``sirencodec encode``."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from sirencodec.batch.encode_files import Encoded, encode_in_turn
from sirencodec.batch.manifest import Manifest
from sirencodec.batch.pictures import is_picture
from sirencodec.batch.processes import encode_in_processes
from sirencodec.batch.run import Encoder, Rules, run_batch
from sirencodec.batch.tally import Tally
from sirencodec.batch.tasks import STREAM, SUFFIX, Inputs, Task, is_ours
from sirencodec.cli.encode_listener import EncodeListener
from sirencodec.cli.encode_report import report_passed_over, report_result, report_twins
from sirencodec.cli.forecast import dry_run as say_what_would_be_done
from sirencodec.cli.inputs import find_command_inputs, plan_command_tasks
from sirencodec.cli.options import (
    FILE,
    StripCommand,
    byte_size,
    choose_existing,
    device_option,
    duration,
    existing_options,
    keep_date_option,
    keep_suffix_option,
    max_pixels_option,
    output_option,
    recursive_option,
    strip_option,
)
from sirencodec.cli.progress import ProgressBars
from sirencodec.cli.report import Report, debug_option, is_terminal
from sirencodec.config import (
    DEFAULT_EFFORT,
    DEFAULT_QUALITY,
    LARGEST_EFFORT,
    PROFILES,
    TUNES,
    EncodeConfig,
)
from sirencodec.errors import ImageError, ParameterError


@click.command(
    cls=StripCommand,
    short_help="Turn images into .siren files.",
    epilog=f"""\b
Examples:
  sirencodec encode photo.png                      writes photo.siren
  sirencodec encode photo.png -o p.siren -q 80
  sirencodec encode photo.jpg --size 20k --strip location
  sirencodec encode *.jpg -o out/ --bpp 0.3 -j 4
  sirencodec encode photo.jpg --max-time 5m        the best that five minutes bring
  sirencodec encode -r album -o coded --dry-run    says what it would take
  sirencodec encode -r album -o coded --skip-existing --manifest made.jsonl
  sirencodec encode -r album -o coded --newer --keep-date
  sirencodec encode -r album -o coded --cluster tcp://host:8786
  sirencodec encode - < photo.png > photo.siren

The rate or quality is the one of -q, --bpp, --size and --psnr that is given; -q {DEFAULT_QUALITY:g}
if none is. Sizes: 10k and 10kB are 10 * 1000 bytes, 10KiB is 10 * 1024.""",
)
@click.argument("images", nargs=-1, required=True, type=FILE, metavar="IMAGE...")
@output_option
@click.option(
    "-q",
    "--quality",
    type=click.FloatRange(0, 100),
    metavar="Q",
    help="A score of SSIMULACRA2: 30 low, 50 medium, 70 high, 90 not to be told from the image.",
)
@click.option(
    "--bpp", type=click.FloatRange(0, min_open=True), metavar="X", help="At most X bits a pixel."
)
@click.option(
    "--size",
    "size_bytes",
    type=byte_size,
    metavar="SIZE",
    help="At most this many bytes.",
)
@click.option(
    "--psnr", "psnr_db", type=float, metavar="X", help="At least X dB, in as few bytes as possible."
)
@click.option(
    "-e",
    "--effort",
    type=click.IntRange(0, LARGEST_EFFORT),
    metavar="E",
    default=DEFAULT_EFFORT,
    show_default=True,
    help="0 to 9: more time for better quality at the same size.",
)
@click.option(
    "--max-time",
    "max_seconds",
    type=duration,
    metavar="TIME",
    help="Plan each image for so long, such as 90s or 5m, whatever the effort.",
)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="auto",
    show_default=True,
    help="Latent grids and a network (pyramid), a network alone (pure), or what suits the image.",
)
@click.option(
    "--tune",
    type=click.Choice(TUNES),
    help="Judge by what eyes see (visual), or by squared error (psnr), as is usual with --psnr.",
    show_default="visual",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, metavar="N", help="Of all randomness."
)
@device_option
@strip_option
@recursive_option
@click.option(
    "--ignore",
    multiple=True,
    metavar="PATTERN",
    help="Files and folders of directories not to look at, such as '*.cr2'. May be repeated.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    default=1,
    show_default=True,
    help="Images at a time; they share the cores.",
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Encode on the machines of a dask cluster, such as tcp://host:8786.",
)
@max_pixels_option("encode")
@existing_options
@keep_suffix_option
@keep_date_option
@click.option(
    "--manifest",
    "manifest_file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Add a JSON line to FILE for each image: what was made from what, and how.",
)
@click.option(
    "--dry-run", is_flag=True, help="Say what would be done, and what it would take; do nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each file.")
@debug_option
def encode(
    images: tuple[str, ...],
    output: str | None,
    recursive: bool,
    ignore: tuple[str, ...],
    jobs: int,
    cluster: str | None,
    force: bool,
    skip_existing: bool,
    newer: bool,
    keep_suffix: bool,
    keep_date: bool,
    manifest_file: str | None,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Fit a function to each IMAGE and write it to a .siren file.

    IMAGE is a file of any format that Pillow reads, a directory (with -r), or - for stdin. The
    output lies beside it, or where -o says. Metadata is kept unless --strip is given.

    a.jpg becomes a.siren. Where a.png would, too, both keep their suffix: a.jpg.siren, a.png.siren.
    2024/a.jpg and 2025/a.jpg, with -o out, keep their folder: out/2024/a.siren, out/2025/a.siren.

    An image that fails does not keep others from being encoded. The exit code is 1 if any failed,
    or if a directory holds pictures that cannot be read here, such as HEIC without its plugin.
    """
    config = _choose_config(options)
    existing = choose_existing(force, skip_existing, newer)
    report = Report()
    inputs = find_command_inputs(
        images, report, recursive=recursive, wanted=is_picture, ignore=ignore
    )
    _refuse_ours(inputs, report)
    tasks, twins = plan_command_tasks(inputs, output, suffix=SUFFIX, keep_suffix=keep_suffix)
    _check_output(output, inputs, report)
    if as_json and any(task.output == STREAM for task in tasks):
        raise click.UsageError("the file and --json cannot both go to stdout")
    tally = Tally(passed_over=report_passed_over(inputs, report), failed=report.num_failures)
    jobs = min(jobs, len(tasks))
    if dry_run:
        say_what_would_be_done(tasks, config, existing, jobs, report, as_json=as_json)
        report.exit()
    rules = Rules(existing, keep_date, _open_manifest(manifest_file, tasks))
    on_one_screen = as_json and is_terminal(sys.stdout)
    with (
        _machines(cluster, jobs) as (encoder, jobs, cores),
        ProgressBars(report, is_wanted=not on_one_screen) as bars,
    ):
        listener = EncodeListener(report, bars, config, jobs, cores)
        with closing(run_batch(tasks, config, listener, rules, encoder)) as results:
            for task, result in results:
                tally.add(result)
                listener.on_finish(task, result, tally)
                if isinstance(result, Encoded):
                    report_twins(twins, report)
                report_result(task, result, config, report, as_json=as_json)
    if inputs.are_several or tally.skipped:
        report.say(f"sirencodec: {tally}")
    report.exit()


def _choose_config(options: dict[str, Any]) -> EncodeConfig:
    """Options of the command, their types checked -> those of the codec.

    Raises:
        click.UsageError: if they make no sense together.
    """
    try:
        return EncodeConfig(**{**options, "strip": options["strip"] or False})
    except ParameterError as error:
        raise click.UsageError(str(error)) from error


def _check_output(output: str | None, inputs: Inputs, report: Report) -> None:
    """The user's wish for the output -> nothing, if its name fits what will be written.

    Raises:
        click.UsageError: if it is that of another kind of picture.
    """
    if output is None or output == STREAM or output.endswith(os.sep):
        return
    path = Path(output)
    if path.exists() and not path.is_file():
        return  # a folder, or a device
    if is_picture(path):
        raise click.UsageError(f"{output}: what encode writes ends in {SUFFIX}, not {path.suffix}")
    if not inputs.are_several and not is_ours(path):
        report.warn(output, f"a file, though it does not end in {SUFFIX}; add / for a folder")


def _refuse_ours(inputs: Inputs, report: Report) -> None:
    """Take out what is a .siren file by its name, such as ``*`` names the outputs of last time."""
    for each in [each for each in inputs.files if is_ours(Path(each.source))]:
        report.fail(each.source, ImageError("it is a .siren file already"))
        inputs.files.remove(each)


def _open_manifest(name: str | None, tasks: list[Task]) -> Manifest | None:
    """Name of the manifest, if one is wanted -> the file; its folder may be one of the outputs."""
    if name is None:
        return None
    folder = Path(name).absolute().parent
    if any(Path(task.output).absolute().is_relative_to(folder) for task in tasks):
        folder.mkdir(parents=True, exist_ok=True)
    return Manifest(name)


@contextmanager
def _machines(cluster: str | None, jobs: int) -> Iterator[tuple[Encoder, int, int]]:
    """Address and images at a time -> what encodes them, how many at a time, on how many cores."""
    if cluster is not None:
        from sirencodec.batch.cluster import cluster_encoder, connect

        with closing(connect(cluster)) as client:
            cores = max(1, sum(client.nthreads().values()))
            yield cluster_encoder(client), cores, cores
    elif jobs > 1:
        yield partial(encode_in_processes, jobs=jobs), jobs, os.cpu_count() or 1
    else:
        yield encode_in_turn, 1, os.cpu_count() or 1
