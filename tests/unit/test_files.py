"""Atomic output: the file is there whole or not at all, and nothing else is left."""

import errno
import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from sirencodec.files import claim, open_atomically, remove_leftovers
from tests.paths import ROOT

ENV = os.environ | {"PYTHONPATH": str(ROOT)}
OLD, NEW = b"the old file", b"the new file"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def target(directory: Path) -> Path:
    return directory / "out.siren"


@pytest.fixture(params=["hard links", "no hard links"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems of both kinds."""
    if request.param == "no hard links":

        def refuse(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr(os, "link", refuse)


def write(path: str | os.PathLike[str], data: bytes | bytearray, *, overwrite: bool) -> None:
    with open_atomically(path, overwrite=overwrite) as file:
        file.write(data)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    previous = os.umask(mask)
    try:
        yield
    finally:
        os.umask(previous)


def names(directory: Path) -> list[str]:
    return sorted(os.listdir(directory))


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.usefixtures("links")
def test_new_file_is_written(target: Path, overwrite: bool) -> None:
    write(target, NEW, overwrite=overwrite)
    assert target.read_bytes() == NEW
    assert names(target.parent) == ["out.siren"]


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("data", [NEW, bytearray(NEW), memoryview(NEW)])
def test_paths_and_bytes_of_every_type(target: Path, kind: type, data: bytes) -> None:
    write(kind(target), data, overwrite=False)
    assert target.read_bytes() == NEW


def test_relative_path(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(directory)
    write("out.siren", NEW, overwrite=True)
    assert names(directory) == ["out.siren"]


def test_existing_file_is_overwritten_when_asked(target: Path) -> None:
    target.write_bytes(OLD)
    write(target, NEW, overwrite=True)
    assert target.read_bytes() == NEW
    assert names(target.parent) == ["out.siren"]


def test_existing_file_is_kept_and_the_block_never_runs(target: Path) -> None:
    target.write_bytes(OLD)
    with pytest.raises(FileExistsError) as caught, open_atomically(target, overwrite=False):
        pytest.fail("the block ran")
    assert caught.value.filename == str(target)
    assert target.read_bytes() == OLD
    assert names(target.parent) == ["out.siren"]


@pytest.mark.usefixtures("links")
def test_file_that_came_meanwhile_is_kept(target: Path) -> None:
    def write() -> None:
        with open_atomically(target, overwrite=False) as file:
            file.write(NEW)
            target.write_bytes(OLD)

    with pytest.raises(FileExistsError) as caught:
        write()
    assert caught.value.filename == str(target)
    assert target.read_bytes() == OLD
    assert names(target.parent) == ["out.siren"]


@pytest.mark.usefixtures("links")
def test_of_many_writers_without_overwrite_one_wins(target: Path) -> None:
    writers = 8
    all_written = threading.Barrier(writers)

    def write(number: int) -> int | None:
        try:
            with open_atomically(target, overwrite=False) as file:
                file.write(b"%d" % number)
                all_written.wait(timeout=30)
        except FileExistsError:
            return None
        return number

    with ThreadPoolExecutor(writers) as pool:
        winners = [number for number in pool.map(write, range(writers)) if number is not None]
    assert len(winners) == 1
    assert target.read_bytes() == b"%d" % winners[0]
    assert names(target.parent) == ["out.siren"]


def test_while_writing_the_name_is_free_and_the_part_hidden_beside_it(target: Path) -> None:
    with open_atomically(target, overwrite=False) as file:
        file.write(NEW)
        (part,) = names(target.parent)
        assert part.startswith(".out.siren.")
        assert part.endswith(".sirencodec-part")
    assert names(target.parent) == ["out.siren"]


def test_file_can_seek_and_read_back(target: Path) -> None:
    with open_atomically(target, overwrite=False) as file:
        file.write(b"....")
        file.seek(1)
        file.write(b"ab")
        file.seek(0)
        assert file.read() == b".ab."
    assert target.read_bytes() == b".ab."


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("before", [None, OLD])
def test_failing_writer_leaves_what_was_there(
    target: Path, fault: type[BaseException], before: bytes | None
) -> None:
    if before is not None:
        target.write_bytes(before)

    def fail() -> None:
        with open_atomically(target, overwrite=True) as file:
            file.write(NEW)
            raise fault

    with pytest.raises(fault):
        fail()
    assert names(target.parent) == ([] if before is None else ["out.siren"])
    assert before is None or target.read_bytes() == before


def test_disk_that_is_full_when_flushing(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target.write_bytes(OLD)

    def no_space(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left") as caught:
        write(target, NEW, overwrite=True)
    assert caught.value.errno == errno.ENOSPC
    assert target.read_bytes() == OLD
    assert names(target.parent) == ["out.siren"]


def test_kernel_that_refuses_more_bytes(target: Path) -> None:
    target.write_bytes(OLD)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write(target, bytes(100_000), overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert target.read_bytes() == OLD
    assert names(target.parent) == ["out.siren"]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.usefixtures("links")
def test_rename_that_fails(target: Path, overwrite: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr(os, "rename", fail)
    if overwrite or os.link.__name__ == "refuse":
        with pytest.raises(OSError, match="Input/output error"):
            write(target, NEW, overwrite=overwrite)
        assert names(target.parent) == []
    else:  # a hard link needs no rename
        write(target, NEW, overwrite=overwrite)
        assert names(target.parent) == ["out.siren"]


def test_link_that_fails_for_another_reason(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(OSError, match="Input/output error"):
        write(target, NEW, overwrite=False)
    assert names(target.parent) == []


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
@pytest.mark.usefixtures("links")
def test_mode_of_a_new_file_follows_the_umask(target: Path, mask: int) -> None:
    with umask(mask):
        write(target, NEW, overwrite=False)
    assert permissions(target) == 0o666 & ~mask


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o444, 0o755])
def test_mode_of_a_replaced_file_stays(target: Path, mode: int) -> None:
    target.write_bytes(OLD)
    target.chmod(mode)
    write(target, NEW, overwrite=True)
    assert permissions(target) == mode
    assert target.read_bytes() == NEW


def test_symbolic_link_is_followed_when_overwriting(directory: Path) -> None:
    (directory / "far").mkdir()
    real, link = directory / "far" / "real.siren", directory / "link.siren"
    real.write_bytes(OLD)
    link.symlink_to(real)
    write(link, NEW, overwrite=True)
    assert link.is_symlink()
    assert real.read_bytes() == NEW
    assert names(directory / "far") == ["real.siren"]


def test_dangling_link_counts_as_existing(directory: Path) -> None:
    link = directory / "link.siren"
    link.symlink_to(directory / "nowhere")
    with pytest.raises(FileExistsError):
        write(link, NEW, overwrite=False)
    assert names(directory) == ["link.siren"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_directory_is_refused(directory: Path, overwrite: bool) -> None:
    (directory / "sub").mkdir()
    with pytest.raises(IsADirectoryError):
        write(directory / "sub", NEW, overwrite=overwrite)
    assert names(directory) == ["sub"]
    assert names(directory / "sub") == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_missing_directory_is_reported_with_the_path_asked_for(
    directory: Path, overwrite: bool
) -> None:
    path = directory / "missing" / "out.siren"
    with pytest.raises(FileNotFoundError) as caught:
        write(path, NEW, overwrite=overwrite)
    assert caught.value.filename == str(path)


@pytest.mark.parametrize("overwrite", [False, True])
def test_device_is_written_and_stays_a_device(overwrite: bool) -> None:
    write(os.devnull, NEW, overwrite=overwrite)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.parametrize("overwrite", [False, True])
def test_named_pipe_is_written_straight(directory: Path, overwrite: bool) -> None:
    pipe = directory / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(pipe.read_bytes)
        write(pipe, NEW, overwrite=overwrite)
        assert reader.result(timeout=30) == NEW
    assert names(directory) == ["pipe"]


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "猫" * 85])
def test_longest_names(directory: Path, name: str) -> None:
    write(directory / name, NEW, overwrite=False)
    write(directory / name, NEW, overwrite=True)
    assert names(directory) == [name]


# Leftovers and claims

WRITER = """
import os, sys
from sirencodec.files import claim, open_atomically
with {call} as file:
    print("ready", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process(call: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process within the block of a call, ended without a chance to tidy up."""
    command = [sys.executable, "-c", WRITER.format(call=call)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def test_what_a_killed_writer_leaves_is_removed_and_what_a_living_one_writes_is_not(
    target: Path,
) -> None:
    with other_process(f"open_atomically({str(target)!r}, overwrite=False)"):
        assert len(names(target.parent)) == 1
        assert remove_leftovers(target.parent) == []
    assert len(names(target.parent)) == 1
    assert len(remove_leftovers(target.parent)) == 1
    assert names(target.parent) == []


def test_only_our_leftovers_are_removed(directory: Path) -> None:
    others = [".a.siren.part", ".a.0123456789abcdef.part", "a.0123456789abcdef.sirencodec-part"]
    for name in others:
        (directory / name).write_bytes(OLD)
    assert remove_leftovers(directory) == []
    assert names(directory) == sorted(others)


def test_a_folder_that_is_not_there_has_no_leftovers(directory: Path) -> None:
    assert remove_leftovers(directory / "missing") == []


def test_a_file_is_claimed_once(target: Path) -> None:
    with claim(target) as first, claim(target) as second, claim(target.with_name("b")) as other:
        assert (first, second, other) == (True, False, True)
        assert remove_leftovers(target.parent) == []
    with claim(target) as again:
        assert again
    assert names(target.parent) == []


def test_a_claim_ends_with_its_process(target: Path) -> None:
    with other_process(f"claim({str(target)!r})"), claim(target) as is_ours:
        assert not is_ours
    with claim(target) as is_ours:
        assert is_ours
    assert names(target.parent) == []


def test_a_claim_where_nothing_can_be_written_names_the_file(directory: Path) -> None:
    path = directory / "missing" / "out.siren"
    with pytest.raises(FileNotFoundError) as caught, claim(path):
        pytest.fail("the block ran")
    assert caught.value.filename == str(path)
