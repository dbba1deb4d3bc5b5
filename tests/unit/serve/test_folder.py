from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sirencodec.serve.folder import Folder
from sirencodec.serve.refusal import RefusalError

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs names and links of POSIX")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.siren").write_bytes(b"secret")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "far.siren").write_bytes(b"secret")
    root = tmp_path / "served"
    (root / "sub").mkdir(parents=True)
    (root / ".hidden").mkdir()
    for name in ("a.siren", "B.SIREN", "sub/c.siren", ".d.siren", ".hidden/e.siren", "f.txt"):
        (root / name).write_bytes(name.encode())
    return root


def read(root: Path, name: str) -> bytes:
    with Folder(root).open(name) as (file, _):
        return file.read()


@pytest.mark.parametrize("name", ["a.siren", "B.SIREN", "sub/c.siren"])
def test_files_are_found(root: Path, name: str) -> None:
    assert read(root, name) == name.encode()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "none.siren",
        "sub",
        "f.txt",
        ".d.siren",
        ".hidden/e.siren",
        "../secret.siren",
        "sub/../../secret.siren",
        "sub/../a.siren",
        "./a.siren",
        "sub//c.siren",
        "/a.siren",
        "a.siren/",
        "a.siren\0",
        "a.siren\0.siren",
        "x" * 5000 + ".siren",
        "a.siren/b.siren",
        "\udcff.siren",
    ],
)
def test_nothing_else_is(root: Path, name: str) -> None:
    with pytest.raises(RefusalError) as refusal:
        read(root, name)
    assert refusal.value.status == 404


def test_no_absolute_path_leads_in(root: Path) -> None:
    with pytest.raises(RefusalError):
        read(root, str(root / "a.siren"))


@POSIX
def test_links_that_lead_outside_are_not_followed(root: Path) -> None:
    (root / "link.siren").symlink_to(root.parent / "secret.siren")
    (root / "door").symlink_to(root.parent / "out")
    (root / "circle.siren").symlink_to(root / "circle.siren")
    (root / "to-hidden.siren").symlink_to(root / ".d.siren")
    for name in ("link.siren", "door/far.siren", "circle.siren", "to-hidden.siren"):
        with pytest.raises(RefusalError):
            read(root, name)
    with pytest.raises(RefusalError):
        Folder(root).list("door")
    listing = Folder(root).list()
    assert listing.folders == ("sub",)
    assert [name for name, _ in listing.files] == ["B.SIREN", "a.siren"]


@POSIX
def test_links_that_stay_inside_are(root: Path) -> None:
    (root / "link.siren").symlink_to("sub/c.siren")
    (root / "same").symlink_to("sub")
    assert read(root, "link.siren") == read(root, "same/c.siren") == b"sub/c.siren"


@POSIX
def test_a_pipe_is_no_file_and_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe.siren")
    with pytest.raises(RefusalError):
        read(root, "pipe.siren")
    assert "pipe.siren" not in dict(Folder(root).list().files)


def test_a_folder_with_the_name_of_a_file_is_none(root: Path) -> None:
    """Nor does asking for it keep anything open."""
    (root / "folder.siren").mkdir()
    before = os.dup(0)
    for _ in range(3):
        with pytest.raises(RefusalError) as refusal:
            read(root, "folder.siren")
        assert refusal.value.status == 404
    after = os.dup(0)
    os.close(before)
    os.close(after)
    assert after == before + 1


def test_the_folder_may_be_a_link_itself(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert read(link, "a.siren") == b"a.siren"


def test_a_changed_file_has_another_stamp(root: Path) -> None:
    folder = Folder(root)
    with folder.open("a.siren") as (_, before):
        pass
    with folder.open("a.siren") as (_, same):
        assert same == before
    (root / "new").write_bytes(b"another")
    (root / "new").replace(root / "a.siren")
    with folder.open("a.siren") as (_, after):
        assert after != before


def test_listing(root: Path) -> None:
    assert Folder(root).list("sub").files == (("c.siren", 11),)
    for name in ("none", "a.siren", "../out", ".hidden"):
        with pytest.raises(RefusalError):
            Folder(root).list(name)


def test_a_file_is_no_folder(root: Path) -> None:
    with pytest.raises(NotADirectoryError):
        Folder(root / "a.siren")
