"""Encoding on a cluster: a real one, of several processes on this machine."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import sirencodec
from tests.command import FAST, names, ok, run
from tests.paths import ROOT
from tests.pictures import make_gradient

distributed = pytest.importorskip("distributed")
import dask  # noqa: E402

from sirencodec.batch.cluster import encode_on_cluster  # noqa: E402
from sirencodec.batch.encode_files import Encoded, Failed  # noqa: E402
from sirencodec.batch.tasks import Task  # noqa: E402
from sirencodec.config import EncodeConfig  # noqa: E402
from sirencodec.fitting.progress import FitProgress  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
WORKERS = 2


class Heard:
    def __init__(self) -> None:
        self.warnings: list[tuple[str, str]] = []

    def on_start(self, tasks: Sequence[Task]) -> None: ...

    def on_step(self, task: Task, progress: FitProgress) -> None: ...

    def on_warning(self, task: Task, text: str) -> None:
        self.warnings.append((task.source, text))


@pytest.fixture(scope="module")
def cluster() -> Iterator[distributed.LocalCluster]:
    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with distributed.LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, env=environment
    ) as cluster:
        yield cluster


@pytest.fixture
def album(folder: Path) -> Path:
    (folder / "album").mkdir()
    for number in range(4):
        make_gradient(8 + number, 6).save(folder / "album" / f"{number}.png")
    make_gradient(8, 6).convert("P").save(folder / "album" / "palette.png")
    (folder / "album" / "broken.png").write_bytes(b"nothing")
    return folder / "album"


def test_a_cluster_gives_the_bytes_of_one_machine(
    album: Path, cluster: distributed.LocalCluster
) -> None:
    address = cluster.scheduler_address
    words = ("encode", "-r", album, "-o", "there", *FAST, "--manifest", "made.jsonl")
    result = run(*words, "--cluster", address)
    assert result.exit_code == 1
    assert "broken.png: not an image" in result.stderr
    assert "warning: " + str(album / "palette.png") + ": a palette became RGB" in result.stderr
    assert result.stderr.splitlines()[-1].endswith("0 skipped, 1 failed")
    run("encode", "-r", album, "-o", "here", *FAST)
    assert names(Path("there")) == names(Path("here"))
    for name in names(Path("here")):
        assert Path("there", name).read_bytes() == Path("here", name).read_bytes()
    lines = [json.loads(line) for line in Path("made.jsonl").read_text().splitlines()]
    assert [line["status"] for line in lines].count("encoded") == 5
    again = run(*words, "--cluster", address, "--skip-existing")
    assert "sirencodec: 0 encoded, 5 skipped, 1 failed\n" in again.stderr


def test_a_worker_that_dies_loses_nothing(folder: Path, cluster: distributed.LocalCluster) -> None:
    """It is killed at its first picture; the scheduler gives its pictures to the other."""
    tasks = []
    for number in range(6):
        make_gradient(24 + number, 16).save(f"{number}.png")
        tasks.append(Task(f"{number}.png", f"{number}.siren"))
    with distributed.Client(cluster) as client:
        victim = next(iter(client.run(os.getpid).values()))
        killed = []

        def kill_while_busy() -> None:
            while not any(client.processing().values()):
                time.sleep(0.01)
            os.kill(victim, 9)
            killed.append(victim)

        killer = threading.Thread(target=kill_while_busy)
        killer.start()
        outcomes = list(encode_on_cluster(tasks, EncodeConfig(effort=0), client, Heard()))
        killer.join()
    assert killed == [victim]
    assert sorted(task.source for task, _ in outcomes) == [task.source for task in tasks]
    for task, outcome in outcomes:
        assert isinstance(outcome, Encoded)
        assert outcome.data == sirencodec.encode(task.source, effort=0)


def test_images_travel_where_no_disk_is_shared(
    folder: Path, cluster: distributed.LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this machine says of the file is not what workers see."""
    stat = os.stat

    def stat_of_another_disk(path: object, **options: object) -> os.stat_result:
        status = stat(path, **options)  # type: ignore[call-overload]
        if str(path).endswith("a.png"):
            values = list(status)
            values[6] += 1  # its size
            return os.stat_result(values)
        return status

    monkeypatch.setattr(os, "stat", stat_of_another_disk)
    with distributed.Client(cluster) as client:
        tasks = [Task("a.png", "a.siren"), Task("missing.png", "missing.siren")]
        found = dict(encode_on_cluster(tasks, EncodeConfig(effort=0), client, Heard()))
    monkeypatch.undo()
    outcome = found[tasks[0]]
    assert isinstance(outcome, Encoded)
    assert outcome.data == sirencodec.encode(folder / "a.png", effort=0)
    missing = found[tasks[1]]
    assert isinstance(missing, Failed)
    assert missing.reason == "missing.png: No such file or directory"


def test_a_cluster_that_does_not_answer_is_said_not_to(folder: Path) -> None:
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        result = run("encode", "a.png", "--cluster", "tcp://127.0.0.1:9")
    assert result.exit_code == 1
    assert "no cluster answers at tcp://127.0.0.1:9" in result.stderr
    assert not (folder / "a.siren").exists()
    ok("encode", "a.png", *FAST)
