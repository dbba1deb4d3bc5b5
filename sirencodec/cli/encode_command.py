"""``sirencodec encode``."""

import math
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import click

from sirencodec.bitstream.info import describe
from sirencodec.cli.encode_files import Encoded, Failed, Outcome, encode_in_turn
from sirencodec.cli.options import (
    FILE,
    byte_size,
    device_option,
    force_option,
    output_option,
    recursive_option,
)
from sirencodec.cli.processes import encode_in_processes
from sirencodec.cli.progress import ProgressBars
from sirencodec.cli.report import Report, debug_option, emit_json, is_terminal
from sirencodec.cli.streams import open_output
from sirencodec.cli.tasks import STREAM, Task, leave_existing, plan_tasks
from sirencodec.config import (
    DEFAULT_EFFORT,
    DEFAULT_QUALITY,
    LARGEST_EFFORT,
    PROFILES,
    EncodeConfig,
)
from sirencodec.errors import ParameterError
from sirencodec.fitting.progress import FitProgress

SUFFIX = ".siren"

# Formats whose files Pillow identifies, but cannot turn into pixels, or only by running a program
# (which ``read_image`` refuses); and our own, which needs no encoding.
_NOT_FROM_DIRECTORIES = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF", "SIREN"}


@click.command(
    short_help="Turn images into .siren files.",
    epilog=f"""\b
Examples:
  sirencodec encode photo.png                      writes photo.siren
  sirencodec encode photo.png -o p.siren -q 80
  sirencodec encode *.jpg -o out/ --bpp 0.3 -j 4
  sirencodec encode -r album -o coded --size 20k
  sirencodec encode - < photo.png > photo.siren

The rate or quality is the one of -q, --bpp, --size and --psnr that is given; -q {DEFAULT_QUALITY:g}
if none is. Sizes: 10k and 10kB are 10 * 1000 bytes, 10KiB is 10 * 1024.""",
)
@click.argument("images", nargs=-1, required=True, type=FILE, metavar="IMAGE...")
@output_option
@click.option(
    "-q", "--quality", type=click.FloatRange(0, 100), metavar="Q", help="Sets the bits a pixel."
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
    "--profile",
    type=click.Choice(PROFILES),
    default="auto",
    show_default=True,
    help="Latent grids and a network (pyramid), a network alone (pure), or what suits the image.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, metavar="N", help="Of all randomness."
)
@device_option
@click.option("--strip", is_flag=True, help="Leave out ICC profile, EXIF and XMP.")
@recursive_option
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    default=1,
    show_default=True,
    help="Images at a time; they share the cores.",
)
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each file.")
@debug_option
def encode(
    images: tuple[str, ...],
    output: str | None,
    recursive: bool,
    jobs: int,
    force: bool,
    as_json: bool,
    **options: object,
) -> None:
    """Fit a function to each IMAGE and write it to a .siren file.

    IMAGE is a file of any format that Pillow reads, a directory (with -r), or - for stdin. The
    output lies beside it, or where -o says. Metadata is kept unless --strip is given.
    """
    try:
        config = EncodeConfig(**options)  # type: ignore[arg-type]  # click has seen to the types
    except ParameterError as error:
        raise click.UsageError(str(error)) from error
    tasks = plan_tasks(images, output, recursive=recursive, wanted=_is_picture, suffix=SUFFIX)
    if as_json and any(task.output == STREAM for task in tasks):
        raise click.UsageError("the file and --json cannot both go to stdout")
    report = Report()
    tasks = leave_existing(tasks, force, report)
    on_one_screen = as_json and is_terminal(sys.stdout)
    with ProgressBars(report, is_wanted=not on_one_screen) as bars:
        listener = _Listener(report, bars)
        with closing(_outcomes(tasks, config, jobs, listener)) as outcomes:
            for task, outcome in outcomes:
                bars.finish(task.source)
                if isinstance(outcome, Failed):
                    report.fail_with(outcome.reason, outcome.details)
                    continue
                with report.guarding(task.source):
                    with open_output(task.output, overwrite=force) as file:
                        file.write(outcome.data)
                    report.say(_summary(task, outcome))
                    if as_json:
                        emit_json(_record(task, outcome, config))
    report.exit()


def _outcomes(
    tasks: list[Task], config: EncodeConfig, jobs: int, listener: "_Listener"
) -> Generator[tuple[Task, Outcome], None, None]:
    """Tasks -> their outcomes; no more processes than tasks, and none for a single one."""
    jobs = min(jobs, len(tasks))
    if jobs > 1:
        return encode_in_processes(tasks, config, jobs, listener)
    return encode_in_turn(tasks, config, listener)


class _Listener:
    """Shows what happens while files are encoded."""

    def __init__(self, report: Report, bars: ProgressBars) -> None:
        self._report = report
        self._bars = bars

    def on_step(self, task: Task, progress: FitProgress) -> None:
        """Move the file's bar."""
        self._bars.update(task.source, progress)

    def on_warning(self, task: Task, text: str) -> None:
        """Say so."""
        self._report.warn(task.source, text)


def _is_picture(path: Path) -> bool:
    """Whether Pillow reads files of this extension."""
    import PIL.Image

    name = PIL.Image.registered_extensions().get(path.suffix.lower())
    return name in PIL.Image.OPEN and name not in _NOT_FROM_DIRECTORIES


def _summary(task: Task, encoded: Encoded) -> str:
    """What became of an image, in a line."""
    return (
        f"{task.source} -> {task.output}: {encoded.width}x{encoded.height} {encoded.mode}, "
        f"{len(encoded.data)} bytes, {encoded.bpp:.3f} bpp, {encoded.psnr_db:.2f} dB, "
        f"{encoded.seconds:.1f} s"
    )


def _record(task: Task, encoded: Encoded, config: EncodeConfig) -> dict[str, object]:
    """The same for programs. The keys are part of the interface."""
    return {
        "input": task.source,
        "output": task.output,
        "width": encoded.width,
        "height": encoded.height,
        "mode": encoded.mode,
        "bytes": len(encoded.data),
        "bpp": encoded.bpp,
        "psnr_db": encoded.psnr_db if math.isfinite(encoded.psnr_db) else None,
        "profile": describe(encoded.data).profile,
        "effort": config.effort,
        "seconds": encoded.seconds,
    }
