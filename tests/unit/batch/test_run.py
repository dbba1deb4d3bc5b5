"""A run over many files, whose encoder is a stand-in: what is written, skipped, refused, lost."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path

import pytest

from sirencodec.batch import outputs
from sirencodec.batch.encode_files import Encoded, Failed, Listener, Outcome
from sirencodec.batch.manifest import Manifest, read_manifest
from sirencodec.batch.outputs import Existing
from sirencodec.batch.run import Encoder, Result, Rules, Skipped, run_batch
from sirencodec.batch.tasks import Task
from sirencodec.config import EncodeConfig
from sirencodec.files import claim
from sirencodec.fitting.progress import FitProgress

CONFIG = EncodeConfig(bpp=0.5)


class Silent:
    def on_start(self, _tasks: Sequence[Task]) -> None: ...

    def on_step(self, _task: Task, _progress: FitProgress) -> None: ...

    def on_warning(self, _task: Task, text: str) -> None:
        raise AssertionError(text)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, holding a.png, b.png and c.png."""
    monkeypatch.chdir(tmp_path)
    for name in "abc":
        Path(f"{name}.png").write_bytes(b"picture " + name.encode())
    return tmp_path


def tasks(where: str = "") -> list[Task]:
    return [Task(f"{name}.png", f"{where}{name}.siren") for name in "abc"]


def encoded(task: Task) -> Encoded:
    data = b"encoded " + Path(task.source).read_bytes()
    return Encoded(data, 9, 4, 2, "RGB", "pure", 30.0, 55.0, 8 * len(data) / 8, 1.5)


def encoder(seen: list[str], before: Callable[[Task], object] = lambda _task: None) -> Encoder:
    """Encodes by copying; broken.png fails."""

    def encode(
        given: Iterable[Task], _config: EncodeConfig, _listener: Listener
    ) -> Generator[tuple[Task, Outcome], None, None]:
        for task in given:
            seen.append(task.source)
            before(task)
            broken = Failed(f"{task.source}: broken")
            yield task, broken if task.source == "broken.png" else encoded(task)

    return encode


def run(
    given: list[Task],
    existing: Existing = Existing.REFUSE,
    *,
    before: Callable[[Task], object] = lambda _task: None,
    **rules: object,
) -> tuple[dict[str, Result], list[str]]:
    """Tasks -> results by output, and the inputs that reached the encoder."""
    seen: list[str] = []
    made = Rules(existing, **rules)  # type: ignore[arg-type]
    results = run_batch(given, CONFIG, Silent(), made, encoder(seen, before))
    return {task.output: result for task, result in results}, seen


def reason(result: Result) -> str:
    assert isinstance(result, Failed)
    return result.reason


def visible() -> list[str]:
    return sorted(os.listdir())


def hidden() -> list[str]:
    return [str(path) for path in Path().rglob(".*")]


def test_all_is_written_and_nothing_else_left() -> None:
    results, _ = run(tasks("out/deep/"))
    assert all(isinstance(result, Encoded) for result in results.values())
    assert Path("out/deep/b.siren").read_bytes() == b"encoded picture b"
    assert hidden() == []


def test_one_that_fails_does_not_stop_the_others() -> None:
    results, _ = run([Task("broken.png", "broken.siren"), *tasks()])
    assert reason(results["broken.siren"]) == "broken.png: broken"
    assert Path("c.siren").exists()


def test_a_second_run_does_nothing() -> None:
    run(tasks())
    results, seen = run(tasks(), Existing.SKIP)
    assert set(map(type, results.values())) == {Skipped}
    assert seen == []


def test_a_second_run_does_what_is_left() -> None:
    run(tasks()[:1])
    Path("b.siren").write_bytes(b"")  # a kill can leave it, where there are no hard links
    results, seen = run(tasks(), Existing.SKIP)
    assert seen == ["b.png", "c.png"]
    assert isinstance(results["a.siren"], Skipped)
    assert Path("b.siren").read_bytes() == b"encoded picture b"


def test_newer_inputs_are_encoded_again() -> None:
    run(tasks())
    Path("b.png").write_bytes(b"picture b!")
    os.utime("b.png", ns=(0, Path("b.siren").stat().st_mtime_ns + 10**10))
    results, seen = run(tasks(), Existing.NEWER)
    assert seen == ["b.png"]
    assert isinstance(results["a.siren"], Skipped)
    assert Path("b.siren").read_bytes() == b"encoded picture b!"


def test_dates_are_kept() -> None:
    os.utime("a.png", (1e9, 1e9))
    run(tasks(), keep_date=True)
    assert Path("a.siren").stat().st_mtime == 1e9
    assert run(tasks(), Existing.NEWER)[1] == []


def test_an_output_that_came_meanwhile_is_another_runs() -> None:
    def appear(task: Task) -> None:
        Path(task.output).write_text("precious")

    results, _ = run(tasks(), Existing.SKIP, before=appear)
    assert set(map(type, results.values())) == {Skipped}
    assert Path("a.siren").read_text() == "precious"
    Path("a.siren").unlink()
    refused, _ = run(tasks()[:1], before=appear)
    said = "exists already; --force replaces it, --skip-existing leaves it"
    assert reason(refused["a.siren"]) == f"a.siren: {said}"


def test_what_another_run_is_at_is_left_to_it() -> None:
    with claim("b.siren"):
        results, seen = run(tasks(), Existing.SKIP)
    assert seen == ["a.png", "c.png"]
    assert isinstance(results["b.siren"], Skipped)
    assert not Path("b.siren").exists()


def test_two_runs_share_the_work() -> None:
    """The second begins while the first is at its first file, and takes the others."""
    second: list[list[str]] = []

    def start_second(_task: Task) -> None:
        if not second:
            second.append(run(tasks(), Existing.SKIP)[1])

    results, seen = run(tasks(), Existing.SKIP, before=start_second)
    assert (seen, second) == (["a.png"], [["b.png", "c.png"]])
    assert [type(results[f"{name}.siren"]) for name in "abc"] == [Encoded, Skipped, Skipped]
    assert hidden() == []


def test_leftovers_of_killed_runs_are_removed() -> None:
    Path("out").mkdir()
    Path("out/.b.siren.0123456789abcdef.sirencodec-part").write_bytes(b"half")
    run(tasks("out/"))
    assert hidden() == []


# What can be known before the work


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("file/x.siren", "file/x.siren: its folder is a file"),
        ("file/deeper/x.siren", "file/deeper/x.siren: its folder is a file"),
        ("folder", "folder: is a directory"),
        ("x" * 300, "File name too long"),
        ("loop/x.siren", "Too many levels of symbolic links"),
        ("dangling", "exists already"),
    ],
)
def test_what_cannot_be_written_is_not_encoded(output: str, expected: str) -> None:
    Path("file").write_bytes(b"")
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("nowhere")
    results, seen = run([Task("a.png", output)])
    assert expected in reason(results[output])
    assert seen == []


@pytest.mark.parametrize("existing", list(Existing))
def test_no_file_is_overwritten_where_case_does_not_count(existing: Existing) -> None:
    """A second name for a file that was written does what such a file system does."""

    def look_without_case(task: Task) -> None:
        if task.output == "b.siren":
            os.link("B.siren", "b.siren")

    given = [Task("a.png", "B.siren"), Task("b.png", "b.siren", namesakes=("B.siren",))]
    results, _ = run(given, existing, before=look_without_case)
    said = "b.siren: is B.siren as well, for case does not count there; see -o"
    assert reason(results["b.siren"]) == said
    assert Path("B.siren").read_bytes() == b"encoded picture a"
    results, seen = run(given, Existing.SKIP)
    assert isinstance(results["B.siren"], Skipped)
    assert reason(results["b.siren"]) == said
    assert seen == []


def test_what_cannot_be_named_fails_by_itself() -> None:
    results, seen = run([Task("a.png", "a.png", refusal="would become a.png"), *tasks()[1:]])
    assert reason(results["a.png"]) == "a.png: would become a.png"
    assert seen == ["b.png", "c.png"]
    assert Path("a.png").read_bytes() == b"picture a"


def test_a_full_disk_is_seen_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(".")._replace(free=4096)
    monkeypatch.setattr(outputs.shutil, "disk_usage", lambda _folder: usage)
    results, seen = run(tasks())
    assert reason(results["a.siren"]) == "a.siren: no room on the disk"
    assert seen == []


def test_a_disk_that_fills_up_names_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    results, seen = run(tasks())
    assert reason(results["a.siren"]) == "a.siren: No space left on device"
    assert seen == ["a.png", "b.png", "c.png"]
    assert visible() == ["a.png", "b.png", "c.png"]


def test_a_folder_that_vanishes_is_not_made_again() -> None:
    """It was on a disk that someone took away; what would be written would be nowhere."""

    def take_away(_task: Task) -> None:
        shutil.rmtree("out")

    results, seen = run(tasks("out/"), before=take_away)
    assert seen == ["a.png"]
    assert reason(results["out/a.siren"]) == "out/a.siren: No such file or directory"
    assert reason(results["out/c.siren"]) == "out/c.siren: its folder has vanished"
    assert not Path("out").exists()


def test_inputs_that_vanish_are_failures_of_their_own() -> None:
    Path("out").mkdir()
    Path("out/b.siren").write_bytes(b"older")
    Path("b.png").unlink()
    results, _ = run(tasks("out/"), Existing.NEWER)
    assert reason(results["out/b.siren"]) == "b.png: No such file or directory"
    assert isinstance(results["out/c.siren"], Encoded)


# The manifest


def test_the_manifest_says_what_was_made_from_what() -> None:
    os.utime("a.png", (1e9, 1e9))
    run(tasks()[:1], manifest=Manifest("made.jsonl"))
    (line,) = read_manifest("made.jsonl")
    assert line.pop("sha256") == hashlib.sha256(Path("a.siren").read_bytes()).hexdigest()
    assert line.pop("input_modified").startswith("2001-09-09T")
    assert line.pop("finished").startswith("20")
    assert line.pop("version")
    settings = line.pop("settings")
    assert (settings["bpp"], settings["effort"]) == (0.5, 4)
    assert "quality" not in settings
    assert line == {
        "status": "encoded",
        "input": "a.png",
        "output": "a.siren",
        "input_bytes": 9,
        "bytes": 17,
        "lossless_webp_bytes": None,
        "width": 4,
        "height": 2,
        "mode": "RGB",
        "bpp": 17.0,
        "psnr_db": 30.0,
        "ssimulacra2": 55.0,
        "profile": "pure",
        "seconds": 1.5,
    }


def test_failures_are_in_the_manifest() -> None:
    run([Task("broken.png", "broken.siren")], manifest=Manifest("made.jsonl"))
    (line,) = read_manifest("made.jsonl")
    assert (line["status"], line["reason"]) == ("failed", "broken.png: broken")


def test_the_line_is_there_before_the_file_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a kill between the two loses no line."""

    def power_cut(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", power_cut)
    with pytest.raises(KeyboardInterrupt):
        run(tasks(), manifest=Manifest("made.jsonl"))
    assert [line["output"] for line in read_manifest("made.jsonl")] == ["a.siren"]
    assert not Path("a.siren").exists()


def test_a_line_cut_by_a_kill_harms_no_other() -> None:
    run(tasks()[:1], manifest=Manifest("made.jsonl"))
    with open("made.jsonl", "ab") as file:
        file.write(b'{"status": "enco')
    run(tasks()[1:], manifest=Manifest("made.jsonl"))
    assert [line["output"] for line in read_manifest("made.jsonl")] == [
        "a.siren",
        "b.siren",
        "c.siren",
    ]


def test_no_manifest_is_an_empty_one() -> None:
    assert list(read_manifest("missing.jsonl")) == []
