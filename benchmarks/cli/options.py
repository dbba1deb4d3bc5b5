"""What the commands share: kinds of options, and how they open and close a run."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from benchmarks.measuring.codecs import CODECS

if TYPE_CHECKING:
    from benchmarks.measuring.results import RunStore

ROOT = Path(__file__).parent.parent.parent
RESULTS = ROOT / "benchmarks" / "results"
Folder = click.Path(exists=True, file_okay=False, path_type=Path)
File = click.Path(exists=True, dir_okay=False, path_type=Path)
NewFolder = click.Path(file_okay=False, path_type=Path)
NewFile = click.Path(dir_okay=False, path_type=Path)


Command = TypeVar("Command", bound=Callable[..., Any])


class Listed(click.ParamType[tuple[object, ...]]):
    """Values of one type, separated by commas."""

    def __init__(self, item: type) -> None:
        """List of ``item``, such as int or str."""
        self._item = item
        self.name = f"{item.__name__},..."

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[object, ...]:
        """Text -> tuple; a tuple, as a default is, stays one."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(self._item(part) for part in str(value).split(",") if part)
        except ValueError:
            self.fail(f"{value!r} is not a list of {self._item.__name__}", param, ctx)


def all_cores(_: click.Context, __: click.Parameter, threads: int | None) -> int:
    """Number of threads, if one was given -> the same, or one a core."""
    return threads or os.cpu_count() or 1


def threads_of_each(threads: int | None, jobs: int) -> int:
    """Number of threads, if one was given -> the same, or what of the cores each job gets."""
    return threads or max(1, (os.cpu_count() or 1) // jobs)


def images_options(command: Command) -> Command:
    """--dataset and --images."""
    images = click.option(
        "--images", type=Listed(str), default=(), help="names without suffix [all]"
    )
    dataset = click.option("--dataset", type=Folder, required=True, help="folder of images")
    return dataset(images(command))


def jobs_options(command: Command) -> Command:
    """--jobs, --threads (see ``threads_of_each``) and --refresh."""
    number = click.IntRange(1)
    refresh = click.option("--refresh", is_flag=True, help="repeat what other code of ours made")
    threads = click.option("--threads", type=number, help="of a codec; by default cores / jobs")
    jobs = click.option("--jobs", type=number, default=1, help="points measured at a time")
    return jobs(threads(refresh(command)))


def output_option(name: str) -> Callable[[Command], Command]:
    """Name of a file of results -> --output, by default that file."""
    return click.option("--output", type=NewFile, default=RESULTS / name, show_default=name)


seed_option: Final = click.option("--seed", type=int, default=0)
threads_option: Final = click.option(
    "--threads", type=click.IntRange(1), callback=all_cores, help="[all cores]"
)


def open_images(dataset: Path, names: tuple[str, ...]) -> list[Path]:
    """Folder and names -> image files, or exit with a message."""
    from benchmarks.measuring.pixels import find_images

    try:
        return find_images(dataset, names)
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def open_store(output: Path, kind: str) -> Iterator["RunStore"]:
    """Where results go -> the run there so far, open for writing, or exit with a message."""
    from benchmarks.measuring.results import RunError, RunStore

    try:
        with RunStore(output, kind) as store:
            yield store
    except RunError as error:
        raise click.ClickException(str(error)) from error


def dataset_facts(dataset: Path, files: Sequence[Path], seed: int) -> dict[str, Any]:
    """What a run records of its images: no folders of this machine, but which bytes they were."""
    hashes = {file.stem: sha256(file.read_bytes()).hexdigest()[:16] for file in files}
    return {"dataset": dataset.resolve().name, "images": hashes, "seed": seed}


def show_point(point: dict[str, Any]) -> None:
    """A line of progress on standard error."""
    shown = ("task", "codec", "effort", "setting", "image", "width", "threads", "median_s")
    click.echo(" ".join(f"{name}={point[name]}" for name in shown if name in point), err=True)


def finish(store: "RunStore", failures: list[str], output: Path) -> None:
    """Say where the results are; exit with 1 if any point failed."""
    click.echo(f"{len(store.points)} points in {output}", err=True)
    if failures:
        click.echo("\n".join(failures), err=True)
        sys.exit(1)


def list_variants(context: click.Context, option: click.Parameter, is_asked: bool) -> None:
    """Print the variants, what they are compared with and the ingredient, and stop."""
    del option
    if is_asked and not context.resilient_parsing:
        from benchmarks.ablations.variants import VARIANTS

        for variant in VARIANTS.values():
            click.echo(f"{variant.name:24}{variant.base:16}{variant.switch}")
        context.exit()


def check_codecs(names: tuple[str, ...]) -> None:
    """Exit with a message if a codec is unknown or not installed."""
    for name in names:
        if name not in CODECS:
            raise click.BadParameter(f"{name}: choose from {', '.join(CODECS)}")
        if not CODECS[name].is_available:
            raise click.BadParameter(f"{name} is not installed: pip install '.[bench]'")
