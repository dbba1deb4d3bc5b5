"""``sirencodec decode``."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sirencodec.batch.outputs import (
    Existing,
    check_namesakes,
    copy_date,
    make_folders,
    open_output,
    remove_leftovers_beside,
)
from sirencodec.batch.tasks import STREAM, Task, is_ours
from sirencodec.cli.inputs import find_command_inputs, leave_existing, plan_command_tasks
from sirencodec.cli.options import (
    FILE,
    StripCommand,
    choose_existing,
    crop_box,
    device_option,
    existing_options,
    keep_date_option,
    limit_options,
    output_option,
    recursive_option,
    strip_option,
)
from sirencodec.cli.report import Report, debug_option, emit_json, outcome_record
from sirencodec.cli.shown import read_orientation_of
from sirencodec.cli.streams import open_siren_file
from sirencodec.errors import ParameterError
from sirencodec.image.exif import TURNED
from sirencodec.limits import Limits

if TYPE_CHECKING:
    from sirencodec.image.image import Image

DEFAULT_FORMAT = "png"


@click.command(
    cls=StripCommand,
    short_help="Turn .siren files into images of any size.",
    epilog="""\b
Examples:
  sirencodec decode photo.siren                       writes photo.png
  sirencodec decode photo.siren -o large.jpg --width 4096
  sirencodec decode photo.siren --width 800 --as-stored     not turned by its EXIF
  sirencodec decode -r coded -o album --skip-existing
  sirencodec decode photo.siren -o part.png --crop 100,50,64,64 --scale 8
  sirencodec decode *.siren -o out/ --format webp
  sirencodec decode - < photo.siren > photo.png""",
)
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@output_option
@click.option(
    "--width",
    type=click.IntRange(min=1),
    metavar="W",
    help="Pixels across, as shown; the height follows.",
)
@click.option(
    "--height",
    type=click.IntRange(min=1),
    metavar="H",
    help="Pixels down, as shown. With --width as well, stretched.",
)
@click.option(
    "--as-stored",
    is_flag=True,
    help="--width and --height are of the file's pixels, which viewers may turn by its EXIF.",
)
@click.option(
    "--scale",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    help="Factor on both sides.",
)
@click.option(
    "--crop",
    type=crop_box,
    metavar="X,Y,W,H",
    help="Part to decode, in stored pixels.",
)
@click.option(
    "--format", "file_format", metavar="NAME", help="Such as png or tiff; else by the name of OUT."
)
@click.option("--exact", is_flag=True, help="Compute in 64 bits. The default is within one level.")
@click.option(
    "--partial",
    is_flag=True,
    help="Make what can be made of a file that was cut off or damaged.",
)
@strip_option
@device_option
@recursive_option
@existing_options
@keep_date_option
@limit_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each file.")
@debug_option
def decode(
    files: tuple[str, ...],
    output: str | None,
    file_format: str | None,
    recursive: bool,
    force: bool,
    skip_existing: bool,
    newer: bool,
    keep_date: bool,
    max_pixels: int,
    max_multiply_adds: int,
    as_json: bool,
    as_stored: bool,
    **options: Any,
) -> None:
    """Decode each FILE to an image, at its own size or any other.

    FILE is a .siren file, a directory of them (with -r), or - for stdin. The image is a PNG beside
    it, or where -o says, of the format its name says. Enlarging asks the function between the
    stored pixels; shrinking averages. Files of one name keep their folder below -o.

    --width and --height are those of the picture as viewers show it, turned by its EXIF; --crop is
    of the stored pixels.
    """
    options["strip"] = options["strip"] or False
    if options["scale"] and (options["width"] or options["height"]):
        raise click.UsageError("give --scale or a size, not both")
    existing = choose_existing(force, skip_existing, newer)
    report = Report()
    inputs = find_command_inputs(files, report, recursive=recursive, wanted=is_ours)
    suffix = _choose_suffix(output, file_format, several=inputs.are_several)
    tasks, _ = plan_command_tasks(inputs, output, suffix=suffix)
    for task in tasks:
        if file_format is None and task.output != STREAM and not Path(task.output).suffix:
            report.warn(task.output, f"no suffix says which format; it is {suffix[1:].upper()}")
    if as_json and any(task.output == STREAM for task in tasks):
        raise click.UsageError("the image and --json cannot both go to stdout")
    limits = Limits(max_pixels=max_pixels, max_multiply_adds=max_multiply_adds)
    due, num_skipped = leave_existing(tasks, existing, report, as_json=as_json)
    make_folders(due)
    remove_leftovers_beside(due)
    num_decoded = 0
    for task in due:
        with report.guarding(task.source, task if as_json else None):
            started = time.perf_counter()
            check_namesakes(task)
            image = _decode(task, limits, as_stored, options)
            num_bytes = _write(image, task, suffix, existing, with_date=keep_date)
            seconds = time.perf_counter() - started
            num_decoded += 1
            shape = f"{image.width}x{image.height} {image.mode}"
            report.say(f"{task.source} -> {task.output}: {shape}, {seconds:.1f} s")
            if as_json:
                emit_json(
                    outcome_record("decoded", task)
                    | {
                        "width": image.width,
                        "height": image.height,
                        "mode": image.mode,
                        "bytes": num_bytes,
                        "seconds": seconds,
                    }
                )
    if inputs.are_several or num_skipped:
        counts = f"{num_decoded} decoded, {num_skipped} skipped, {report.num_failures} failed"
        report.say(f"sirencodec: {counts}")
    report.exit()


def _choose_suffix(output: str | None, file_format: str | None, *, several: bool) -> str:
    """The user's wishes -> extension of a format that can be written.

    Raises:
        click.UsageError: if it cannot, or if a picture is named where a folder is meant.
    """
    from sirencodec.image.formats import find_file_format

    is_file = output is not None and not output.endswith(os.sep) and not os.path.isdir(output)
    ending = Path(output).suffix if output is not None and is_file and output != STREAM else ""
    if several and ending:
        with suppress(ParameterError):
            extension = find_file_format(ending).extensions[0]
            raise click.UsageError(
                f"{output} is one file, and there are several inputs; a folder ends in /, and "
                f"--format {extension[1:]} makes such files in it"
            )
    try:
        name = file_format or ("" if several else ending) or DEFAULT_FORMAT
        return find_file_format(name).extensions[0]
    except ParameterError as error:
        raise click.UsageError(str(error)) from error


def _decode(task: Task, limits: Limits, as_stored: bool, options: dict[str, Any]) -> "Image":
    """File -> image, its sizes those of the picture as shown unless told otherwise."""
    data = open_siren_file(task.source, limits)
    from sirencodec.decoder import decode as decode_bytes

    sizes = {"width": options["width"], "height": options["height"]}
    if not as_stored and any(sizes.values()):
        is_turned = read_orientation_of(data, limits, partial=options["partial"]) in TURNED
        if is_turned:
            sizes = {"width": sizes["height"], "height": sizes["width"]}
    return decode_bytes(data, limits=limits, **{**options, **sizes})


def _write(image: "Image", task: Task, suffix: str, existing: Existing, *, with_date: bool) -> int:
    """Image -> file; returns its size in bytes, 0 if that is a pipe."""
    from sirencodec.image.files import write_image

    with open_output(task.output, existing) as file:
        write_image(image, file, file_format=suffix)
        if with_date:
            file.flush()
            copy_date(task.source, file)
        return file.tell() if file.seekable() else 0
