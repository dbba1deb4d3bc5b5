"""A point is verified and on disk before the next one; what is unknown is named."""

from dataclasses import replace
from itertools import cycle

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.cli import main
from benchmarks.measuring import coding_process
from benchmarks.measuring.codecs import CODECS
from benchmarks.measuring.fresh_process import MeasurementError
from benchmarks.measuring.machine import command_line
from benchmarks.measuring.measure import Job
from benchmarks.measuring.measure import measure as measure_job
from benchmarks.measuring.pixels import find_images
from benchmarks.measuring.results import RunError, RunStore, read_run


def test_a_point_is_on_disk_before_the_next_begins(tmp_path):
    with RunStore(tmp_path / "run.json", "rate-distortion") as store:
        store.start_session({}, {"dataset": "none"})
        store.add({"codec": "webp", "setting": 1.0, "image": "a", "bytes": 7})
        [point] = read_run(tmp_path / "run.json")["points"]
        assert point["bytes"] == 7


def test_one_process_at_a_time_writes_to_a_run(tmp_path):
    path = tmp_path / "run.json"
    with RunStore(path, "rate-distortion") as store:
        store.start_session({}, {})
        store.add({"codec": "webp", "setting": 1.0, "image": "a"})
        with pytest.raises(RunError, match="another process"), RunStore(path, "rate-distortion"):
            pass
        store.add({"codec": "webp", "setting": 2.0, "image": "a"})
        stale = RunStore(path, "rate-distortion")
        store.add({"codec": "webp", "setting": 3.0, "image": "a"})
    with stale:
        assert len(stale.points) == 3
    assert len(read_run(path)["points"]) == 3


@pytest.mark.parametrize(
    ("decodes", "complaint"),
    [([(48, 64), (48, 64)], "two decodes of one file differ"), ([(64, 48)], "decoded to")],
    ids=["to-two-pictures", "to-another-size"],
)
def test_a_file_that_does_not_verify_is_a_failure_not_a_point(
    dataset, tmp_path, monkeypatch, decodes, complaint
):
    pictures = [np.full((*shape, 3), level, np.uint8) for level, shape in enumerate(decodes)]
    source = cycle(pictures)
    broken = replace(CODECS["webp"], decode=lambda data, threads: next(source))
    monkeypatch.setitem(CODECS, "webp", broken)

    def run_here(request):
        return getattr(coding_process, request["action"])(request)

    monkeypatch.setattr("benchmarks.measuring.measure._run", run_here)
    job = Job("webp", 20, None, dataset / "waves0.png")
    with pytest.raises(MeasurementError, match=complaint):
        measure_job(job)


def test_unknown_codecs_and_images_are_named(dataset, tmp_path):
    for options, named in ((["--codecs", "gif"], "gif"), (["--images", "moon"], "moon")):
        arguments = ["rate-distortion", "--dataset", str(dataset), "--codecs", "webp", *options]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code != 0
        assert named in result.output


def test_commands_are_recorded_without_folders_of_the_machine():
    recorded = command_line(["rate-distortion", "--dataset", "/home/someone/kodak", "--jobs", "1"])
    assert recorded == "python -m benchmarks rate-distortion --dataset kodak --jobs 1"


def test_images_are_found_by_name(dataset):
    assert [path.stem for path in find_images(dataset)] == ["waves0", "waves1"]
    assert [path.stem for path in find_images(dataset, ("waves1",))] == ["waves1"]
