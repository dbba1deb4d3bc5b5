"""Many files by the command line: albums, twice over, with what people put into them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.command import FAST, names, ok, run
from tests.pictures import make_gradient


@pytest.fixture
def album(folder: Path) -> Path:
    """Three tiny pictures, two of them twins."""
    path = folder / "album"
    path.mkdir()
    for name in ("a.jpg", "a.png", "b.png"):
        make_gradient(8, 6).save(path / name)
    return path


def test_twins_are_both_made_and_it_is_said_once(album: Path) -> None:
    result = ok("encode", "-r", album, "-o", "out", *FAST)
    assert names(Path("out")) == ["a.jpg.siren", "a.png.siren", "b.siren"]
    said = "2 inputs differ in their suffix alone, which is kept: out/a.jpg.siren, out/a.png.siren"
    assert result.stderr.count(said) == 1
    assert "sirencodec: 3 encoded (" in result.stderr.splitlines()[-1]
    ok("decode", "-r", "out", "-o", "back")
    assert names(Path("back")) == ["a.jpg.png", "a.png.png", "b.png"]


def test_a_second_run_is_quiet(album: Path) -> None:
    ok("encode", "-r", album, "-o", "out", *FAST)
    for option in ("--skip-existing", "--newer"):
        result = ok("encode", "-r", album, "-o", "out", *FAST, option)
        assert result.stderr == "sirencodec: 0 encoded, 3 skipped, 0 failed\n"
    refused = run("encode", "-r", album, "-o", "out", *FAST)
    assert refused.exit_code == 1
    assert refused.stderr.endswith("sirencodec: 0 encoded, 0 skipped, 3 failed\n")


def test_decoding_goes_on_as_well(album: Path) -> None:
    ok("encode", "-r", album, "-o", "out", *FAST)
    ok("decode", "out/b.siren", "-o", "back/")
    result = ok("decode", "-r", "out", "-o", "back", "--skip-existing")
    assert result.stderr.endswith("sirencodec: 2 decoded, 1 skipped, 0 failed\n")


def test_every_suffix_is_kept_when_asked(album: Path) -> None:
    ok("encode", album / "b.png", "--keep-suffix", *FAST)
    assert (album / "b.png.siren").exists()


def test_the_date_of_the_input_is_kept_when_asked(album: Path) -> None:
    os.utime(album / "b.png", (1e9, 1e9))
    ok("encode", album / "b.png", "--keep-date", *FAST)
    assert (album / "b.siren").stat().st_mtime == 1e9


def test_a_manifest_is_written(album: Path) -> None:
    ok("encode", album / "b.png", "--manifest", "made.jsonl", "--bpp", "20", *FAST)
    line = json.loads(Path("made.jsonl").read_text())
    assert line["bytes"] == (album / "b.siren").stat().st_size
    assert line["settings"]["bpp"] == 20
    assert run("encode", album / "a.png", "--manifest", "no/such.jsonl").exit_code == 1


def test_pictures_that_are_not_read_are_counted_and_fail_the_run(album: Path) -> None:
    for name in ("c.CR2", "d.cr2", "e.mov", "f", "g.siren"):
        (album / name).write_bytes(b"")
    result = run("encode", "-r", album, "-o", "out", *FAST)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0].startswith("sirencodec: 2 .cr2 not read: a camera's raw data")
    assert lines[1] == "sirencodec: no pictures, passed over: 1 without suffix, 1 .mov"
    assert lines[-1].endswith("0 skipped, 2 pictures not read, 0 failed")
    assert len(names(Path("out"))) == 3


def test_what_is_no_picture_does_not_fail_the_run(album: Path) -> None:
    (album / "notes.txt").write_text("to do")
    assert "1 .txt" in ok("encode", "-r", album, "-o", "out", *FAST).stderr
