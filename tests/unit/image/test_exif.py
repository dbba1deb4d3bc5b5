"""EXIF in bytes: its orientation, and itself without the location."""

import struct

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags

from sirencodec.image.exif import read_orientation, remove_location, remove_xmp_location
from tests.unit.image.builders import XMP, make_exif


def body(exif: bytes) -> bytes:
    return exif.removeprefix(b"Exif\0\0")


def parsed(exif: bytes) -> PIL.Image.Exif:
    found = PIL.Image.Exif()
    found.load(exif)
    return found


def big_endian(*entries: tuple[int, int]) -> bytes:
    """EXIF of short values in the other order of bytes."""
    parts = [struct.pack(">2sHIH", b"MM", 42, 8, len(entries))]
    parts += [struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in entries]
    return b"".join(parts) + bytes(4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation: int) -> None:
    assert read_orientation(body(make_exif(orientation=orientation))) == orientation
    assert read_orientation(big_endian((0x010F, 7), (0x0112, orientation))) == orientation


@pytest.mark.parametrize(
    "exif",
    [None, b"", b"II*\0", b"II*\0\xff\xff\xff\xff", body(make_exif()), big_endian((274, 99))],
)
def test_upright_is_what_nothing_else_is_said_of(exif: bytes | None) -> None:
    assert read_orientation(exif) == 1


def test_location_goes_and_all_else_stays_where_it_is() -> None:
    exif = body(make_exif(orientation=6))
    place = struct.pack("<2I", 48, 1)  # the degrees of its latitude
    assert place in exif
    without = remove_location(exif)
    assert without is not None
    assert len(without) == len(exif)
    assert place not in without
    found = parsed(without)
    assert found.get_ifd(ExifTags.IFD.GPSInfo) == {}
    assert ExifTags.IFD.GPSInfo not in found
    assert found[ExifTags.Base.Make] == "Maker"
    assert found[ExifTags.Base.Orientation] == 6
    assert found.get_ifd(ExifTags.IFD.Exif) == parsed(exif).get_ifd(ExifTags.IFD.Exif)


def test_exif_without_location_stays_as_it_is() -> None:
    exif = big_endian((0x0112, 3))
    assert remove_location(exif) == exif


def test_nothing_is_left_of_exif_that_holds_a_location_alone() -> None:
    exif = PIL.Image.Exif()
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (48.0, 30.0, 12.5)}
    assert remove_location(body(exif.tobytes())) is None


@pytest.mark.parametrize(
    "exif", [b"", b"odd", b"II*\0", b"II*\0\x08\0\0\0\x05\0", b"II*\0\xff\0\0\0"]
)
def test_damaged_exif_is_told(exif: bytes) -> None:
    with pytest.raises(ValueError, match="EXIF"):
        remove_location(exif)


@given(st.data())
def test_damage_raises_nothing_else(data: st.DataObject) -> None:
    broken = bytearray(body(make_exif(orientation=6)))
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    assert 1 <= read_orientation(bytes(broken)) <= 8
    try:
        without = remove_location(bytes(broken))
    except ValueError:
        return
    assert without is None or len(without) == len(broken)


def test_location_goes_from_xmp() -> None:
    xmp = b"""<x><rdf:Description exif:GPSLatitude="48,30.2N" exif:Make='M' dc:title="GPS"
      exif:GPSLongitude = '2,17E'><exif:GPSAltitude>35/1</exif:GPSAltitude><exif:GPSMapDatum/>
      <exif:Flash>1</exif:Flash></rdf:Description></x>"""
    without = remove_xmp_location(xmp)
    for gone in (b"48,30", b"2,17E", b"35/1", b"GPSMapDatum"):
        assert gone not in without
    for kept in (b"exif:Make='M'", b'dc:title="GPS"', b"<exif:Flash>1</exif:Flash>"):
        assert kept in without
    assert remove_xmp_location(XMP) == XMP


@pytest.mark.parametrize(
    "part",
    [
        b" ",
        b"<exif:GPSa",
        b"<exif:GPSa>",
        b"<exif:GPS%d>",
        b" exif:GPSa=",
        b" exif:GPSa='",
        b"</exif:GPSa>",
    ],
    ids=bytes.decode,
)
def test_xmp_that_repeats_itself_is_read_once(part: bytes) -> None:
    """Two megabytes: looked at again from every start, they would take hours."""
    count = 2_000_000 // len(part)
    xmp = b"".join(part % i for i in range(count)) if b"%" in part else part * count
    assert len(remove_xmp_location(xmp)) <= len(xmp)


def test_tags_within_tags_go_together() -> None:
    xmp = b"<x> <exif:GPSa> 1 <exif:GPSb> 2 </exif:GPSa> 3 </exif:GPSb> <exif:GPSc> 4 </x>"
    assert remove_xmp_location(xmp) == b"<x>  <exif:GPSc> 4 </x>"


def test_a_location_of_many_values_is_overwritten_once() -> None:
    """65,535 entries that all point at the same megabytes."""
    count, size = 65_535, 4_000_000
    head = struct.pack("<2sHIH", b"II", 42, 8, 2)
    head += (
        struct.pack("<HHII", 0x010F, 2, 4, 0) + struct.pack("<HHII", 0x8825, 4, 1, 38) + bytes(4)
    )
    entry = struct.pack("<HHII", 2, 1, size, 44 + 12 * count)
    directory = struct.pack("<H", count) + count * entry + bytes(4)
    without = remove_location(head + directory + b"\1" * size)
    assert without is not None
    assert b"\1" * 9 not in without


def test_several_locations_are_damage() -> None:
    head = struct.pack("<2sHIH", b"II", 42, 8, 3)
    entries = struct.pack("<HHII", 0x010F, 2, 4, 0) + 2 * struct.pack("<HHII", 0x8825, 4, 1, 50)
    with pytest.raises(ValueError, match="several"):
        remove_location(head + entries + bytes(20))
