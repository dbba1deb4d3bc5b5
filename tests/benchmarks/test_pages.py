"""The tables of README and docs are those of the committed results."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import readme
from benchmarks.cli import main
from benchmarks.measuring.machine import ROOT
from tests.benchmarks.runs import fake_run, needs_bjontegaard


@needs_bjontegaard
def test_readme_tables_are_written_between_their_markers(tmp_path):
    (tmp_path / "tiny.json").write_text(json.dumps(fake_run(webp=1.0, **{"avif-444": 2.0})))
    text = (
        "before\n<!-- benchmarks:bd-rate tiny anchor=webp codecs=avif-444 -->\nold\n"
        "<!-- /benchmarks:bd-rate -->\nafter\n"
    )
    rendered = readme.render(text, tmp_path)
    assert "| AVIF 4:4:4 | +100.0 % |" in rendered
    assert "old" not in rendered
    assert rendered.startswith("before\n")
    assert rendered.endswith("after\n")
    assert readme.render(rendered, tmp_path) == rendered
    for wrong in (
        text.replace("tiny", "moon"),
        text.replace("bd-rate tiny", "no-table tiny").replace("/benchmarks:bd-rate", "x"),
        text.replace("<!-- /benchmarks:bd-rate -->", ""),
    ):
        with pytest.raises(readme.ReadmeError):
            readme.render(wrong, tmp_path)


def committed_results():
    """Results in git; outside of git, those on disk."""
    command = ["git", "ls-files", "--", "benchmarks/results/*.json"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return listed.stdout.split()
    return [path.name for path in readme.RESULTS.glob("*.json")]


def test_every_committed_result_is_shown_on_a_page():
    text = "".join(page.read_text(encoding="utf-8") for page in readme.PAGES)
    blocks = readme.BLOCK.finditer(text)
    shown = {result for block in blocks for result in readme.block_results(block)}
    assert {Path(result).stem for result in committed_results()} <= shown


@needs_bjontegaard
@pytest.mark.parametrize("page", readme.PAGES, ids=lambda page: page.name)
def test_pages_say_what_the_committed_results_say(page):
    text = page.read_text(encoding="utf-8")
    assert readme.MARKER.search(text) or page.name not in ("README.md", "measurements.md")
    assert readme.render(text) == text, "out of date: run `python -m benchmarks readme`"


@needs_bjontegaard
def test_every_page_is_filled_and_none_by_a_check(tmp_path):
    block = "<!-- benchmarks:quality six codecs=webp bpp=0.2 -->\n<!-- /benchmarks:quality -->\n"
    pages = [tmp_path / "README.md", tmp_path / "other.md"]
    for page in pages:
        page.write_text(block)
    both = ["readme", "--file", str(pages[0]), "--file", str(pages[1])]
    assert CliRunner().invoke(main, [*both, "--check"]).exit_code == 1
    assert [page.read_text() for page in pages] == [block, block]
    assert CliRunner().invoke(main, ["readme", "--file", str(pages[1])]).exit_code == 0
    assert pages[0].read_text() == block
    assert CliRunner().invoke(main, both).exit_code == 0
    assert ["| WebP |" in page.read_text() for page in pages] == [True, True]
    assert CliRunner().invoke(main, [*both, "--check"]).exit_code == 0
