"""Many files by the command line: albums, twice over, with what people put into them."""

from __future__ import annotations

import json
import os
import re
import resource
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import PIL.Image
import pytest

from sirencodec.cli import main
from sirencodec.config import EncodeConfig
from sirencodec.limits import DEFAULT_LIMITS
from tests.command import FAST, names, ok, run
from tests.paths import ROOT
from tests.pictures import make_gradient
from tests.unit.image.builders import make_png


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
    said = "2 inputs would share an output; they keep what tells them apart: "
    said += "out/a.jpg.siren, out/a.png.siren"
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


def test_pictures_of_one_name_keep_their_folder(folder: Path) -> None:
    for number, year in enumerate(("2024", "2025")):
        (folder / year).mkdir()
        make_gradient(8, 6 + number).save(folder / year / "a.png")
    wanted = ("encode", "2024/a.png", "2025/a.png", "-o", "out", *FAST)
    result = ok(*wanted, "--manifest", "made.jsonl")
    assert "tells them apart: out/2024/a.siren, out/2025/a.siren" in result.stderr
    made = [json.loads(line) for line in Path("made.jsonl").read_text().splitlines()]
    assert [(line["input"], line["output"], line["height"]) for line in made] == [
        ("2024/a.png", "out/2024/a.siren", 6),
        ("2025/a.png", "out/2025/a.siren", 7),
    ]
    Path("out/2025/a.siren").unlink()
    result = ok(*wanted, "--skip-existing", "--manifest", "made.jsonl")
    assert result.stderr.splitlines()[-1].startswith("sirencodec: 1 encoded (")
    assert ok(*wanted, "--skip-existing").stderr == "sirencodec: 0 encoded, 2 skipped, 0 failed\n"
    ok("decode", "out/2025/a.siren", "out/2024/a.siren", "-o", "back")
    assert names(Path("back")) == ["2024/a.png", "2025/a.png"]


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
    ok("decode", album / "b.siren", "-o", "back.png", "--keep-date")
    assert Path("back.png").stat().st_mtime == 1e9


def test_a_manifest_is_written(album: Path) -> None:
    ok("encode", album / "b.png", "--manifest", "made.jsonl", "--bpp", "20", *FAST)
    line = json.loads(Path("made.jsonl").read_text())
    assert line["bytes"] == (album / "b.siren").stat().st_size
    assert line["settings"]["bpp"] == 20
    assert run("encode", album / "a.png", "--manifest", "no/such.jsonl").exit_code == 1


def test_all_that_a_manifest_says_is_described(album: Path) -> None:
    (album / "broken.png").write_bytes(b"nothing")
    run("encode", album / "b.png", album / "broken.png", "--manifest", "made.jsonl", *FAST)
    lines = [json.loads(line) for line in Path("made.jsonl").read_text().splitlines()]
    assert sorted(line["status"] for line in lines) == ["encoded", "failed"]
    keys = {key for line in lines for key in line} | {each.name for each in fields(EncodeConfig)}
    text = (ROOT / "docs" / "albums.md").read_text(encoding="utf-8")
    section = text.split("## The manifest\n")[1].split("\n## ")[0]
    assert sorted(keys - set(re.findall(r"`(\w+)`", section))) == []


def test_a_manifest_spoils_no_other_file(album: Path) -> None:
    before = (album / "b.png").read_bytes()
    result = run("encode", album / "a.png", "--manifest", album / "b.png", *FAST)
    assert result.exit_code == 1
    assert result.stderr == f"sirencodec: {album}/b.png is there, and no manifest; name another\n"
    assert (album / "b.png").read_bytes() == before
    assert not (album / "a.siren").exists()


def test_a_manifest_may_lie_where_outputs_will(album: Path) -> None:
    ok("encode", "-r", album, "-o", "out/coded", "--manifest", "out/coded/made.jsonl", *FAST)
    assert len(Path("out/coded/made.jsonl").read_text().splitlines()) == 3


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
    ignoring = ok("encode", "-r", album, "-o", "out", *FAST, "--skip-existing", "--ignore", "*.cr2")
    assert "not read" not in ignoring.stderr


def test_what_is_no_picture_does_not_fail_the_run(album: Path) -> None:
    (album / "notes.txt").write_text("to do")
    assert "1 .txt" in ok("encode", "-r", album, "-o", "out", *FAST).stderr


# What a telephone makes


def test_heic_is_read_where_the_plugin_is(album: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    heic = pillow_heif.from_pillow(make_gradient(24, 16))
    heic.save(album / "c.HEIC")
    ok("encode", "-r", album, "-o", "out", *FAST)
    assert "c.siren" in names(Path("out"))


def test_heic_without_the_plugin_says_what_would_read_it(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beginning = b"\0\0\0\x1cftypheic\0\0\0\0mif1heic"
    for name in ("c.heic", "named-so.jpg"):
        (album / name).write_bytes(beginning + bytes(100))
    monkeypatch.setattr("sirencodec.batch.pictures.register_plugins", lambda: None)
    monkeypatch.setattr("sirencodec.image.reader.register_plugins", lambda: None)
    monkeypatch.setattr(PIL.Image, "EXTENSION", without(PIL.Image.EXTENSION, "HEIF"))
    monkeypatch.setattr(PIL.Image, "ID", [each for each in PIL.Image.ID if each != "HEIF"])
    result = run("encode", "-r", album, "-o", "out", *FAST)
    assert result.exit_code == 1
    advice = "pip install 'sirencodec[heif]' lets it be read"
    assert f"sirencodec: 1 .heic not read: {advice}\n" in result.stderr
    assert f"{album}/named-so.jpg: a HEIC picture; {advice}\n" in result.stderr
    assert result.stderr.endswith("0 skipped, 1 picture not read, 1 failed\n")


def without(extensions: dict[str, str], name: str) -> dict[str, str]:
    return {suffix: each for suffix, each in extensions.items() if each != name}


@pytest.mark.parametrize("words", [["--strip"], ["--strip", "all"], ["--strip=all"]])
def test_strip_may_stand_alone_before_a_file(album: Path, words: list[str]) -> None:
    ok("encode", *words, album / "b.png", *FAST)
    assert (album / "b.siren").exists()


def test_strip_takes_the_location_alone(folder: Path) -> None:
    exif = PIL.Image.Exif()
    exif[PIL.Image.ExifTags.Base.Make] = "Maker"
    exif[PIL.Image.ExifTags.IFD.GPSInfo] = {1: "N", 2: (48.0, 30.0, 12.5)}
    make_gradient(8, 6).save("gps.jpg", exif=exif)
    ok("encode", "gps.jpg", "--strip", "location", *FAST)
    ok("decode", "gps.siren", "-o", "back.png")
    with PIL.Image.open("back.png") as image:
        found = image.getexif()
        assert found[PIL.Image.ExifTags.Base.Make] == "Maker"
        assert found.get_ifd(PIL.Image.ExifTags.IFD.GPSInfo) == {}


def test_colours_are_converted_when_the_profile_goes(folder: Path) -> None:
    profile = (ROOT / "tests" / "display-p3.icc").read_bytes()
    PIL.Image.new("RGB", (8, 6), (180, 120, 100)).save("p3.png", icc_profile=profile)
    result = ok("encode", "p3.png", "--strip", *FAST)
    said = "sirencodec: warning: p3.png: colours were converted from Display P3 to sRGB\n"
    assert said in result.stderr
    ok("encode", "p3.png", "-o", "kept.siren", *FAST)
    ok("decode", "kept.siren", "-o", "kept.png", "--strip")
    ok("decode", "p3.siren", "-o", "p3-stripped.png")
    for name in ("kept.png", "p3-stripped.png"):
        with PIL.Image.open(name) as image:
            assert "icc_profile" not in image.info
            red, green, blue = image.getpixel((4, 3))
            assert max(abs(red - 190), abs(green - 117), abs(blue - 96)) <= 4


# Messages are ours


def test_too_many_pixels_name_the_option(folder: Path) -> None:
    (folder / "bomb.png").write_bytes(make_png((60000, 60000, 8, 2), bytes(1000)))
    result = run("encode", "bomb.png")
    reason = f"3600000000 pixels exceed the limit of {DEFAULT_LIMITS.max_pixels}; see --max-pixels"
    assert result.stderr == f"sirencodec: bomb.png: {reason}\n"
    small = run("encode", "a.png", "--max-pixels", "383")
    assert "a.png: 384 pixels exceed the limit of 383; see --max-pixels" in small.stderr.replace(
        "max pixels", "pixels"
    )
    ok("encode", "a.png", "--max-pixels", "384", *FAST)


def test_a_long_profile_is_left_out(folder: Path) -> None:
    make_gradient(8, 6).save("long.png", icc_profile=bytes(2_000_000))
    said = "sirencodec: warning: long.png: an ICC profile of more than 1 MiB was left out\n"
    assert said in ok("encode", "long.png", *FAST).stderr


def test_a_file_that_ends_early_is_said_to(folder: Path) -> None:
    (folder / "short.png").write_bytes((folder / "a.png").read_bytes()[:120])
    assert "short.png: the file ends early" in run("encode", "short.png").stderr


# Folders everywhere


def test_verify_and_info_go_through_directories(folder: Path, gradient_siren: bytes) -> None:
    for name in ("in/a.siren", "in/sub/b.siren"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(gradient_siren)
    Path("in/sub/c.siren").write_bytes(gradient_siren[:-1])
    result = run("verify", "-r", "in")
    assert result.exit_code == 1
    assert result.stdout.count(": ok, ") == 2
    assert result.stderr.endswith("sirencodec: 2 sound, 1 failed\n")
    Path("in/sub/c.siren").unlink()
    assert ok("info", "-r", "in").stdout.count("  picture ") == 2
    assert run("verify", "in").exit_code == 2


def test_an_output_without_suffix_is_said_to_be_a_png(folder: Path, gradient_siren: bytes) -> None:
    Path("a.siren").write_bytes(gradient_siren)
    result = ok("decode", "a.siren", "-o", "x")
    assert "warning: x: no suffix says which format; it is PNG\n" in result.stderr
    with PIL.Image.open("x") as image:
        assert image.format == "PNG"


# What it will take


def test_a_dry_run_writes_nothing_and_says_what_it_would(album: Path) -> None:
    ok("encode", album / "b.png", *FAST)
    before = names(album)
    result = ok("encode", "-r", album, "--skip-existing", "--dry-run", "--bpp", "2", *FAST)
    lines = result.stderr.splitlines()
    assert lines[0].startswith(f"{album}/a.jpg -> {album}/a.jpg.siren: 8x6 RGB, about 47 bytes, ")
    assert "sirencodec: 2 to encode, 1 skipped, 0 would fail: " in result.stderr
    assert " became " not in result.stderr
    assert names(album) == before


def test_a_dry_run_says_json_and_finds_what_is_broken(album: Path) -> None:
    (album / "broken.png").write_bytes(b"nothing")
    (album / "raw.cr2").write_bytes(b"")
    result = run("encode", "-r", album, "-o", "out", "--dry-run", "--json")
    assert result.exit_code == 1
    assert "broken.png: not an image" in result.stderr
    assert "sirencodec: 3 to encode, 0 skipped, 1 would fail: " in result.stderr
    (album / "broken.png").unlink()
    assert run("encode", "-r", album, "-o", "out", "--dry-run").exit_code == 1  # for the raw file
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    records = [line for line in lines if line["status"] == "expected"]
    assert [record["input"] for record in records] == [
        str(album / name) for name in ("a.jpg", "a.png", "b.png")
    ]
    assert [line["input"] for line in lines if line["status"] == "failed"] == [
        str(album / "broken.png")
    ]
    assert records[0]["expected_bytes"] > 0
    assert records[0]["expected_seconds"] > 0
    assert not Path("out").exists()


# What goes wrong overnight, by the real program


def program(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sirencodec", *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, **options)


def test_a_full_disk_names_the_output(album: Path) -> None:
    """A limit on the size of files does what a full disk does, at a byte of our choice."""
    limit = (100, resource.RLIM_INFINITY)
    with program(
        *("encode", "-r", album, "-o", "out", *FAST),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    ) as process:
        _, err = process.communicate()
    assert process.returncode == 1
    assert b"sirencodec: out/b.siren: File too large\n" in err
    assert b"0 encoded, 0 skipped, 3 failed" in err
    assert list(Path("out").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write anywhere, so that the system's answer is made up."""
    Path("out").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    result = run("encode", "-r", album, "-o", "out")
    assert result.exit_code == 1
    assert "sirencodec: out/b.siren: no permission to write there\n" in result.stderr
    assert list(Path("out").iterdir()) == []


@pytest.mark.slow
def test_two_runs_at_once_share_an_album(folder: Path) -> None:
    (folder / "album").mkdir()
    for number in range(8):
        make_gradient(8 + number, 6).save(folder / "album" / f"{number}.png")
    words = ("encode", "-r", "album", "-o", "out", *FAST, "--skip-existing")
    with (
        program(*words, "--manifest", "made.jsonl") as first,
        program(*words, "--manifest", "made.jsonl") as second,
    ):
        for process in (first, second):
            process.communicate()
            assert process.returncode == 0
    lines = [json.loads(line) for line in Path("made.jsonl").read_text().splitlines()]
    assert sorted(line["output"] for line in lines) == [f"out/{n}.siren" for n in range(8)]
    assert sorted(os.listdir("out")) == [f"{n}.siren" for n in range(8)]


@pytest.mark.parametrize("page", ["albums.md", "cluster.md"])
def test_commands_of_the_pages_can_be_parsed(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    lines = re.findall(r"^    sirencodec (.*)$", text, re.MULTILINE)
    assert lines
    for line in lines:
        name, *words = shlex.split(line, comments=True)
        command = main.get_command(click.Context(main), name)
        assert command is not None
        command.make_context(name, words)


def test_python_of_the_page_on_clusters_imports_what_there_is() -> None:
    text = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    for line in code[1].splitlines():
        if line.startswith("from sirencodec"):
            exec(line, {})  # noqa: S102
