"""Decoding, verifying and inspecting need no PyTorch: it is neither imported nor missed."""

from __future__ import annotations

import subprocess
import sys

import PIL.Image
import pytest

from tests.paths import VALID

PYRAMID, METADATA = VALID / "pyramid-rgb.siren", VALID / "metadata.siren"
BROKEN = VALID.parent / "invalid" / "09-payload-bit.siren"

# What a finder before all others refuses is not installed.
NOT_INSTALLED = """
import sys
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
sys.meta_path.insert(0, Nowhere())
"""
CALLS = {
    "decode": "sirencodec.decode(pyramid)",
    "decode exactly": "sirencodec.decode(pyramid, exact=True, width=50)",
    "crop": "sirencodec.decode(pyramid, crop=(1, 1, 5, 5), scale=3)",
    "open and sample": "sirencodec.open(pyramid).sample(30)",
    "inspect": "sirencodec.inspect(pyramid)",
    "Pillow": "import PIL.Image; PIL.Image.open(pyramid).load()",
    "thumbnail": "import PIL.Image; PIL.Image.open(pyramid).thumbnail((8, 8))",
    "decode command": "run('decode', pyramid, '-o', sys.argv[3] + '/x.png')",
    "verify command": "run('verify', pyramid, metadata)",
    "info command": "run('info', pyramid, metadata)",
    "inspect command": "run('inspect', '--json', pyramid)",
    "error": "fails(sirencodec.errors.FormatError, sirencodec.decode, b'nothing')",
    "limit": "fails(sirencodec.LimitError, sirencodec.decode, pyramid, width=10**9)",
    "device": "fails(sirencodec.ParameterError, sirencodec.decode, pyramid, device='tpu')",
}
HELPERS = """
import sys, sirencodec, sirencodec.errors
pyramid, metadata = sys.argv[1:3]
def run(*arguments):
    from sirencodec.cli import main
    sys.argv[1:4], kept = arguments, sys.argv[:]
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
    sys.argv = kept
def fails(error, function, *arguments, **options):
    try:
        function(*arguments, **options)
    except error:
        return
    raise AssertionError("no error")
"""


def run(code: str, folder: str) -> None:
    command = [sys.executable, "-c", code, str(PYRAMID), str(METADATA), folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_it_is_not_imported(call: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = str(tmp_path_factory.mktemp("out"))
    run(f"{HELPERS}\n{call}\nassert 'torch' not in sys.modules", folder)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_it_is_not_missed(call: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    run(f"{NOT_INSTALLED}{HELPERS}\n{call}", str(tmp_path_factory.mktemp("out")))


def test_what_needs_it_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    call = "fails(sirencodec.DependencyError, sirencodec.decode, pyramid, device='cuda')"
    run(f"{NOT_INSTALLED}{HELPERS}\n{call}", str(tmp_path_factory.mktemp("out")))


def test_the_command_says_what_encoding_needs(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("out")
    picture = folder / "picture.png"
    PIL.Image.new("L", (8, 8)).save(picture)
    code = f"{NOT_INSTALLED}\nimport sys\nsys.argv[1:] = ['encode', sys.argv[3]]"
    code += "\nfrom sirencodec.cli import main\nmain()"
    command = [sys.executable, "-c", code, str(PYRAMID), str(METADATA), str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install torch" in done.stderr
    assert "unexpected" not in done.stderr
