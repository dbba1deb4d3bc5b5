"""Inputs and a wish for the output -> which file is to become which."""

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sirencodec.batch.tasks import STREAM, SUFFIX, Found, Inputs, Task, identity_of
from sirencodec.errors import ParameterError


@dataclass(frozen=True, slots=True)
class _Kept:
    """What an output's name has of its input, besides its own name.

    Attributes:
        suffix: whether the input's suffix.
        folders: how many of the folders that the input lies in, from the innermost.
    """

    suffix: bool
    folders: int = 0


_Place = Callable[[Found, _Kept], str]  # input, and what its output keeps of it -> output


def plan_tasks(
    inputs: Inputs, output: str | None, *, suffix: str, keep_suffix: bool = False
) -> tuple[list[Task], list[Task]]:
    """Inputs and the user's wish for the output -> tasks, before any work is done.

    Without a wish, each output lies beside its input. With several inputs or a directory among
    them, the wish is a directory, in which files of an input directory keep their places. ``a.jpg``
    becomes ``a.siren``; where ``a.png`` would, too, both keep their suffix: ``a.jpg.siren``,
    ``a.png.siren``. Where that does not tell them apart, for ``2024/a.jpg`` and ``2025/a.jpg``,
    they keep as many of their folders as do: ``out/2024/a.siren``, ``out/2025/a.siren``.

    Args:
        inputs: what was found.
        output: file, directory, ``STREAM``, or None.
        suffix: extension of the outputs, such as ".png", unless a file is named.
        keep_suffix: always keep the suffix of the input, so that no name depends on another.

    Returns:
        The tasks, and those of them that keep more of their input for another. Of what would be
        written twice all the same, or over an input, the task says so.

    Raises:
        ParameterError: if the wish does not fit the inputs.
    """
    place = _find_place(output, inputs.are_several, suffix)
    usual = _Kept(keep_suffix)
    kept = _separate(inputs.files, place, usual)
    outputs = [place(each, keeps) for each, keeps in zip(inputs.files, kept, strict=True)]
    tasks = [Task(each.source, name) for each, name in zip(inputs.files, outputs, strict=True)]
    tasks = _with_namesakes(_with_refusals(tasks, _other_names(suffix, keep_suffix)))
    return tasks, [task for task, keeps in zip(tasks, kept, strict=True) if keeps != usual]


def _find_place(output: str | None, several: bool, suffix: str) -> _Place:
    """The user's wish -> a function from an input to its output."""

    def renamed(path: Path, kept: _Kept) -> str:
        return str(path.with_name(path.name + suffix) if kept.suffix else path.with_suffix(suffix))

    def beside(found: Found, kept: _Kept) -> str:
        return STREAM if found.source == STREAM else renamed(Path(found.source), kept)

    def below(found: Found, kept: _Kept) -> str:
        if found.source == STREAM:
            raise ParameterError("an image from stdin has no name; name a file with -o")
        folders = found.above()[-kept.folders :] if kept.folders else ()
        return renamed(Path(str(output), *folders, found.relative), kept)

    def there(_found: Found, _kept: _Kept) -> str:
        return str(output)

    if output is None:
        return beside
    if output == STREAM:
        if several:
            raise ParameterError("several files do not fit into stdout; name a directory with -o")
        return there
    is_directory = os.path.isdir(output) or output.endswith(os.sep)
    if several and os.path.exists(output) and not is_directory:
        raise ParameterError(f"{output} is no directory, and there are several inputs")
    return below if several or is_directory else there


def _separate(found: Sequence[Found], place: _Place, usual: _Kept) -> list[_Kept]:
    """Inputs, each once -> what of each its output keeps, so that no two are the same.

    An output of one that keeps its suffix may be that of another which does not yet (``a.jpg`` and
    ``a.jpg.png`` beside ``a.png``), so it takes a few rounds.
    """
    kept = [usual] * len(found)
    outputs = [place(each, usual) for each in found]
    identities = [identity_of(output) for output in outputs]
    while more := _more_kept(found, kept, identities):
        changed = False
        for number, keeps in more.items():
            kept[number] = keeps
            name = place(found[number], keeps)
            changed = changed or name != outputs[number]
            outputs[number], identities[number] = name, identity_of(name)
        if not changed:  # beside their inputs, folders tell nothing apart
            break
    num_alike = Counter(identities)
    return [  # folders that did not help only make odd names
        replace(keeps, folders=0) if num_alike[identity] > 1 else keeps
        for keeps, identity in zip(kept, identities, strict=True)
    ]


def _more_kept(
    found: Sequence[Found], kept: Sequence[_Kept], identities: Sequence[str]
) -> dict[int, _Kept]:
    """Inputs, what their outputs keep of them, and which those are -> what some are to keep, too.

    Those that share an output keep their suffix if their names differ; else one more folder, if
    there is one. One whose output is the folder of another keeps its suffix.
    """
    sharing: dict[str, list[int]] = {}
    for number, identity in enumerate(identities):
        sharing.setdefault(identity, []).append(number)
    folders = _folders(identities)
    more: dict[int, _Kept] = {}
    for identity, numbers in sharing.items():
        if len(numbers) == 1 and identity not in folders:
            continue
        unlike = identity in folders or len({found[each].relative.name for each in numbers}) > 1
        if unlike and not all(kept[number].suffix for number in numbers):
            more |= {number: replace(kept[number], suffix=True) for number in numbers}
        elif len(numbers) > 1:
            for number in numbers:
                num_folders = kept[number].folders + 1
                if num_folders <= len(found[number].above()):
                    more[number] = replace(kept[number], folders=num_folders)
    return more


def _folders(identities: Iterable[str]) -> set[str]:
    """Identities of outputs -> those of all folders above them."""
    folders: set[str] = set()
    for identity in identities:
        folder = os.path.dirname(identity)
        while folder and folder not in folders:
            folders.add(folder)
            folder = os.path.dirname(folder)
    return folders


def _with_refusals(tasks: Sequence[Task], other_names: str) -> list[Task]:
    """Tasks -> the same; those that would write one file twice, or over an input, say so."""
    sources = {identity_of(task.source) for task in tasks} - {STREAM}
    writers: dict[str, list[Task]] = {}
    for task in tasks:
        writers.setdefault(identity_of(task.output), []).append(task)

    def refusal(task: Task) -> str | None:
        identity = identity_of(task.output)
        others = [each.source for each in writers[identity] if each is not task]
        if identity in sources:
            return f"would become {task.output}, which is an input; {other_names}"
        if others:
            return f"would become {task.output}, and so would {others[0]}; {other_names}"
        return None

    return [replace(task, refusal=refusal(task)) for task in tasks]


def _with_namesakes(tasks: Sequence[Task]) -> list[Task]:
    """Tasks -> the same, each with the outputs before it that differ from its own in case alone."""
    before: dict[str, list[str]] = {}
    named = []
    for task in tasks:
        alike = before.setdefault(unicodedata.normalize("NFC", task.output).casefold(), [])
        named.append(replace(task, namesakes=tuple(alike)) if alike else task)
        alike.append(task.output)
    return named


def _other_names(suffix: str, keep_suffix: bool) -> str:
    """Suffix of the outputs, and whether inputs keep theirs -> options that give other names."""
    return "see -o" if keep_suffix or suffix != SUFFIX else "see --keep-suffix and -o"
