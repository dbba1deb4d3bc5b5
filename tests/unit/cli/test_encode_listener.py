"""What an encode says before it begins: how long it will take, if that is worth waiting for."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

from sirencodec.batch.clock import expected_seconds, readable_time
from sirencodec.batch.tasks import Task
from sirencodec.cli.encode_listener import EncodeListener
from sirencodec.cli.progress import ProgressBars
from sirencodec.cli.report import Report
from sirencodec.config import EncodeConfig


class Watched(ProgressBars):
    """As on a terminal, without drawing."""

    are_shown = True


@pytest.mark.parametrize(
    ("kind", "side", "is_said"),
    [
        (Watched, 1000, True),
        (Watched, 8, False),  # over before it is read
        (ProgressBars, 1000, False),  # a log hears of several files alone
    ],
)
def test_a_single_picture_tells_what_it_takes_on_a_terminal(
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
    assert lines == [f"{source}: about {time} at effort 1"] * is_said
