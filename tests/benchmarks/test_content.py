"""Kinds of content: what is drawn, equal bytes, composites, and the tables."""

import numpy as np
import pytest

from benchmarks.measuring.codecs import OURS, Effort
from benchmarks.measuring.content import BACKGROUNDS, LOSSLESS, composite, encode_within
from benchmarks.measuring.kinds import KINDS
from benchmarks.reporting.content_table import (
    LOSSY,
    alpha_table,
    content_table,
    short_content_table,
)


def test_pictures_are_the_same_every_time_and_logos_have_alpha():
    for name, draw in KINDS.items():
        pixels = draw()
        assert np.array_equal(pixels, draw())
        assert pixels.dtype == np.uint8
        assert pixels.shape[2] == (4 if "alpha" in name else 3)
    hidden = KINDS["white disc with alpha"]()[0, 0]
    assert hidden.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("most_bytes", [1500, 4000])
def test_rivals_are_the_best_within_the_bytes(most_bytes):
    pixels = KINDS["photograph"]()
    data = encode_within("webp", pixels, most_bytes, Effort())
    assert 0.8 * most_bytes < len(data) <= most_bytes
    assert len(encode_within("webp", pixels, 1, Effort())) > 1  # the smallest there is


def test_composites_show_what_is_seen():
    pixels = np.array([[[200, 100, 0, 255], [9, 9, 9, 0]]], np.uint8)
    found = [composite(pixels, background)[0, 1].tolist() for background in BACKGROUNDS]
    assert found == [[0, 0, 0], [255, 255, 255], [0, 0, 0]]
    assert composite(pixels, "white")[0, 0].tolist() == [200, 100, 0]
    assert composite(pixels[..., :3], "black") is not None


def run(kind: str) -> dict:
    extra = {"least_opaque": 255, "most_transparent": 0} if "alpha" in kind else {}
    point = {"image": kind, "bytes": 500, "psnr_db": [40.0, 41.0, 100.0], "ssimulacra2": 80.0}
    names = (*LOSSY, *LOSSLESS)
    points = [point | extra | {"codec": name} for name in names]
    points[-2] = points[-2] | {"bytes": 120}
    return {"points": points}


def test_tables_have_a_row_a_kind():
    table = content_table(run("chart"))
    assert table.splitlines()[-1].startswith("| chart | 120 | 500 | 500 | 41.0, 80 |")
    short = short_content_table(run("chart"))
    assert short.splitlines()[-1] == "| chart | 120 | 500 | 41.0 | 41.0 |"
    assert len(alpha_table(run("logo with alpha")).splitlines()) == 2 + len(LOSSY) + len(LOSSLESS)
    assert len(alpha_table(run("chart")).splitlines()) == 2


def test_a_rival_that_takes_more_bytes_is_said_to():
    points = run("chart")["points"]
    ours = next(point for point in points if point["codec"] == OURS)
    ours["bytes"] = 300
    assert "41.0 in 500" in short_content_table({"points": points})
