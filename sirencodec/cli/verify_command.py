"""``sirencodec verify``."""

import click

from sirencodec.batch.tasks import is_ours
from sirencodec.cli.inputs import find_command_inputs
from sirencodec.cli.options import FILE, device_option, limit_options, recursive_option
from sirencodec.cli.report import Report, debug_option, printable
from sirencodec.cli.streams import read_siren_file
from sirencodec.image.samples_hash import samples_hash
from sirencodec.limits import Limits


@click.command(
    short_help="Tell whether .siren files are sound.",
    epilog="""\b
Examples:
  sirencodec verify photo.siren
  sirencodec verify -r album""",
)
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@recursive_option
@device_option
@click.option("--samples", is_flag=True, help="Print a SHA-256 of the decoded samples too.")
@limit_options
@debug_option
def verify(
    files: tuple[str, ...],
    recursive: bool,
    device: str,
    samples: bool,
    max_pixels: int,
    max_multiply_adds: int,
) -> None:
    """Decode each FILE and tell whether it is sound, metadata included.

    FILE is a .siren file, a directory of them (with -r), or - for stdin. Exit code 1 if any is not
    sound. The samples of a file are the same on every machine, bit by bit, unless a GPU decodes.
    """
    limits = Limits(max_pixels=max_pixels, max_multiply_adds=max_multiply_adds)
    report = Report()
    inputs = find_command_inputs(files, report, recursive=recursive, wanted=is_ours)
    num_sound = 0
    for name in (each.source for each in inputs.files):
        with report.guarding(name):
            data = read_siren_file(name, limits)
            from sirencodec.decoder import decode

            image = decode(data, device=device, limits=limits)
            size = f"{image.width}x{image.height} {image.mode}"
            num_sound += 1
            line = f"{printable(name)}: ok, {size}, {len(data)} bytes"
            click.echo(f"{line}, samples {samples_hash(image.samples)}" if samples else line)
    if inputs.are_several:
        report.say(f"sirencodec: {num_sound} sound, {report.num_failures} failed")
    report.exit()
