"""A batch that is killed again and again -> whether anything was lost, spoilt or done twice.

A run is killed (SIGKILL, and all its processes with it) at a random moment: one time in four while
it starts, else a moment after it has finished a file. Then it is started again by the same
command, until it finishes; then all begins anew, until enough kills are done. What lies in the
folder is looked at after every kill.
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import PIL.Image

from benchmarks.measuring.pixels import tiny_picture
from sirencodec.batch.manifest import read_manifest

START_SHARE: Final = 0.25
LONGEST_START_S: Final = 1.0
LONGEST_WAIT_S: Final = 0.3  # after a file is finished
POLL_S: Final = 0.002
HIDDEN_SUFFIX: Final = ".sirencodec-part"


@dataclass(slots=True)
class Damage:
    """What kills have done.

    Attributes:
        kills: so far.
        rounds: batches brought to their end.
        files: that are there after all rounds together.
        wrong: files that were not as they should be, at any moment.
        missing: files, or lines of the manifest, that were not there at the end of a round.
        twice: files made more than once though no kill came while they were in the works.
        leftovers: hidden files at the end of a round.
    """

    kills: int = 0
    rounds: int = 0
    files: int = 0
    wrong: int = 0
    missing: int = 0
    twice: int = 0
    leftovers: int = 0

    @property
    def is_none(self) -> bool:
        """Whether nothing was lost, spoilt or done twice."""
        return not (self.wrong or self.missing or self.twice or self.leftovers)


def kill_tiny_batches(
    num_kills: int,
    pictures: int,
    jobs: int,
    seed: int = 0,
    report: Callable[[Damage], None] = lambda _damage: None,
) -> Damage:
    """Batches of made-up pictures of 8 x 6 pixels -> what so many kills did.

    What files should be is found by a batch that nobody kills.

    Args:
        num_kills: to do.
        pictures: in a batch.
        jobs: pictures at a time.
        seed: of the moments.
        report: called after every kill.
    """
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for number in range(pictures):
            picture = PIL.Image.fromarray(tiny_picture(8, 6, number))
            picture.save(folder / "in" / f"{number}.png")
        output, manifest = folder / "out", folder / "made.jsonl"
        command = [sys.executable, "-m", "sirencodec", "encode", "-r", str(folder / "in")]
        command += ["-o", str(output), "--effort", "0", "--jobs", str(jobs)]
        command += ["--skip-existing", "--manifest", str(manifest)]
        subprocess.run(command, check=True, capture_output=True)
        expected = {path.name: _digest(path) for path in output.iterdir()}
        return kill_batches(command, output, manifest, expected, num_kills, seed, report)


def kill_batches(
    command: Sequence[str],
    output: Path,
    manifest: Path,
    expected: dict[str, str],
    num_kills: int,
    seed: int = 0,
    report: Callable[[Damage], None] = lambda _damage: None,
) -> Damage:
    """Command of a batch -> what so many kills did.

    Args:
        command: that goes on where it was cut off.
        output: folder that it fills; emptied for every round.
        manifest: that it writes.
        expected: names of the files that it makes, and the SHA-256 of each.
        num_kills: to do.
        seed: of the moments.
        report: called after every kill.
    """
    moments, damage = random.Random(seed), Damage()
    while damage.kills < num_kills:
        for path in (*output.glob("*"), *output.glob(".*"), manifest):
            path.unlink(missing_ok=True)
        kills_of_round = 0
        while damage.kills < num_kills and not _run(command, output, manifest, moments):
            damage.kills += 1
            kills_of_round += 1
            damage.wrong += _count_wrong(output, expected)
            report(damage)
        subprocess.run(command, check=True, capture_output=True)
        _look_at_the_end(output, manifest, expected, kills_of_round, damage)
    return damage


def _run(command: Sequence[str], output: Path, manifest: Path, moments: random.Random) -> bool:
    """Start the batch and kill it; true if it was faster."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        if moments.random() < START_SHARE:
            time.sleep(moments.random() * LONGEST_START_S)
        else:
            before = _state(output, manifest)
            while process.poll() is None and _state(output, manifest) == before:
                time.sleep(POLL_S)
            time.sleep(moments.random() ** 2 * LONGEST_WAIT_S)
        if process.poll() is not None:
            return process.returncode == 0
        os.killpg(process.pid, signal.SIGKILL)
    return False


def _state(output: Path, manifest: Path) -> tuple[frozenset[str], int]:
    """What a batch has to show; that it tidies up is no progress."""
    names = os.listdir(output) if output.exists() else []
    visible = frozenset(name for name in names if not name.startswith("."))
    return visible, manifest.stat().st_size if manifest.exists() else 0


def _count_wrong(output: Path, expected: dict[str, str]) -> int:
    """Files under their names that are not what they should be."""
    names = [name for name in os.listdir(output) if not name.startswith(".")]
    return sum(_digest(output / name) != expected.get(name) for name in names)


def _look_at_the_end(
    output: Path, manifest: Path, expected: dict[str, str], num_kills: int, damage: Damage
) -> None:
    """Count what a finished round has, and lacks."""
    names = os.listdir(output)
    damage.rounds += 1
    damage.files += sum(name in expected for name in names)
    damage.wrong += _count_wrong(output, expected)
    damage.leftovers += sum(name.endswith(HIDDEN_SUFFIX) for name in names)
    lines = Counter(
        Path(line["output"]).name
        for line in read_manifest(manifest)
        if line["status"] == "encoded" and line["sha256"] == expected[Path(line["output"]).name]
    )
    damage.missing += sum(name not in names for name in expected)
    damage.missing += sum(lines[name] == 0 for name in expected)
    # A line too many is that of a file that a kill caught between its line and its name.
    too_many = sum(lines.values()) - len(expected)
    damage.twice += max(0, too_many - num_kills)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
