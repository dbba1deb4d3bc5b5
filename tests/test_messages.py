"""What every command says of inputs that are broken: ours, in a line each, with what to do."""

from __future__ import annotations

import io
import os
import re
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.broken_files import take_apart
from tests.command import run
from tests.paths import VALID
from tests.pictures import make_gradient
from tests.unit.image.builders import make_png

# Names of classes and modules, numbers that only Pillow understands, its jokes.
FOREIGN = re.compile(
    r"[A-Z]\w*(Error|Exception|Warning)|PIL|Pillow|\bDOS\b|processed|decoder|-\d|_"
)

PYRAMID = (VALID / "1-pyramid-half.siren").read_bytes()
DAMAGED = "the file is damaged, or of a kind that is not read"
TOO_MANY = " pixels exceed the limit of 134217728; see --max-pixels"


def picture(file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    make_gradient(24, 16).save(file, file_format, **options)
    return file.getvalue()


def cut(file_format: str, share: float) -> Callable[[], bytes]:
    def make() -> bytes:
        whole = picture(file_format)
        return whole[: int(share * len(whole))]

    return make


def damaged_lzw() -> bytes:
    """What makes libtiff write to stderr, whatever Pillow makes of it."""
    whole = bytearray(picture("TIFF", compression="tiff_lzw"))
    (directory,) = struct.unpack_from("<I", whole, 4)
    strip = 8 if directory > 8 else 200
    whole[strip + 4 : strip + 40] = bytes(36 * [0xFF])
    return bytes(whole)


PICTURES = {
    "empty.png": (lambda: b"", "the file is empty"),
    "notes.jpg": (lambda: b"dear diary", "not an image, or of a format that is not known"),
    "bomb.png": (lambda: make_png((60000, 60000, 8, 2), b""), "3600000000" + TOO_MANY),
    "large.png": (lambda: make_png((14000, 14000, 8, 2), b""), "196000000" + TOO_MANY),
    "head.png": (lambda: picture("PNG")[:30], f"it begins as PNG files do; {DAMAGED}"),
    "cut.png": (cut("PNG", 0.6), "the file ends early"),
    "cut.jpg": (cut("JPEG", 0.9), "the file ends early"),
    "cut.tif": (cut("TIFF", 0.5), "the file ends early"),
    "cut.bmp": (cut("BMP", 0.5), "the file ends early"),
    "cut.webp": (cut("WEBP", 0.5), DAMAGED),
    "lzw.tif": (damaged_lzw, DAMAGED),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("command", ["encode", "encode --dry-run", "encode -r --json"])
def test_pictures(command: str, name: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make, reason = PICTURES[name]
    (folder / name).write_bytes(make())
    (folder / "a.png").unlink()
    result = run(*command.split(), "." if "--json" in command else name)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0] == f"sirencodec: {name}: {reason}"
    said = lines[0].removeprefix(f"sirencodec: {name}: ")
    assert not FOREIGN.search(said)
    assert capfd.readouterr() == ("", ""), "libraries write past Python"


@pytest.mark.parametrize("command", ["decode", "info", "verify", "inspect"])
@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (0.0, "not a .siren file"),
        (0.03, "file ends"),
        (0.5, "file ends early"),
        (0.98, "file ends early"),
    ],
)
def test_files_of_ours(command: str, kept: float, reason: str, folder: Path) -> None:
    size = max(5 * (kept > 0), int(kept * len(PYRAMID)))
    (folder / "short.siren").write_bytes(PYRAMID[:size])
    result = run(command, "short.siren")
    assert result.exit_code == 1
    said = result.stderr.splitlines()[0]
    assert said.startswith(f"sirencodec: short.siren: {reason}")
    assert not re.search(r"[A-Z]\w*Error", said)


@pytest.mark.parametrize("command", ["decode", "verify", "inspect"])
def test_damage_names_what_helps(command: str, folder: Path) -> None:
    parts = take_apart(PYRAMID)
    segments = [each for each in parts.segments if each]
    damaged = PYRAMID.replace(segments[-1], bytes([segments[-1][0] ^ 1]) + segments[-1][1:])
    (folder / "damaged.siren").write_bytes(damaged)
    result = run(command, "damaged.siren")
    assert result.exit_code == 1
    option = "--partial" if command == "decode" else "decode --partial"
    said = "sirencodec: damaged.siren: damaged: checksum of a segment does not match "
    assert result.stderr.startswith(said)
    assert f"; {option} makes a picture of the rest\n" in result.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", ["encode", "encode --dry-run", "decode", "info", "inspect"])
def test_what_is_no_file(command: str) -> None:
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        expected = {
            "loop": "Too many levels of symbolic links",
            "dangling": "No such file or directory",
            "missing": "No such file or directory",
            "socket": "it is a socket, or a device that is not there",
        }
        for name, reason in expected.items():
            result = run(*command.split(), name)
            assert result.exit_code == 1
            assert result.stderr.splitlines()[0] == f"sirencodec: {name}: {reason}"


@pytest.mark.usefixtures("folder")
def test_one_that_is_not_readable_stops_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root reads anything, so that the system's answer is made up."""
    Path("locked.siren").write_bytes(PYRAMID)
    Path("open.siren").write_bytes(PYRAMID)
    monkeypatch.setattr(os, "access", lambda path, mode: "locked" not in str(path))
    result = run("info", "locked.siren", "open.siren")
    assert "open.siren" in result.stdout
    assert result.exit_code == 0, "the system, asked for the file itself, gives it to root"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
@pytest.mark.usefixtures("folder")
def test_a_full_device_is_named() -> None:
    Path("a.siren").write_bytes(PYRAMID)
    result = run("decode", "a.siren", "-o", "/dev/full")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "sirencodec: /dev/full: No space left on device"


@pytest.mark.usefixtures("folder")
def test_a_format_that_cannot_hold_a_picture_names_one_that_can() -> None:
    Path("a.siren").write_bytes(PYRAMID)
    result = run("decode", "a.siren", "-o", "wide.webp", "--width", "1", "--height", "17000")
    assert result.exit_code == 1
    reason = "cannot write 1 x 17000 pixels as WEBP: the format does not hold them; PNG does"
    assert result.stderr == f"sirencodec: a.siren: {reason}\n"
