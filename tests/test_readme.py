"""Every command and every line of Python in the README runs as it stands; links lead somewhere.

In this process, on a picture so small that its fits take seconds.
"""

import re
import runpy
import shlex
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from sirencodec.cli import COMMANDS, main
from sirencodec.image.files import read_image
from tests.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
USED = set(COMMANDS) - {"completion"}
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md"])


@pytest.fixture
def photo_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working directory with a ``photo.png`` large enough for the README's crop."""
    monkeypatch.chdir(tmp_path)
    y, x = np.mgrid[:120, :170]
    waves = np.stack([np.sin(x / 20 + channel) * np.cos(y / 30) for channel in range(3)], -1)
    texture = np.sin(x * y / 40)[..., None]
    PIL.Image.fromarray(np.uint8(127.5 + 100 * waves + 27 * texture)).save("photo.png")
    return tmp_path


def run(arguments: list[str], data: bytes | None) -> bytes:
    """One command of a pipe -> what it writes to stdout."""
    if arguments[0] == "cat":
        return Path(arguments[1]).read_bytes()
    assert arguments[0] == "sirencodec"
    result = CliRunner().invoke(main, arguments[1:], input=data)
    assert result.exit_code == 0, result.stderr
    return result.stdout_bytes


def run_line(line: str) -> None:
    """A shell line of commands, pipes and a redirection at the end -> run, left to right."""
    line, _, target = line.partition(">")
    output: bytes | None = None
    for command in line.split("|"):
        output = run(shlex.split(command, comments=True), output)
    if target:
        Path(target.strip()).write_bytes(output or b"")


@pytest.mark.slow
def test_commands_run(photo_folder: Path) -> None:
    lines = re.findall(r"^    ((?:sirencodec|cat) .*)$", README, re.MULTILINE)
    assert {line.split()[1] for line in lines if line.startswith("sirencodec")} == USED
    for line in lines:
        if line.startswith("sirencodec serve"):
            continue  # it ends by a signal: tests/test_serve.py
        if line.startswith("sirencodec encode"):  # as if each were tried by itself
            (photo_folder / "photo.siren").unlink(missing_ok=True)
        run_line(line)
    assert read_image("detail.png").width == 512
    assert read_image("again.png").width == 170
    assert read_image("report.png").width > 0


@pytest.mark.slow
def test_python_runs(photo_folder: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert blocks
    run_line("sirencodec encode photo.png --effort 0")
    for number, block in enumerate(blocks):
        script = photo_folder / f"block{number}.py"
        script.write_text(block, encoding="utf-8")
        names = runpy.run_path(str(script))
        assert names["image"].width == 2048


def test_make_has_what_the_readme_names() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Links to files of the project, and to headings of them."""
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), f"{page.name}: {link}"
        if heading:
            titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in [title.lower().replace(" ", "-") for title in titles], link


def test_modules_that_the_pages_name_exist() -> None:
    """`room/module.py` in what describes the code, and folders of it."""
    pages = [ROOT / "docs" / f"{name}.md" for name in ("ARCHITECTURE", "why-sine", "measurements")]
    for page in (*pages, ROOT / "CONTRIBUTING.md"):
        for name in re.findall(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|h|md)|[\w/]+/)`", page.read_text()):
            found = [*ROOT.glob(f"sirencodec/**/{name}"), *ROOT.glob(name)]
            assert found, f"{page.name}: {name}"
