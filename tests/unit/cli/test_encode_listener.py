"""What an encode says before it begins: how long it will take, if that is worth waiting for."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

from sirencodec.batch.clock import expected_seconds, readable_time
from sirencodec.batch.expectation import expected_bytes
from sirencodec.batch.tally import readable_bytes
from sirencodec.batch.tasks import Task
from sirencodec.cli.encode_listener import EncodeListener
from sirencodec.cli.progress import ProgressBars
from sirencodec.cli.report import Report
from sirencodec.config import EncodeConfig
from sirencodec.fitting.progress import FitProgress
from sirencodec.fitting.pyramid.memory import fit_bytes
from sirencodec.image.files import read_image


class Watched(ProgressBars):
    """As on a terminal, without drawing."""

    are_shown = True


@pytest.mark.parametrize(
    ("kind", "side", "is_said"),
    [
        (Watched, 1000, True),
        (Watched, 8, False),  # over before it is read
        (ProgressBars, 1000, True),
        (ProgressBars, 8, False),
    ],
)
def test_a_single_picture_tells_what_it_takes_to_a_terminal_and_to_a_log(
    kind: type[ProgressBars], side: int, is_said: bool, tmp_path: Path
) -> None:
    lines: list[str] = []
    report, source, config = Report(), str(tmp_path / "a.png"), EncodeConfig(effort=1)
    report.say = lines.append
    PIL.Image.new("L", (side, side)).save(source)
    bars = kind(report, is_wanted=False)
    listener = EncodeListener(report, bars, config, jobs=1, cores=1)
    listener.on_start([Task(source, "a.siren")])
    time = readable_time(expected_seconds(side**2, config))
    size = readable_bytes(expected_bytes(read_image(source), config))
    assert lines == [f"{source}: about {time} at effort 1, about {size}"] * is_said


@pytest.mark.parametrize(
    ("target", "num_files", "said"),
    [
        ({"size_bytes": 20_000}, 1, ", at most 20.0 kB"),
        ({"size_bytes": 20_000}, 3, ", at most 60.0 kB"),
        ({"bpp": 0.2}, 2, ", at most 12.5 kB"),
        ({"quality": 50}, 2, ""),  # a dry run would say
    ],
)
def test_sizes_that_were_asked_for_are_said(
    target: dict[str, float], num_files: int, said: str, tmp_path: Path
) -> None:
    lines: list[str] = []
    tasks = [Task(str(tmp_path / f"{n}.png"), f"{n}.siren") for n in range(num_files)]
    for task in tasks:
        PIL.Image.new("L", (500, 500)).save(task.source)
    listener_of(EncodeConfig(**target), lines, [0.0]).on_start(tasks)
    assert lines[0].endswith(f" at effort 4{said}")


def test_of_what_cannot_be_read_nothing_is_foretold(tmp_path: Path) -> None:
    lines: list[str] = []
    (tmp_path / "broken.png").write_bytes(b"nothing")
    listener_of(EncodeConfig(), lines, [0.0]).on_start([Task(str(tmp_path / "broken.png"), "x")])
    assert lines == []


def listener_of(config: EncodeConfig, lines: list[str], seconds: list[float]) -> EncodeListener:
    """One that speaks to a terminal, by a clock that says the first of ``seconds``."""
    report = Report()
    report.say = lines.append
    bars = Watched(report, is_wanted=False)
    return EncodeListener(report, bars, config, jobs=1, cores=1, now=lambda: seconds[0])


def test_a_fit_foretells_its_time_once_its_pace_is_known() -> None:
    lines, seconds, task = list[str](), [100.0], Task("a.png", "a.siren")
    listener = listener_of(EncodeConfig(), lines, seconds)
    for time_s, share in [(100.0, 0.01), (101.0, 0.02), (103.0, 0.04), (110.0, 0.06)]:
        seconds[0] = time_s
        listener.on_step(task, FitProgress(1, 1000, 20.0, share))
    assert lines == ["a.png: about 2 min at the pace it has"]  # 3 seconds for 0.03 of the work


def test_a_time_that_was_asked_for_is_the_one_that_is_told(tmp_path: Path) -> None:
    source, lines = str(tmp_path / "a.png"), list[str]()
    PIL.Image.new("L", (500, 500)).save(source)
    listener = listener_of(EncodeConfig(max_seconds=240), lines, [0.0])
    listener.on_start([Task(source, "a.siren")])
    assert lines[0].startswith(f"{source}: about 4 min as planned, about ")


def test_memory_is_told_where_it_is_much(tmp_path: Path) -> None:
    source, lines = str(tmp_path / "a.png"), list[str]()
    PIL.Image.new("1", (6000, 5000)).save(source)
    listener_of(EncodeConfig(), lines, [0.0]).on_start([Task(source, "a.siren")])
    assert f"{fit_bytes(30_000_000) / 1e9:.1f} GB of memory" in lines[0]
