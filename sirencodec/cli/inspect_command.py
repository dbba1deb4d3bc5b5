"""``sirencodec inspect``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sirencodec.batch.outputs import Existing, open_output
from sirencodec.cli.options import FILE, force_option, limit_options
from sirencodec.cli.report import Report, debug_option, emit_json, printable, say
from sirencodec.cli.streams import read_siren_file
from sirencodec.limits import Limits

if TYPE_CHECKING:
    from sirencodec.inspection.report import Inspection

PICTURE_SUFFIXES = (".png", ".svg", ".pdf")


def _check_suffix(
    _ctx: click.Context, _parameter: click.Parameter, output: str | None
) -> str | None:
    """Name of the picture -> the same, if its suffix says how to draw."""
    if output is not None and Path(output).suffix.lower() not in PICTURE_SUFFIXES:
        raise click.BadParameter(f"{output!r} does not end in {', '.join(PICTURE_SUFFIXES)}")
    return output


@click.command(
    short_help="Show what the network in a .siren file does.",
    epilog="""\b
Examples:
  sirencodec inspect photo.siren
  sirencodec inspect photo.siren -o report.png
  sirencodec inspect photo.siren --at-init -o start.svg
  sirencodec inspect --json photo.siren | jq '.layers[].shape_ks_distance'""",
)
@click.argument("file", type=FILE)
@click.option(
    "-o",
    "--output",
    type=FILE,
    callback=_check_suffix,
    metavar="OUT",
    help="Draw it: a .png, .svg or .pdf file. Needs matplotlib.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it all as a JSON object.")
@click.option(
    "--at-init", is_flag=True, help="Look at a freshly initialised network of the same shape."
)
@force_option
@limit_options
@debug_option
def inspect(
    file: str,
    output: str | None,
    as_json: bool,
    at_init: bool,
    force: bool,
    max_pixels: int,
    max_multiply_adds: int,
) -> None:
    """Show what the network in FILE does, layer by layer, beside what SIREN's theory predicts.

    For each layer the distribution of phases and of their sines over the image, with the
    Kolmogorov-Smirnov (KS) distance from theory's; the frequencies of the first layer; and what the
    bits are spent on.
    """
    limits = Limits(max_pixels=max_pixels, max_multiply_adds=max_multiply_adds)
    report = Report()
    with report.guarding(file):
        data = read_siren_file(file, limits)
        if output is None:
            found = _inspect(data, at_init, limits)
        else:
            found = _inspect_and_draw(data, at_init, limits, file, output, force)
            say(f"{printable(file)} -> {printable(output)}")
        if as_json:
            emit_json({"input": file, **asdict(found)})
        elif output is None:
            from sirencodec.cli.inspection_table import print_inspection

            print_inspection(printable(file), found)
    report.exit()


def _inspect(data: bytes, at_init: bool, limits: Limits) -> "Inspection":
    from sirencodec.inspection.inspect import inspect_bytes

    return inspect_bytes(data, at_init=at_init, limits=limits)


def _inspect_and_draw(
    data: bytes, at_init: bool, limits: Limits, name: str, output: str, force: bool
) -> "Inspection":
    """File -> what is found, drawn. Whether it can be drawn and written is seen before the work."""
    from sirencodec.inspection.plot import plot_inspection

    Path(output).parent.mkdir(parents=True, exist_ok=True)
    with open_output(output, Existing.REPLACE if force else Existing.REFUSE) as stream:
        found = _inspect(data, at_init, limits)
        figure = plot_inspection(found, printable(Path(name).name))
        figure.savefig(stream, format=Path(output).suffix[1:].lower())
    return found
