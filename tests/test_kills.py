"""A batch that is killed goes on where it was. `python -m benchmarks kills` does it 200 times.

Its encoder is a stand-in that takes a few milliseconds, so that kills meet all the rest.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from benchmarks.measuring.kills import kill_batches
from tests.paths import ROOT

BATCH = """
import sys, time
from pathlib import Path
from sirencodec.batch.encode_files import Encoded
from sirencodec.batch.manifest import Manifest
from sirencodec.batch.outputs import Existing
from sirencodec.batch.run import Rules, SilentListener, run_batch
from sirencodec.batch.names import plan_tasks
from sirencodec.batch.tasks import find_inputs
from sirencodec.config import EncodeConfig

def encoder(tasks, config, listener):
    for task in tasks:
        time.sleep(0.003)
        data = Path(task.source).read_bytes() * 5000
        yield task, Encoded(data, 9, 4, 2, "RGB", "pure", 30.0, 55.0, 8.0, 0.0)

inputs = find_inputs(["in"], recursive=True, wanted=lambda path: True)
tasks, _ = plan_tasks(inputs, "out", suffix=".siren")
rules = Rules(Existing.SKIP, manifest=Manifest("made.jsonl"))
for task, result in run_batch(tasks, EncodeConfig(), SilentListener(), rules, encoder):
    pass
"""
KILLS = 12


def test_kills_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path]))
    Path("in").mkdir()
    Path("out").mkdir()
    expected = {}
    for number in range(40):
        contents = f"picture {number:2d}".encode()
        Path(f"in/{number}.png").write_bytes(contents)
        expected[f"{number}.siren"] = hashlib.sha256(contents * 5000).hexdigest()
    damage = kill_batches(
        [sys.executable, "-c", BATCH], Path("out"), Path("made.jsonl"), expected, KILLS
    )
    assert damage.kills == KILLS
    assert damage.files == 40 * damage.rounds > 0
    assert damage.is_none, damage
