"""``sirencodec verify``."""

import click

from sirencodec.cli.options import FILE, device_option, limit_options
from sirencodec.cli.report import Report, debug_option, printable
from sirencodec.cli.streams import read_siren_file
from sirencodec.errors import SirenCodecError
from sirencodec.limits import Limits


@click.command(
    short_help="Tell whether .siren files are sound.",
    epilog="""\b
Examples:
  sirencodec verify photo.siren
  find . -name '*.siren' -exec sirencodec verify {} +""",
)
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@device_option
@limit_options
@debug_option
def verify(files: tuple[str, ...], device: str, max_pixels: int, max_multiply_adds: int) -> None:
    """Decode each FILE and tell whether it is sound, metadata included.

    Exit code 1 if any is not.
    """
    limits = Limits(max_pixels=max_pixels, max_multiply_adds=max_multiply_adds)
    report = Report()
    for name in files:
        with report.guarding(name):
            data = read_siren_file(name, limits)
            from sirencodec.decoder import decode

            try:
                image = decode(data, device=device, limits=limits)
            except SirenCodecError as error:
                raise type(error)(f"{type(error).__name__}: {error}") from error
            size = f"{image.width}x{image.height} {image.mode}"
            click.echo(f"{printable(name)}: ok, {size}, {len(data)} bytes")
    report.exit()
