"""What `make fuzz` has found worth keeping still passes through its targets."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.fuzz.parse import check
from tests.paths import ROOT

CORPUS = ROOT / "tests" / "fuzz" / "corpus"
CLANG = any(map(shutil.which, ["clang", *(f"clang-{number}" for number in range(14, 30))]))


def test_the_corpus_is_small() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*")) < 1_000_000


@pytest.mark.parametrize("start", "0123456789abcdef")
def test_parsing(start: str) -> None:
    """Of files by the first digit of their names, which are hashes."""
    paths = list((CORPUS / "parse").glob(f"{start}*"))
    assert paths
    for path in paths:
        check(path.read_bytes())


@pytest.mark.slow
@pytest.mark.skipif(not CLANG, reason="needs clang")
@pytest.mark.parametrize("part", ["entropy", "synthesis"])
def test_compiled_loops(part: str) -> None:
    """Under sanitizers."""
    program = f"build/fuzz-{part}"
    subprocess.run(["make", program], cwd=ROOT, check=True)
    subprocess.run([program, "-runs=0", CORPUS / part], cwd=ROOT, check=True)
