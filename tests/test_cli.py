"""The command line: in this process where that will do, in real ones for pipes and signals."""

import io
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing import active_children
from pathlib import Path

import click
import numpy as np
import PIL.Image
import pytest

import sirencodec
from sirencodec.batch.encode_files import Encoded, Failed
from sirencodec.batch.processes import encode_in_processes
from sirencodec.batch.tasks import Task
from sirencodec.cli import COMMANDS, main
from sirencodec.cli.options import byte_size, duration
from sirencodec.fitting.progress import FitProgress
from tests.command import FAST, names, ok, run
from tests.pictures import HEIGHT, WIDTH, make_clouds, make_exif, make_gradient

PROGRAM = [sys.executable, "-m", "sirencodec"]
THERE = "exists already; --force replaces it, --skip-existing leaves it"
RECORD_KEYS = (  # and no others
    *("status", "input", "output", "input_bytes", "width", "height", "mode", "bytes"),
    *("lossless_webp_bytes", "bpp", "psnr_db", "ssimulacra2", "profile", "effort", "seconds"),
)


@pytest.fixture
def siren(folder: Path, gradient_siren: bytes) -> Path:
    """a.siren, in the current directory."""
    path = folder / "a.siren"
    path.write_bytes(gradient_siren)
    return path


def samples(path: Path | io.BytesIO) -> np.ndarray:
    with PIL.Image.open(path) as image:
        return np.array(image)


def damage_metadata(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


# encode


def test_encode_writes_beside_the_input_and_sums_up(folder: Path) -> None:
    result = ok("encode", "a.png", *FAST)
    data = (folder / "a.siren").read_bytes()
    share = round(100 * len(data) / (folder / "a.png").stat().st_size)
    size = rf"{len(data)} bytes \({share} % of the input\), [\d.]+ bpp"
    score = r"SSIMULACRA2 -?\d+ \([a-z ]+\)"
    summary = rf"a.png -> a.siren: 24x16 RGB, {size}, [\d.]+ dB, {score}, [\d.]+ s\n"
    assert re.fullmatch(summary, result.stderr)
    assert result.stdout == ""
    assert data == sirencodec.encode(folder / "a.png", effort=0)


def test_encode_takes_its_options_to_the_codec(folder: Path) -> None:
    ok("encode", "a.png", *FAST, "-q", "30", "--seed", "5", "--strip", "--device", "cpu")
    expected = sirencodec.encode(folder / "a.png", effort=0, quality=30, seed=5, strip=True)
    assert (folder / "a.siren").read_bytes() == expected


def test_encode_says_json(folder: Path) -> None:
    PIL.Image.new("L", (4, 4), 128).save(folder / "flat.png")
    result = ok("encode", "a.png", "flat.png", *FAST, "--json")
    first, second = map(json.loads, result.stdout.splitlines())
    assert tuple(first) == RECORD_KEYS
    size = (folder / "a.siren").stat().st_size
    info = sirencodec.read_info(folder / "a.siren")
    assert (first["input"], first["output"]) == ("a.png", "a.siren")
    assert (first["width"], first["height"], first["mode"]) == (WIDTH, HEIGHT, "RGB")
    assert (first["bytes"], first["bpp"]) == (size, 8 * size / (WIDTH * HEIGHT))
    assert (first["profile"], first["effort"]) == (info.profile, 0)
    assert first["psnr_db"] > 10
    assert first["seconds"] > 0
    assert second["psnr_db"] is None  # infinite, which JSON cannot say
    assert second["mode"] == "L"


def test_encode_says_where_lossless_webp_is_smaller(folder: Path) -> None:
    stripes, noise = np.zeros((32, 32, 3), np.uint8), np.random.default_rng(0).bytes(3 * 32 * 32)
    stripes[::3] = 200, 100, 0
    PIL.Image.fromarray(stripes).save(folder / "stripes.png")
    PIL.Image.frombytes("RGB", (32, 32), noise).save(folder / "noise.png")
    words = (
        "stripes.png",
        "noise.png",
        "--size",
        "700",
        *FAST,
        "--json",
        "--manifest",
        "made.jsonl",
    )
    result = ok("encode", *words)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    of_stripes, of_noise = (record["lossless_webp_bytes"] for record in records)
    assert of_noise is None
    assert 0 < of_stripes < records[0]["bytes"]
    ours = records[0]["bytes"]
    said = f"stripes.png: a lossless WebP takes {of_stripes} bytes, and this file {ours}"
    assert result.stderr.count("lossless WebP") == result.stderr.count(said) == 1
    lines = [json.loads(line) for line in (folder / "made.jsonl").read_text().splitlines()]
    assert [line["lossless_webp_bytes"] for line in lines] == [of_stripes, None]


def test_encode_warns_in_one_line(folder: Path) -> None:
    make_gradient().convert("P").save(folder / "p.png")
    result = ok("encode", "p.png", *FAST, "--size", "10B")
    palette, target, _ = result.stderr.splitlines()
    assert palette == "sirencodec: warning: p.png: a palette became RGB"
    assert target.startswith("sirencodec: warning: p.png: 10 bytes are out of reach")


def test_encode_fills_a_directory(folder: Path) -> None:
    make_gradient(8, 6).save(folder / "b.bmp")
    ok("encode", "a.png", "b.bmp", "-o", "out/there", *FAST)
    assert names(folder) == ["a.png", "b.bmp", "out/there/a.siren", "out/there/b.siren"]


def test_encode_writes_into_an_existing_directory(folder: Path) -> None:
    (folder / "out").mkdir()
    ok("encode", "a.png", "-o", "out", *FAST)
    assert names(folder) == ["a.png", "out/a.siren"]


def test_encode_goes_through_directories(folder: Path) -> None:
    for name in ("top.png", "sub/deep/below.JPG", ".hidden.png", ".cache/x.png"):
        path = folder / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        make_gradient(8, 6).save(path)
    (folder / "album" / "notes.txt").write_text("no image")
    (folder / "album" / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0")
    ok("encode", "-r", "album", "-o", "out", *FAST)
    assert names(folder / "out") == ["sub/deep/below.siren", "top.siren"]
    ok("encode", "-r", "album", "-o", "out", "--force", *FAST)
    result = ok("encode", "-r", "album", *FAST, "--json")
    assert [json.loads(line)["output"] for line in result.stdout.splitlines()] == [
        "album/top.siren",
        "album/sub/deep/below.siren",
    ]


def test_a_picture_of_several_views_is_no_stranger(folder: Path) -> None:
    """Stereo cameras and telephones write .mpo, which Pillow's JPEG plugin opens."""
    (folder / "album").mkdir()
    view = make_gradient(8, 6).convert("RGB")
    view.save(folder / "album" / "stereo.mpo", save_all=True, append_images=[view])
    ok("encode", "-r", "album", "-o", "out", *FAST)
    assert names(folder / "out") == ["stereo.siren"]


def test_an_empty_directory_is_worth_a_word(folder: Path) -> None:
    (folder / "empty").mkdir()
    result = ok("encode", "-r", "empty")
    said, counts = result.stderr.splitlines()
    assert said == "sirencodec: warning: empty: nothing to do in this directory"
    assert counts == "sirencodec: 0 encoded, 0 skipped, 0 failed"


def test_a_bad_input_does_not_stop_the_others(folder: Path) -> None:
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:60])
    result = run("encode", "broken.png", "missing.png", "a.png", *FAST)
    assert result.exit_code == 1
    said, broken, missing, done, counts = result.stderr.splitlines()
    assert said.startswith("3 files: about ")
    assert counts.endswith("0 skipped, 2 failed")
    assert broken.startswith("sirencodec: broken.png: ")
    assert missing == "sirencodec: missing.png: No such file or directory"
    assert done.startswith("a.png -> a.siren")
    assert names(folder) == ["a.png", "a.siren", "broken.png"]


def test_existing_files_are_refused_before_the_work(folder: Path, siren: Path) -> None:
    before = siren.read_bytes()
    make_gradient(8, 6).save(folder / "b.png")
    result = run("encode", "b.png", "a.png", *FAST)
    assert result.exit_code == 1
    refused, *done, counts = result.stderr.splitlines()
    assert counts.endswith("0 skipped, 1 failed")
    assert (
        refused
        == "sirencodec: a.siren: exists already; --force replaces it, --skip-existing leaves it"
    )
    assert any(line.startswith("b.png -> b.siren") for line in done)
    assert siren.read_bytes() == before
    ok("encode", "a.png", *FAST, "--force", "--strip")
    assert siren.read_bytes() != before


def test_files_that_appear_during_the_work_are_kept(folder: Path, gradient_png: bytes) -> None:
    """The input is a pipe, so the output can be made at a moment when work has begun."""
    os.mkfifo("pipe.png")

    def feed() -> None:
        with open("pipe.png", "wb") as pipe:  # waits for the reader
            Path("pipe.siren").write_text("precious")
            pipe.write(gradient_png)

    feeder = threading.Thread(target=feed)
    feeder.start()
    result = run("encode", "pipe.png", *FAST)
    feeder.join()
    assert result.exit_code == 1
    assert result.stderr == f"sirencodec: pipe.siren: {THERE}\n"
    assert Path("pipe.siren").read_text() == "precious"
    assert sorted(os.listdir()) == ["a.png", "pipe.png", "pipe.siren"]


def test_an_input_named_twice_is_encoded_once(folder: Path) -> None:
    assert ok("encode", "a.png", "./a.png", "-o", "out", *FAST).stderr.count(" -> ") == 1
    assert names(folder) == ["a.png", "out/a.siren"]


def test_outputs_of_last_time_are_no_inputs(folder: Path, siren: Path) -> None:
    """As ``encode *`` names them."""
    before = siren.read_bytes()
    result = run("encode", "a.png", "a.siren", "--skip-existing", *FAST)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "sirencodec: a.siren: it is a .siren file already",
        "sirencodec: 0 encoded, 1 skipped, 1 failed",
    ]
    assert names(folder) == ["a.png", "a.siren"]
    assert siren.read_bytes() == before


@pytest.mark.usefixtures("folder")
def test_an_output_of_another_suffix_is_worth_a_word() -> None:
    for name in ("out", "a.bin"):
        said = f"warning: {name}: a file, though it does not end in .siren; add / for a folder\n"
        assert said in ok("encode", "a.png", "-o", name, "--dry-run").stderr
    result = ok("encode", "a.png", "-o", "album.png/", "--dry-run")
    assert "a.png -> album.png/a.siren: " in result.stderr
    assert "warning" not in result.stderr


@pytest.mark.parametrize("command", ["encode", "decode", "encode --dry-run"])
def test_json_says_what_became_of_every_input(command: str, folder: Path, siren: Path) -> None:
    ending = ".siren" if command == "decode" else ".png"
    for name in ("skipped", "made"):
        source = siren if command == "decode" else folder / "a.png"
        Path(name + ending).write_bytes(source.read_bytes())
    Path("broken" + ending).write_bytes(b"nothing")
    Path("skipped" + (".png" if command == "decode" else ".siren")).write_bytes(b"made before")
    given = [name + ending for name in ("skipped", "broken", "made", "missing")]
    result = run(
        *command.split(), *given, "--skip-existing", "--json", *FAST * (command != "decode")
    )
    assert result.exit_code == 1
    records = {record["input"]: record for record in map(json.loads, result.stdout.splitlines())}
    done = {"encode": "encoded", "decode": "decoded"}.get(command, "expected")
    statuses = {name.removesuffix(ending): records[name]["status"] for name in given}
    assert statuses == {"skipped": "skipped", "broken": "failed", "made": done, "missing": "failed"}
    assert records["missing" + ending]["reason"] == f"missing{ending}: No such file or directory"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("a.png --force --skip-existing", "give one of --force, --skip-existing and --newer"),
        ("sub", "sub is a directory; add -r"),
        ("a.png -o b.png", "what encode writes ends in .siren, not .png"),
        ("a.png a.jpg -o b.png", "what encode writes ends in .siren, not .png"),
        ("a.png a.jpg -o sub/a.png", "is no directory"),
        ("a.png a.jpg -o -", "do not fit into stdout"),
        ("- a.png -o out", "no name"),
        ("a.png -o - --json", "cannot both go to stdout"),
        ("a.png -q 50 --bpp 1", "give one of"),
        ("a.png -q 101", "'-q'"),
        ("a.png --bpp 0", "'--bpp'"),
        ("a.png --psnr -3", "psnr must be positive"),
        ("a.png --size 10x", "'10x' is not a size"),
        ("a.png --size 0", "size must be positive"),
        ("a.png -e 10", "'-e'"),
        ("a.png --device tpu", "'tpu' is not"),
        ("a.png -j 0", "'-j'"),
        ("", "Missing argument"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_encode_refuses_what_makes_no_sense(arguments: str, reason: str) -> None:
    Path("sub").mkdir()
    for name in ("a.jpg", "sub/a.png"):
        make_gradient().save(name)
    before = names(Path())
    result = run("encode", *shlex.split(arguments))
    assert result.exit_code == 2
    assert reason in result.stderr
    assert names(Path()) == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10000", 10_000),
        ("10k", 10_000),
        ("10kB", 10_000),
        ("10 KB", 10_000),
        ("10KiB", 10_240),
        ("10Ki", 10_240),
        ("1.5M", 1_500_000),
        ("1MiB", 2**20),
        ("200B", 200),
        ("0.0019k", 1),
    ],
)
def test_sizes(text: str, expected: int) -> None:
    assert byte_size(text) == expected


@pytest.mark.parametrize("text", ["", "k", "-1", "1e3", "10kb/s", "10T", "1_000", "inf", "١٠x"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter):
        byte_size(text)


# decode


def test_decode_writes_a_png_beside_the_input(folder: Path, siren: Path) -> None:
    (folder / "a.png").unlink()
    result = ok("decode", "a.siren")
    assert re.fullmatch(r"a.siren -> a.png: 24x16 RGB, [\d.]+ s\n", result.stderr)
    assert np.array_equal(samples(folder / "a.png"), sirencodec.decode(siren).samples)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("5m", 300), ("1.5 min", 90), ("2H", 7200)],
)
def test_times_have_units(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "5 days", "-3", "1e3"])
def test_no_other_times(text: str) -> None:
    with pytest.raises(click.BadParameter):
        duration(text)


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ("--width 8", (12, 8)),  # viewers turn it
        ("--height 48", (48, 32)),
        ("--width 12 --as-stored", (12, 8)),
        ("--width 8 --strip", (8, 12)),
        ("--width 4 --height 12", (12, 4)),
        ("--width 10 --height 10", (10, 10)),
        ("--scale 2.5", (60, 40)),
        ("--crop 4,2,6,5 --scale 2 --exact", (12, 10)),
        ("--crop 0.5,0.5,10,5", (10, 5)),
    ],
)
@pytest.mark.usefixtures("siren")
def test_decode_at_other_sizes(arguments: str, size: tuple[int, int]) -> None:
    result = ok("decode", "a.siren", "-o", "b.png", *arguments.split(), "--json")
    assert samples(Path("b.png")).shape == (size[1], size[0], 3)
    record = json.loads(result.stdout)
    keys = ["status", "input", "output", "width", "height", "mode", "bytes", "seconds"]
    assert list(record) == keys
    assert (record["width"], record["height"]) == size
    assert record["bytes"] == Path("b.png").stat().st_size


@pytest.mark.parametrize(
    ("arguments", "name", "expected"),
    [
        ("-o b.jpg", "b.jpg", "JPEG"),
        ("-o b.TIF", "b.TIF", "TIFF"),
        ("--format webp", "a.webp", "WEBP"),
        ("-o b.x --format bmp", "b.x", "BMP"),
        ("-o out/ --format tiff", "out/a.tif", "TIFF"),
    ],
)
@pytest.mark.usefixtures("siren")
def test_decode_chooses_the_format(arguments: str, name: str, expected: str) -> None:
    ok("decode", "a.siren", "--strip", *arguments.split())
    with PIL.Image.open(name) as image:
        assert image.format == expected


def test_decode_goes_through_directories(folder: Path, gradient_siren: bytes) -> None:
    (folder / "in" / "sub").mkdir(parents=True)
    (folder / "in" / "sub" / "x.siren").write_bytes(gradient_siren)
    (folder / "in" / "y.png").write_bytes(b"")
    ok("decode", "-r", "in", "-o", "out")
    assert names(folder / "out") == ["sub/x.png"]


def test_a_folder_of_any_name_is_a_folder(folder: Path, gradient_siren: bytes) -> None:
    Path("in").mkdir()
    for name in ("in/a.siren", "in/b.siren"):
        Path(name).write_bytes(gradient_siren)
    Path("there.2023").mkdir()
    for output in ("album.2024", "one.png/", "there.2023", "webp"):
        ok("decode", "-r", "in", "-o", output)
        assert names(Path(output)) == ["a.png", "b.png"]
    refused = run("decode", "in/a.siren", "in/b.siren", "-o", "two.jpg")
    assert refused.exit_code == 2
    assert "a folder ends in /, and --format jpg makes such files in it" in refused.stderr
    assert not Path("two.jpg").exists()


@pytest.mark.parametrize("arguments", ["encode ''", "decode ''", "encode a.png -o ''", "info ''"])
@pytest.mark.usefixtures("folder")
def test_an_empty_name_is_refused(arguments: str) -> None:
    result = run(*shlex.split(arguments))
    assert result.exit_code == 2
    assert "a name of a file is empty" in result.stderr


@pytest.mark.usefixtures("siren")
def test_decode_keeps_metadata_unless_told_otherwise() -> None:
    ok("decode", "a.siren", "-o", "kept.png")
    ok("decode", "a.siren", "-o", "stripped.png", "--strip")
    with PIL.Image.open("kept.png") as kept, PIL.Image.open("stripped.png") as stripped:
        assert kept.info["exif"].removeprefix(b"Exif\0\0") == make_exif().removeprefix(b"Exif\0\0")
        assert "exif" not in stripped.info


def test_decode_knows_a_way_around_damaged_metadata(siren: Path) -> None:
    damage_metadata(siren)
    result = run("decode", siren, "-o", "b.png")
    assert result.exit_code == 1
    assert "; --strip does without the metadata" in result.stderr
    assert not Path("b.png").exists()
    ok("decode", siren, "-o", "b.png", "--strip")


@pytest.mark.usefixtures("siren")
def test_decode_has_limits() -> None:
    result = run("decode", "a.siren", "-o", "b.png", "--width", "20000", "--height", "20000")
    assert result.exit_code == 1
    assert result.stderr.startswith("sirencodec: a.siren: 400000000 pixels exceed the limit")
    assert "--max-pixels" in result.stderr
    for name, limit in (("--max-pixels", 383), ("--max-multiply-adds", 9)):
        for command in (("decode", "-o", "b.png"), ("verify",), ("inspect",)):
            refused = run(*command, "a.siren", name, str(limit))
            assert refused.exit_code == 1
            assert refused.stderr.splitlines()[0].endswith(f" the limit of {limit}; see {name}")
    ok("decode", "a.siren", "-o", "b.png", "--max-pixels", "384")


def test_decode_reports_what_formats_cannot_hold(siren: Path) -> None:
    result = ok("decode", siren, "-o", "b.bmp")
    assert f"sirencodec: warning: {siren}: BMP: metadata was left out" in result.stderr


@pytest.mark.usefixtures("siren")
def test_decode_writes_into_pipes() -> None:
    os.mkfifo("pipe.png")
    images = []
    reader = threading.Thread(target=lambda: images.append(Path("pipe.png").read_bytes()))
    reader.start()
    ok("decode", "a.siren", "-o", "pipe.png")
    reader.join()
    assert samples(io.BytesIO(images[0])).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("a.siren -o b.xyz", "cannot tell the image format"),
        ("a.siren --format xyz", "cannot tell the image format"),
        ("a.siren --scale 2 --width 3", "give --scale or a size"),
        ("a.siren --scale 0", "'--scale'"),
        ("a.siren --crop 1,2,3", "not four numbers"),
        ("a.siren -o - --json", "cannot both go to stdout"),
    ],
)
@pytest.mark.usefixtures("siren")
def test_decode_refuses_what_makes_no_sense(arguments: str, reason: str) -> None:
    result = run("decode", *arguments.split())
    assert result.exit_code == 2
    assert reason in result.stderr


@pytest.mark.usefixtures("siren")
def test_decode_reports_a_crop_outside_the_image() -> None:
    result = run("decode", "a.siren", "-o", "b.png", "--crop", "0,0,25,1")
    assert result.exit_code == 1
    assert result.stderr.startswith("sirencodec: a.siren: crop ")


# info and verify


def test_info_says_what_is_in_a_file(siren: Path) -> None:
    result = ok("info", "a.siren")
    turned = "  stored    24 x 16, to be turned by 90 degrees (EXIF orientation 6)\n"
    assert result.stdout.startswith("a.siren\n  picture   16 x 24, RGB, 8 bits\n" + turned)
    exif = sirencodec.decode(siren).metadata.exif
    assert exif is not None
    assert f"EXIF {len(exif)} bytes" in result.stdout


def test_info_says_json(siren: Path) -> None:
    record = json.loads(ok("info", "--json", "a.siren").stdout)
    info = sirencodec.read_info(siren)
    assert record["input"] == "a.siren"
    assert {name: record[name] for name in ("width", "bpp", "num_parameters")} == {
        "width": info.width,
        "bpp": info.bpp,
        "num_parameters": info.num_parameters,
    }
    assert record["exif_bytes"] > 0
    shown = [record[name] for name in ("orientation", "shown_width", "shown_height")]
    assert shown == [6, 16, 24]
    assert record["icc_profile_bytes"] == 0
    assert record["metadata_error"] is None


def test_info_tells_damaged_metadata(siren: Path) -> None:
    damage_metadata(siren)
    assert "metadata  damaged: checksum" in ok("info", siren).stdout
    assert "checksum" in json.loads(ok("info", "--json", siren).stdout)["metadata_error"]


def test_info_reads_stdin(gradient_siren: bytes) -> None:
    assert json.loads(ok("info", "--json", "-", stdin=gradient_siren).stdout)["input"] == "-"


@pytest.mark.usefixtures("siren")
def test_info_reports_other_files_and_goes_on() -> None:
    result = run("info", "a.png", "a.siren")
    assert result.exit_code == 1
    assert result.stderr == "sirencodec: a.png: not a .siren file (magic at byte 0)\n"
    assert result.stdout.startswith("a.siren\n")


def test_verify(folder: Path, siren: Path) -> None:
    result = ok("verify", "a.siren")
    assert result.stdout == f"a.siren: ok, 24x16 RGB, {siren.stat().st_size} bytes\n"
    (folder / "short.siren").write_bytes(siren.read_bytes()[:-1])
    damage_metadata(siren)
    result = run("verify", "short.siren", "a.siren", "a.png")
    assert result.exit_code == 1
    assert result.stdout == ""
    short, damaged, foreign, counts = result.stderr.splitlines()
    assert counts == "sirencodec: 0 sound, 3 failed"
    assert short.startswith("sirencodec: short.siren: file ends early (metadata at byte ")
    assert short.endswith("; decode --partial makes a picture of what there is")
    assert damaged == (
        "sirencodec: a.siren: damaged: checksum of the metadata does not match (metadata); "
        "decode --strip does without the metadata"
    )
    assert foreign == "sirencodec: a.png: not a .siren file (magic at byte 0)"


# The program as a whole


def test_version() -> None:
    assert ok("--version").stdout == f"sirencodec {sirencodec.__version__}\n"


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_that_can_be_parsed(command: str, option: str) -> None:
    text = ok(command, option).stdout
    examples = text.partition("Examples:")[2]
    found = re.findall(rf"sirencodec ({command} .*?)(?:  +.*|[<>|)].*)?$", examples, re.MULTILINE)
    assert found
    program = main.get_command(click.Context(main), command)
    assert program is not None
    for example in found:
        program.make_context(command, shlex.split(example)[1:])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    assert "_SIRENCODEC_COMPLETE" in ok("completion", shell).stdout


def test_completion_completes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_SIRENCODEC_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "sirencodec encode --device c")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert run().stdout == "plain,cpu\nplain,cuda\n"


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.usefixtures("folder")
def test_debug_shows_where_an_error_comes_from(where: str) -> None:
    words = ["info", "a.png"]
    result = run(*(["--debug", *words] if where == "before" else [*words, "--debug"]))
    assert result.exit_code == 1
    assert result.stderr.startswith("Traceback")
    assert result.stderr.splitlines()[-1].startswith("sirencodec: a.png: not a .siren file")


@pytest.mark.usefixtures("folder")
def test_file_names_cannot_control_the_terminal() -> None:
    result = run("info", "evil\x1b[2J\nname.siren")
    assert result.stderr == "sirencodec: evil\\x1b[2J\\nname.siren: No such file or directory\n"


# Pipes, terminals, signals and processes: real ones


def listen_to_signals() -> None:
    """Ctrl-C and a closed terminal end the program, as from a user's shell.

    A test run in the background, or under nohup, ignores one of them, and its children would, too.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(*arguments: str, **options: object) -> "subprocess.Popen[bytes]":
    pipes: dict[str, object]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    pipes["preexec_fn"] = listen_to_signals
    return subprocess.Popen([*PROGRAM, *arguments], **pipes | options)  # type: ignore[call-overload]


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: the user's and the program's."""
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def read_until(descriptor: int, wanted: bytes) -> bytes:
    """What comes out of a terminal until something is seen, or nobody holds it any more."""
    seen = b""
    while wanted not in seen:
        try:
            chunk = os.read(descriptor, 4096)
        except OSError:  # EIO: the last process that could write has ended
            break
        seen += chunk
    return seen


def test_pipes_give_the_same_bytes_as_files(
    folder: Path, gradient_png: bytes, gradient_siren: bytes
) -> None:
    encoding = start("encode", "-", *FAST, stdin=subprocess.PIPE)
    decoding = start("decode", "-", "-o", "-", stdin=subprocess.PIPE)
    encoded, summary = encoding.communicate(gradient_png)
    decoded, _ = decoding.communicate(gradient_siren)
    assert (encoding.returncode, decoding.returncode) == (0, 0)
    assert summary.startswith(b"- -> -: 24x16 RGB, ")
    ok("encode", "a.png", *FAST)
    assert encoded == (folder / "a.siren").read_bytes()
    assert encoded == ok("encode", "-o", "-", "a.png", *FAST).stdout_bytes
    (folder / "b.siren").write_bytes(gradient_siren)
    ok("decode", "b.siren")
    assert decoded == (folder / "b.png").read_bytes()


@pytest.mark.usefixtures("siren")
def test_info_imports_neither_torch_nor_numpy() -> None:
    command = [sys.executable, "-X", "importtime", *PROGRAM[1:], "info", "a.siren"]
    process = subprocess.run(command, capture_output=True, check=True)
    assert b"sirencodec.bitstream.container" in process.stderr
    assert not re.search(rb"\| +(torch|numpy)\b", process.stderr)


@pytest.mark.usefixtures("siren")
@pytest.mark.parametrize("arguments", ["decode a.siren -o -", "info a.siren"])
def test_a_closed_pipe_is_no_reason_to_complain(arguments: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = start(*arguments.split(), stdout=writer)
    os.close(writer)
    assert process.communicate()[1] == b""
    assert process.returncode == 1


@pytest.mark.usefixtures("siren")
@pytest.mark.parametrize("arguments", ["encode a.png -o -", "decode a.siren -o -", "decode -"])
def test_terminals_and_binary_data_are_kept_apart(arguments: str) -> None:
    with terminal() as (_, theirs):
        process = start(*arguments.split(), stdin=theirs, stdout=theirs)
        os.close(theirs)
        assert b"is a terminal" in process.communicate()[1]
    assert process.returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "jobs", "exit_code"),
    [
        (signal.SIGINT, 1, 130),
        (signal.SIGINT, 2, 130),
        (signal.SIGTERM, 1, 143),
        (signal.SIGHUP, 2, 129),
    ],
)
def test_an_interrupt_leaves_nothing_behind(
    folder: Path, sent: signal.Signals, jobs: int, exit_code: int
) -> None:
    """Neither files nor processes: the terminal would say if one still held it."""
    for name in ("a.png", "b.png"):
        make_gradient(64, 64).save(folder / name)
    with terminal() as (ours, theirs):
        words = ["encode", "a.png", "b.png", "--effort", "9", "--jobs", str(jobs)]
        process = start(*words, stderr=theirs, start_new_session=True)
        os.close(theirs)
        assert b"dB" in read_until(ours, b"dB")  # in the progress bar
        if sent == signal.SIGINT:
            os.killpg(process.pid, sent)  # what Ctrl-C does
        else:
            process.send_signal(sent)
        rest = read_until(ours, b"no such thing")
    assert process.communicate() == (b"", None)
    assert process.returncode == exit_code
    assert (b"sirencodec: interrupted" in rest) == (sent == signal.SIGINT)
    assert b"Traceback" not in rest
    assert sorted(os.listdir()) == ["a.png", "b.png"]


@pytest.mark.slow
@pytest.mark.parametrize("later_s", [0.0, 1.5, 4.0])
def test_an_interrupt_at_any_stage_of_a_fit_leaves_nothing_behind(
    folder: Path, later_s: float
) -> None:
    """By swaths: the picture is large enough. On reduced images, at full size, and in between."""
    PIL.Image.fromarray(make_clouds(960, 640)).save(folder / "a.png")
    with terminal() as (ours, theirs):
        words = ["encode", "a.png", "-o", "out/b.siren", "--effort", "0", "--max-time", "60"]
        process = start(*words, stderr=theirs, start_new_session=True)
        os.close(theirs)
        assert b"dB" in read_until(ours, b"dB")  # in the progress bar
        time.sleep(later_s)
        os.killpg(process.pid, signal.SIGINT)
        rest = read_until(ours, b"no such thing")
    assert process.communicate() == (b"", None)
    assert process.returncode == 130
    assert b"Traceback" not in rest
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["a.png"]


@pytest.mark.parametrize(
    "moment", [b"PIL.Image", b"click.core", b"sirencodec.batch.run", b" torch.nn"]
)
@pytest.mark.usefixtures("folder")
def test_an_interrupt_while_the_program_starts_is_quiet(moment: bytes) -> None:
    """Its imports are told on stderr, so that the moment can be hit."""
    command = [sys.executable, "-X", "importtime", *PROGRAM[1:], "encode", "a.png"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    with process, process.stderr as stderr:
        for line in stderr:
            if moment in line:
                process.send_signal(signal.SIGINT)
                break
        rest = stderr.read()
        assert process.wait() in (130, -signal.SIGINT)
    assert b"Traceback" not in rest
    assert not Path("a.siren").exists()


@pytest.mark.parametrize("command", ["encode", "decode"])
@pytest.mark.parametrize(("closed", "name"), [("<&-", b"stdin"), (">&-", b"stdout")])
@pytest.mark.usefixtures("folder")
def test_a_standard_stream_that_is_closed_is_named(command: str, closed: str, name: bytes) -> None:
    """As some services and shells start programs; Python has no such stream then."""
    words = [*PROGRAM, command, "-", "-o", "-"]
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *words]
    done = subprocess.run(shell, input=b"", capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == b"sirencodec: " + name + b": it is closed"


def test_what_was_changed_in_reading_is_said(folder: Path) -> None:
    """By a real process: while a picture is read, its stderr is closed to C libraries."""
    make_gradient(8, 6).convert("P").save(folder / "p.png")
    process = start("encode", "p.png", *FAST)
    _, err = process.communicate()
    assert process.returncode == 0
    assert err.count(b"sirencodec: warning: p.png: a palette became RGB\n") == 1


@pytest.mark.slow
def test_jobs_share_the_work(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"nothing")
    make_gradient(8, 6).convert("P").save(folder / "p.png")
    process = start("encode", "broken.png", "p.png", "a.png", *FAST, "--jobs", "2", "--json")
    out, err = process.communicate()
    assert process.returncode == 1
    records = {record["input"]: record for record in map(json.loads, out.splitlines())}
    assert {name: record["status"] for name, record in records.items()} == {
        "broken.png": "failed",
        "p.png": "encoded",
        "a.png": "encoded",
    }
    assert names(folder) == ["a.png", "a.siren", "broken.png", "p.png", "p.siren"]
    assert records["a.png"]["bytes"] == (folder / "a.siren").stat().st_size
    assert b"sirencodec: broken.png: not an image" in err
    assert b"sirencodec: warning: p.png: a palette became RGB\n" in err
    assert b"sirencodec: 2 encoded (" in err
    for said in (b"not an image", b"a palette became", b"2 encoded", b"a.png -> ", b"p.png -> "):
        assert err.count(said) == 1


@dataclass
class Killer:
    """Kills the process at its first sign of life."""

    steps: list[str] = field(default_factory=list)

    def on_step(self, task: Task, _progress: FitProgress) -> None:
        if not self.steps:
            for process in active_children():
                process.kill()
        self.steps.append(task.source)

    def on_warning(self, _task: Task, text: str) -> None:
        raise AssertionError(text)


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_a_process_that_dies_takes_one_file_with_it() -> None:
    make_gradient(8, 6).save("b.png")
    tasks = [Task("a.png", "a.siren"), Task("b.png", "b.siren")]
    killer = Killer()
    config = sirencodec.EncodeConfig(effort=0)
    with closing(encode_in_processes(tasks, config, killer, jobs=1)) as outcomes:
        (first, died), (second, done) = outcomes
    assert killer.steps[0] == "a.png"
    assert (first, second) == tuple(tasks)
    assert died == Failed("a.png: its process died; is there enough memory?")
    assert isinstance(done, Encoded)
    assert done.data == sirencodec.encode("b.png", effort=0)
    assert not active_children()
