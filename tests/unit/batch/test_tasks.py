"""Which file becomes which."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sirencodec.batch.names import plan_tasks
from sirencodec.batch.tasks import find_inputs


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"")


def is_wanted(path: Path) -> bool:
    return path.suffix.lower() in (".jpg", ".png")


def plan(
    *names: str, output: str | None = None, keep_suffix: bool = False
) -> tuple[list[tuple[str, str]], list[str]]:
    """Names -> inputs with their outputs, and the outputs of twins."""
    inputs = find_inputs(names, recursive=True, wanted=is_wanted)
    tasks, twins = plan_tasks(inputs, output, suffix=".siren", keep_suffix=keep_suffix)
    return [(task.source, task.output) for task in tasks], [task.output for task in twins]


def test_twins_keep_their_suffix_and_others_do_not() -> None:
    make("album/a.jpg", "album/a.png", "album/b.jpg", "album/sub/a.jpg")
    tasks, twins = plan("album")
    assert tasks == [
        ("album/a.jpg", "album/a.jpg.siren"),
        ("album/a.png", "album/a.png.siren"),
        ("album/b.jpg", "album/b.siren"),
        ("album/sub/a.jpg", "album/sub/a.siren"),
    ]
    assert twins == ["album/a.jpg.siren", "album/a.png.siren"]


def test_twins_are_told_apart_by_case_and_on_the_command_line() -> None:
    make("a.jpg", "a.JPG")
    assert plan("a.jpg", "a.JPG", output="out/")[0] == [
        ("a.jpg", "out/a.jpg.siren"),
        ("a.JPG", "out/a.JPG.siren"),
    ]


def test_a_name_that_twins_would_take_is_a_twin_as_well() -> None:
    make("a.jpg", "a.png", "a.jpg.png")
    assert [output for _, output in plan(".")[0]] == [
        "a.jpg.siren",
        "a.jpg.png.siren",
        "a.png.siren",
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("a.jpg", "a.png", "a.png.png"),
        ("a.jpg", "a.png", "a.png.png", "a.png.png.png", "a.png.jpg"),
        ("a.png", "a.siren/b.png"),
        ("x/a.jpg", "x/a.png", "y/a.png", "y/a.png.png"),
    ],
)
@pytest.mark.parametrize("output", [None, "out"])
def test_no_names_stop_a_batch(names: tuple[str, ...], output: str | None) -> None:
    make(*names)
    tasks = plan_tasks(
        find_inputs(["."], recursive=True, wanted=is_wanted), output, suffix=".siren"
    )[0]
    outputs = {task.output for task in tasks}
    assert len(outputs) == len(names)
    assert not any(task.refusal for task in tasks)
    assert not outputs & {str(parent) for name in outputs for parent in Path(name).parents}


def test_what_would_be_one_file_all_the_same_is_refused_by_itself() -> None:
    make("x/a.png", "y/a.png", "z/b.png")
    Path("out").mkdir()
    for folder in ("x", "y", *Path.cwd().parts[1:]):  # whatever is kept of them, it is one place
        Path("out", folder).symlink_to(".", target_is_directory=True)
    inputs = find_inputs(["x", "y", "z"], recursive=True, wanted=is_wanted)
    tasks, _ = plan_tasks(inputs, "out", suffix=".siren")
    assert [task.output for task in tasks] == ["out/a.siren", "out/a.siren", "out/b.siren"]
    reason = "would become out/a.siren, and so would y/a.png; see --keep-suffix and -o"
    assert [task.refusal is not None for task in tasks] == [True, True, False]
    assert tasks[0].refusal == reason


def test_one_file_named_twice_is_a_batch() -> None:
    make("a.png")
    assert plan("a.png", "./a.png", output="out")[0] == [("a.png", "out/a.siren")]


def test_a_link_is_an_input_of_its_own() -> None:
    make("album/2024/a.png")
    Path("album/a-favourite.png").symlink_to("2024/a.png")
    assert [output for _, output in plan("album", output="out")[0]] == [
        "out/a-favourite.siren",
        "out/2024/a.siren",
    ]


def test_what_is_no_file_is_left_alone_and_remembered() -> None:
    make("album/a.png")
    os.mkfifo("album/pipe.png")
    Path("album/again").symlink_to(".", target_is_directory=True)
    inputs = find_inputs(["album"], recursive=True, wanted=is_wanted)
    assert [each.source for each in inputs.files] == ["album/a.png"]
    assert dict(inputs.strange) == {
        "album/again": "a link to a folder, which -r does not follow; name it to have it read",
        "album/pipe.png": "a pipe, socket or device; name it to have it read",
    }


def test_names_that_differ_in_case_alone_know_of_each_other() -> None:
    make("x/A.png", "x/a.png", "x/b.png")
    tasks, _ = plan_tasks(
        find_inputs(["x"], recursive=True, wanted=is_wanted), "out", suffix=".siren"
    )
    assert [(task.output, task.namesakes) for task in tasks] == [
        ("out/A.siren", ()),
        ("out/a.siren", ("out/A.siren",)),
        ("out/b.siren", ()),
    ]


def test_names_do_not_depend_on_the_order() -> None:
    make("a.jpg", "a.png")
    assert sorted(plan("a.jpg", "a.png")[0]) == sorted(plan("a.png", "a.jpg")[0])


def test_every_name_keeps_its_suffix_when_asked() -> None:
    make("a.jpg", "b.png")
    tasks, twins = plan(".", keep_suffix=True)
    assert tasks == [("a.jpg", "a.jpg.siren"), ("b.png", "b.png.siren")]
    assert twins == []


def test_files_of_one_name_keep_the_folders_that_tell_them_apart() -> None:
    make("2024/a.jpg", "2024/b.jpg", "2025/a.jpg")
    tasks, twins = plan("2024", "2025", output="out")
    assert tasks == [
        ("2024/a.jpg", "out/2024/a.siren"),
        ("2024/b.jpg", "out/b.siren"),
        ("2025/a.jpg", "out/2025/a.siren"),
    ]
    assert twins == ["out/2024/a.siren", "out/2025/a.siren"]
    assert plan("2025/a.jpg", "2024/a.jpg", output="out/")[0] == [tasks[2], tasks[0]]
    assert plan("2025/a.jpg", "2024/a.jpg", output="out", keep_suffix=True)[0] == [
        ("2025/a.jpg", "out/2025/a.jpg.siren"),
        ("2024/a.jpg", "out/2024/a.jpg.siren"),
    ]


def test_as_many_folders_as_it_takes() -> None:
    make("x/raw/sub/a.jpg", "y/raw/sub/a.jpg", "y/jpg/sub/a.jpg", "y/jpg/sub/a.png")
    assert [output for _, output in plan("x/raw", "y/raw", "y/jpg", output="out")[0]] == [
        "out/x/raw/sub/a.jpg.siren",
        "out/y/raw/sub/a.jpg.siren",
        "out/jpg/sub/a.jpg.siren",
        "out/sub/a.png.siren",
    ]


def test_a_name_that_a_folder_would_take_is_kept_apart() -> None:
    """The first two would have the names of the third and the fourth."""
    make("p/a.jpg", "q/a.jpg", "in/p/a.jpg", "in/q/a.jpg")
    here = Path.cwd().name
    assert [output for _, output in plan("p/a.jpg", "q/a.jpg", "in", output="out")[0]] == [
        f"out/{here}/p/a.siren",
        f"out/{here}/q/a.siren",
        "out/in/p/a.siren",
        "out/in/q/a.siren",
    ]


def test_an_output_over_an_input_is_refused_by_itself() -> None:
    make("a.siren", "b.jpg")
    tasks, _ = plan_tasks(
        find_inputs(["a.siren", "b.jpg"], recursive=False, wanted=is_wanted), None, suffix=".siren"
    )
    reason = "would become a.siren, which is an input; see --keep-suffix and -o"
    assert [task.refusal for task in tasks] == [reason, None]


def test_what_is_passed_over_is_remembered() -> None:
    make("album/a.jpg", "album/b.HEIC", "album/.hidden", "album/.cache/c.heic", "album/sub/notes")
    inputs = find_inputs(["album"], recursive=True, wanted=is_wanted)
    assert [each.source for each in inputs.files] == ["album/a.jpg"]
    assert inputs.passed_over == ["album/b.HEIC", "album/sub/notes"]
    assert inputs.directories == ["album"]
    assert inputs.empty == []


def test_an_input_named_in_two_ways_counts_once() -> None:
    make("album/a.jpg")
    assert plan("album", "album/a.jpg", "./album/../album/a.jpg", output="out")[0] == [
        ("album/a.jpg", "out/a.siren")
    ]


def test_what_is_to_be_ignored_is_not_even_counted() -> None:
    make("album/a.jpg", "album/A.CR2", "album/thumbs/b.jpg")
    inputs = find_inputs(["album"], recursive=True, wanted=is_wanted, ignore=["*.cr2", "thumbs"])
    assert [each.source for each in inputs.files] == ["album/a.jpg"]
    assert inputs.passed_over == []
