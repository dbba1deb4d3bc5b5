"""``sirencodec info``."""

from dataclasses import asdict

import click

from sirencodec.batch.tasks import is_ours
from sirencodec.bitstream.container import parse_container
from sirencodec.bitstream.info import GridSegments, Info, describe
from sirencodec.bitstream.metadata_section import read_metadata
from sirencodec.cli.inputs import find_command_inputs
from sirencodec.cli.options import FILE, recursive_option
from sirencodec.cli.report import Report, debug_option, emit_json, printable
from sirencodec.cli.shown import TURNS, shown_size
from sirencodec.cli.streams import read_siren_file
from sirencodec.errors import CorruptError, LimitError
from sirencodec.image.exif import read_orientation
from sirencodec.image.metadata import Metadata
from sirencodec.limits import Limits

# Nothing is decoded, so what decoding would take need not bother anyone.
_LIMITS = Limits(max_pixels=2**62, max_parameters=2**62)


@click.command(
    short_help="Tell what a .siren file holds.",
    epilog="""\b
Examples:
  sirencodec info photo.siren
  sirencodec info -r album
  sirencodec info --json *.siren | jq .bpp""",
)
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@recursive_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each file.")
@debug_option
def info(files: tuple[str, ...], recursive: bool, as_json: bool) -> None:
    """Tell what each FILE holds, without decoding it; with -r, all files of a directory.

    The checksums are verified. Whether the file decodes as well, 'sirencodec verify' tells.
    """
    report = Report()
    inputs = find_command_inputs(files, report, recursive=recursive, wanted=is_ours)
    for name in (each.source for each in inputs.files):
        with report.guarding(name):
            data = read_siren_file(name, _LIMITS)
            facts = describe(data, _LIMITS)
            metadata, damage = _read_metadata(data)
            if as_json:
                shown = _shown_record(facts, metadata)
                record = {**asdict(facts), **shown, **_metadata_record(metadata, damage)}
                emit_json({"input": name, **record})
            else:
                click.echo(printable(name))
                for label, text in _table(facts, metadata, damage):
                    click.echo(f"  {label:<10}{text}")
    report.exit()


def _read_metadata(data: bytes) -> tuple[Metadata, str | None]:
    """File -> its metadata, and what is wrong with it if something is."""
    try:
        return read_metadata(parse_container(data, _LIMITS), _LIMITS), None
    except (CorruptError, LimitError) as error:
        return Metadata(), str(error)


def _shown_record(facts: Info, metadata: Metadata) -> dict[str, object]:
    """Facts -> entries of the JSON object: how a viewer turns the picture, and its sides then."""
    orientation = read_orientation(metadata.exif)
    width, height = shown_size(facts.width, facts.height, orientation)
    return {"orientation": orientation, "shown_width": width, "shown_height": height}


def _metadata_record(metadata: Metadata, damage: str | None) -> dict[str, object]:
    """Metadata -> entries of the JSON object: sizes, and whether they can be trusted."""
    return {
        "icc_profile_bytes": len(metadata.icc_profile or b""),
        "exif_bytes": len(metadata.exif or b""),
        "xmp_bytes": len(metadata.xmp or b""),
        "metadata_error": damage,
    }


def _table(facts: Info, metadata: Metadata, damage: str | None) -> list[tuple[str, str]]:
    """Facts -> lines of a label and a text."""
    return [
        *_describe_sides(facts, metadata),
        ("file", f"{facts.file_bytes:,} bytes, {facts.bpp:.3f} bits a pixel"),
        ("format", f"version {facts.format_version}, profile {facts.profile}"),
        (
            "network",
            f"{facts.hidden_features} wide, {facts.hidden_layers} hidden layers, "
            f"omega_0 {facts.omega_0}; {facts.num_parameters:,} parameters",
        ),
        ("latents", _describe_latents(facts)),
        *(("segments", _describe_segments(each)) for each in facts.segments),
        ("decoding", _describe_decoding(facts)),
        ("metadata", _describe_metadata(facts, metadata, damage)),
    ]


def _describe_sides(facts: Info, metadata: Metadata) -> list[tuple[str, str]]:
    """The picture as shown, and as stored if that differs."""
    orientation = read_orientation(metadata.exif)
    width, height = shown_size(facts.width, facts.height, orientation)
    lines = [("picture", f"{width} x {height}, {facts.mode}, {facts.bit_depth} bits")]
    if orientation in TURNS:
        turn = f"{facts.width} x {facts.height}, to be {TURNS[orientation]}"
        lines.append(("stored", f"{turn} (EXIF orientation {orientation})"))
    return lines


def _describe_decoding(facts: Info) -> str:
    work = f"{facts.multiply_adds_per_pixel:,} multiply-adds a pixel"
    return f"{work}; refused at this size: {facts.refusal}" if facts.refusal else work


def _describe_latents(facts: Info) -> str:
    if not facts.grids:
        return "none"
    strides = f"1/{facts.grids[0]} to 1/{facts.grids[-1]}"
    return f"{facts.num_latents:,} in {len(facts.grids)} grids, {strides} of the size"


def _describe_segments(segments: GridSegments) -> str:
    strides = [f"1/{stride}" for stride in segments.grids]
    grids = f"grids {strides[0]} to {strides[-1]}" if len(strides) > 1 else f"grid {strides[0]}"
    return f"{segments.num_bytes:,} bytes of {grids}, in {segments.count:,}"


def _describe_metadata(facts: Info, metadata: Metadata, damage: str | None) -> str:
    if damage is not None:
        return f"damaged: {damage}; the picture is not affected"
    parts = {"ICC profile": metadata.icc_profile, "EXIF": metadata.exif, "XMP": metadata.xmp}
    sizes = [f"{name} {len(part):,} bytes" for name, part in parts.items() if part]
    if not sizes:
        return "none"
    return f"{', '.join(sizes)}; {facts.metadata_bytes:,} compressed"
