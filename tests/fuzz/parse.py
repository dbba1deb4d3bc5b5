#!/usr/bin/env python3
"""Fuzz target of parsing, which Python does: `make fuzz`, with atheris.

An input is a file. It is read as it is; then with right checksums, which no mutation would find, so
that what lies behind them is reached: matrices, segments, metadata, a small decode. Whole or in
parts, a file must be read the same way, and end in the package's own errors or in none.
"""

from __future__ import annotations

import io
import sys
import warnings
import zlib
from contextlib import nullcontext, suppress
from dataclasses import replace

try:
    import atheris
except ModuleNotFoundError:  # a test reads the corpus without
    instrumented = nullcontext()
else:
    instrumented = atheris.instrument_imports(include=["sirencodec"])

with instrumented:
    from sirencodec.bitstream.container import Container, checksum, parse_container
    from sirencodec.bitstream.info import describe
    from sirencodec.bitstream.segments import segment_checksum
    from sirencodec.bitstream.source import FileSource, Source
    from sirencodec.entropy.stored import StoredPicture
    from sirencodec.errors import CorruptError, FormatError, LimitError, SirenCodecError
    from sirencodec.image.exif import (
        TURNED,
        UPRIGHT,
        read_orientation,
        remove_location,
        remove_xmp_location,
    )
    from sirencodec.limits import Limits
    from sirencodec.synthesis.picture import to_picture
    from sirencodec.synthesis.region import check_work, choose_region
    from sirencodec.synthesis.samples import samples_on, windows_on

LIMITS = Limits(
    max_file_bytes=2**16,
    max_pixels=2**20,
    max_parameters=2_000,
    max_latents=2**12,
    max_multiply_adds=2**22,
    max_metadata_bytes=2**16,
)


class Dribble(io.BytesIO):
    """An open file that gives few bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size if size is None or size < 0 else min(size, 7))


def outcome(source: bytes | Source, *, partial: bool) -> Container | str:
    """File -> its parts, or the error that it is."""
    try:
        return parse_container(source, LIMITS, partial=partial)
    except SirenCodecError as error:
        return repr(error)


def with_right_head(data: bytes) -> bytes:
    """File -> the same, the checksum of its head made right where that was all that was wrong."""
    try:
        parse_container(data, LIMITS, partial=True)
    except CorruptError as error:
        if "checksum of the picture" in str(error) and error.offset is not None:
            end = error.offset
            return data[:end] + zlib.crc32(data[:end]).to_bytes(4, "little") + data[end + 4 :]
    except SirenCodecError:
        pass
    return data


def trusted(container: Container) -> Container:
    """Container -> the same, its other checksums being those of the bytes that are there."""
    table = container.table
    for index in range(len(table)):
        if not table.is_zero(index):
            table.checksums[index] = segment_checksum(container.segment(index))
    if container.metadata is None:
        return container
    return replace(container, metadata_checksum=checksum(container.metadata))


def decode(container: Container, *, partial: bool) -> None:
    """Container -> metadata and samples, few and small, or an error of ours."""
    stored = StoredPicture(container, LIMITS, partial=partial)
    for step in (stored.read_metadata, lambda: paint(stored)):
        with suppress(FormatError, LimitError):
            step()


def paint(stored: StoredPicture) -> None:
    """As ``decode_samples`` does it."""
    header = stored.header
    region = choose_region(header, width=5, height=3)
    windows = windows_on("cpu", region, header)
    check_work(header, region, LIMITS, stored.check_latents(windows))
    samples = samples_on("cpu", to_picture(stored.decode(windows), header), region, exact=False)
    if samples.shape[:2] != (3, 5):
        raise AssertionError(samples.shape)


def read(data: bytes) -> None:
    """File -> nothing, if all is well."""
    for partial in (False, True):
        found = outcome(data, partial=partial)
        if found != outcome(FileSource(Dribble(data)), partial=partial):
            raise AssertionError("read in parts, the file is another one")
        if isinstance(found, Container):
            decode(trusted(found), partial=partial)
    with suppress(FormatError, LimitError):
        describe(data, LIMITS)


def read_tags(data: bytes) -> None:
    """EXIF or XMP -> nothing, if all is well; both lie compressed in a file."""
    if not UPRIGHT <= read_orientation(data) <= max(TURNED):
        raise AssertionError("no orientation")
    with suppress(ValueError):
        remove_location(data)
    remove_xmp_location(data)


def check(data: bytes) -> None:
    """Input of the fuzzer -> an exception where something is wrong."""
    read_tags(data)
    read(data)
    mended = with_right_head(data)
    if mended != data:
        read(mended)


if __name__ == "__main__":
    warnings.simplefilter("error")
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
