"""Results -> the tables of the README and of docs/, between markers, so that they cannot drift.

A table stands between

    <!-- benchmarks:TABLE RESULT key=value ... -->
    <!-- /benchmarks:TABLE -->

where TABLE is a key of ``TABLES`` and RESULT a file of `benchmarks/results` without its suffix, or
several with + between them, all of one data set.
What lies between the markers is written by `python -m benchmarks readme`, on every page that has
any, and a test fails when it is not what the committed result says.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measuring.codecs import OURS
from benchmarks.measuring.machine import ROOT
from benchmarks.measuring.results import merged_run, read_run
from benchmarks.reporting import report, tables
from benchmarks.reporting.ablation_table import ablation_table
from benchmarks.reporting.bd_rate import Window
from benchmarks.reporting.content_table import alpha_table, content_table, short_content_table
from benchmarks.reporting.curves import MEASURES, Curve, NoCurveError, curve_name, find_curve
from benchmarks.reporting.detail_table import detail_table
from benchmarks.reporting.effort_table import cost_table, effort_table
from benchmarks.reporting.scale_table import scale_table
from benchmarks.reporting.score_table import score_table
from benchmarks.reporting.speed_tables import speed_tables
from benchmarks.studies.activations.page import activations_block

PAGES = (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))
RESULTS = Path(__file__).parent / "results"
BLOCK = re.compile(
    r"(?P<head><!-- benchmarks:(?P<table>[\w-]+) (?P<result>[\w.+-]+)(?P<options>[^>]*?) -->\n)"
    r"(?P<body>.*?)"
    r"(?P<tail><!-- /benchmarks:(?P=table) -->)",
    re.DOTALL,
)
MARKER = re.compile(r"<!-- /?benchmarks:")
Options = dict[str, str]


class ReadmeError(Exception):
    """A marker asks for what there is not, or is written wrongly."""


def render(text: str, results: Path = RESULTS) -> str:
    """Page -> the page with every table as the results say.

    Raises:
        ReadmeError: if a marker is malformed or names an unknown table or result.
    """
    blocks = list(BLOCK.finditer(text))
    if 2 * len(blocks) != len(MARKER.findall(text)):
        raise ReadmeError("a benchmarks marker has no counterpart or is not of the known form")
    return BLOCK.sub(lambda block: _render_block(block, results), text)


def _render_block(block: re.Match[str], results: Path) -> str:
    table = block["table"]
    paths = [results / f"{name}.json" for name in block_results(block)]
    if table not in TABLES:
        raise ReadmeError(f"unknown table {table}; there are {', '.join(TABLES)}")
    if missing := [path.name for path in paths if not path.exists()]:
        raise ReadmeError(f"no result {', '.join(missing)} in {results.name}")
    try:
        options = dict(word.split("=", 1) for word in block["options"].split())
        body = TABLES[table](merged_run([read_run(path) for path in paths]), options)
    except (ValueError, KeyError, NoCurveError) as error:
        raise ReadmeError(f"table {table} of {block['result']}: {error}") from error
    return f"{block['head']}{body}\n{block['tail']}"


def block_results(block: re.Match[str]) -> list[str]:
    """Match of ``BLOCK`` -> names of the results that its table shows."""
    return block["result"].split("+")


def _curves(run: dict[str, Any], options: Options) -> list[Curve]:
    """All curves of ``images=a,b``, or of all images, by ``measure=ssimulacra2``, or PSNR."""
    images = tuple(options["images"].split(",")) if "images" in options else ()
    measure = options.get("measure", "psnr")
    return report.collect_curves([run], report.Options(images=images, measure=measure))


def _chosen(curves: list[Curve], options: Options) -> list[Curve]:
    """The curves of ``codecs=a,b`` in that order, or all."""
    if "codecs" not in options:
        return curves
    return [find_curve(curves, name) for name in options["codecs"].split(",")]


def _bd_rate(run: dict[str, Any], options: Options, table: Callable[..., str]) -> str:
    everything = _curves(run, options)
    anchor = find_curve(everything, options.get("anchor", "vtm"))
    return table(_chosen(everything, options), anchor, window_bpp=_window(options.get("bpp")))


def _efforts(run: dict[str, Any], options: Options) -> str:
    anchor = find_curve(_curves(run, options), options.get("anchor", "avif-444"))
    return effort_table(run, options.get("codec", OURS), anchor, _window(options.get("bpp")))


def _quality(run: dict[str, Any], options: Options) -> str:
    rates = [float(rate) for rate in options.get("bpp", "0.1,0.2,0.4,0.8").split(",")]
    return tables.quality_table(_chosen(_curves(run, options), options), rates)


def _measures(run: dict[str, Any], options: Options) -> str:
    """BD-rate of ``codec`` by every measure it has, a column for each of ``against``."""
    points = [point for point in run["points"] if curve_name(point) == options["codec"]]
    if not points:
        raise NoCurveError(f"no curve {options['codec']}")
    curves = {
        name.removesuffix(" in dB"): report.collect_curves([run], report.Options(measure=measure))
        for measure, name in report.QUALITY_NAMES.items()
        if all(MEASURES[measure] in point for point in points)
    }
    anchors, window = options["against"].split(","), _window(options.get("bpp"))
    return tables.measures_table(curves, options["codec"], anchors, window)


def _speed(table: str) -> Callable[[dict[str, Any], Options], str]:
    return lambda run, options: speed_tables(run)[table]


def _window(text: str | None) -> Window | None:
    if text is None:
        return None
    lowest, highest = (float(part) for part in text.split(","))
    return (lowest, highest)


TABLES: dict[str, Callable[[dict[str, Any], Options], str]] = {
    "bd-rate": lambda run, options: _bd_rate(run, options, tables.bd_rate_table),
    "image-bd-rate": lambda run, options: _bd_rate(run, options, tables.image_table),
    "measures": _measures,
    "efforts": _efforts,
    "costs": lambda run, options: cost_table(run, options["codecs"].split(",")),
    "quality": _quality,
    "speed-start": _speed("start"),
    "speed-decode": _speed("decode"),
    "speed-encode": _speed("encode"),
    "scale": lambda run, options: scale_table(run),
    "content": lambda run, options: content_table(run),
    "content-short": lambda run, options: short_content_table(run),
    "alpha": lambda run, options: alpha_table(run),
    "detail": lambda run, options: detail_table(run),
    "scores": lambda run, options: score_table(run),
    "ablation": lambda run, options: ablation_table(run),
    "activations": lambda run, options: activations_block(run, options["part"]),
}
