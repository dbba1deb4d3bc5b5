"""BD-rates of known pairs, and published curves as others know them."""

import pytest

from benchmarks.reporting.bd_rate import compare, quality_at, rate_at
from benchmarks.reporting.curves import published_curves
from tests.benchmarks.runs import needs_bjontegaard


@needs_bjontegaard
def test_bd_rate_of_a_known_pair():
    """Cool-chic 5.0.1 against 5.0.0 on Kodak: -1.2 % in its README."""
    older, newer = published_curves("kodak", ("cool-chic-5.0.0", "cool-chic-5.0.1"))
    comparison = compare(older.points, newer.points)
    assert comparison.percent == pytest.approx(-1.2, abs=0.05)
    assert comparison.lowest == pytest.approx(27.4, abs=0.1)


@needs_bjontegaard
def test_bd_rate_of_a_curve_that_costs_half_as_much_again():
    anchor = [(0.1, 28.0), (0.2, 30.5), (0.4, 33.0), (0.8, 36.5)]
    test = [(1.5 * bpp, quality) for bpp, quality in anchor]
    assert compare(anchor, test).percent == pytest.approx(50)
    windowed = compare(anchor, test, window_bpp=(0.1, 0.4))
    assert windowed.percent == pytest.approx(50, abs=0.1)
    assert (windowed.lowest, windowed.highest) == pytest.approx((28.0, 33.0))
    assert compare(anchor, test, window_quality=(40, 50)) is None
    assert compare(anchor, [(0.1, 20.0), (0.2, 22.0)]) is None
    assert quality_at(anchor, 0.2) == pytest.approx(30.5)
    assert rate_at(anchor, 33.0) == pytest.approx(0.4)
    assert quality_at(anchor, 2.0) is None


@needs_bjontegaard
def test_published_curves_rise_and_name_their_source():
    for curve in published_curves("kodak"):
        assert curve.is_published
        assert curve.source.startswith("https://")
        assert len(curve.points) >= 4
        assert curve.points == sorted(curve.points)
        assert [quality for _, quality in curve.points] == sorted(q for _, q in curve.points)


# BD-rates against VTM on Kodak, computed by others than this code from the curves' sources.
@needs_bjontegaard
@pytest.mark.parametrize(
    ("name", "point", "percent"),
    [
        ("mlic+", (0.1124, 29.198), -13.2),
        ("cool-chic-5.0.1", (0.2186, 30.859), -6.6),
        ("lotterycodec", (0.5204, 34.526), -0.4),
        ("c3", (0.3506, 32.395), 5.3),
        ("bpg", (0.161, 28.682), 22),
        ("recombiner", (0.3162, 30.439), 61.5),
        ("nif25", (0.4451, 31.218), 87),
        ("struempler-meta", (0.2489, 28.280), 138),
        ("coin++", (0.1325, 24.927), 488),
        ("coin", (0.1604, 24.641), 464),
        ("vtm", (0.2458, 31.2), None),
    ],
)
def test_published_curves_are_those_that_others_know(name, point, percent):
    curve, vtm = published_curves("kodak", (name, "vtm"))
    assert any(pair == pytest.approx(point, abs=6e-4) for pair in curve.points)
    if percent is not None:
        assert compare(vtm.points, curve.points).percent == pytest.approx(
            percent, abs=0.5, rel=0.02
        )
