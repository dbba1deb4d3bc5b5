"""The command that asks why sine works."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks.cli.options import (
    RESULTS,
    ROOT,
    Folder,
    Listed,
    NewFile,
    NewFolder,
    dataset_facts,
    open_images,
    open_store,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PARTS = ("arcsine", "central-limit", "depth", "bias", "folding", "omega", "rivals")
PLOTS = ROOT / "docs" / "images" / "why-sine"
QUICK_OUTPUT = Path("activations-quick.json")  # never among what is committed


@click.command()
@click.option("--dataset", type=Folder, help="folder of photographs [two pictures of the project]")
@click.option("--images", type=Listed(str), default=(), help="names without suffix [all]")
@click.option("--parts", type=Listed(str), default=PARTS, show_default="all", help="to run")
@click.option("--quick", is_flag=True, help="too small to show much: does everything run?")
@click.option("--output", type=NewFile, help="[the committed results; a file here if --quick]")
@click.option("--plots", type=NewFolder, help="[docs/images/why-sine; by the output if --quick]")
def activations(
    dataset: Path | None,
    images: tuple[str, ...],
    parts: tuple[str, ...],
    quick: bool,
    output: Path | None,
    plots: Path | None,
) -> None:
    """Measure what is said of sine networks: distributions, biases, omega_0, alternatives."""
    from benchmarks.studies.activations.pictures import OWN_PICTURE, read_crops
    from benchmarks.studies.activations.plan import CROP_SIDE, QUICK_CROP_SIDE, Plan, quick_plan
    from benchmarks.studies.activations.plots import draw_plots, draw_sheet
    from benchmarks.studies.activations.study import KIND, run_study

    if unknown := set(parts) - set(PARTS):
        raise click.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(PARTS)}")
    if images and dataset is None:
        raise click.UsageError("--images names files of a --dataset")
    files = open_images(dataset, images) if dataset else [OWN_PICTURE]
    output = output or (QUICK_OUTPUT if quick else RESULTS / "activations.json")
    plots = plots or (output.with_suffix("") if quick else PLOTS)
    side = QUICK_CROP_SIDE if quick else CROP_SIDE
    pictures = read_crops(dataset, images, side)
    plan = quick_plan(pictures) if quick else Plan(pictures)
    facts = dataset_facts(dataset or OWN_PICTURE.parent, files, 0)
    facts |= {"quick": quick, "crop_side": side, "seeds": list(plan.seeds)}
    with open_store(output, KIND) as store, _bars() as bars:
        tasks: dict[str, TaskID] = {}

        def on_job(part: str, done: int, total: int) -> None:
            """Move the bar of a part; its first job makes it."""
            if part not in tasks:
                tasks[part] = bars.add_task(part, total=total)
            bars.update(tasks[part], completed=done)

        sheets = run_study(plan, store, parts, facts, on_job)
    run = store.whole_run()
    drawn = [*draw_plots(run, plots), *(draw_sheet(sheet, plots) for sheet in sheets)]
    click.echo(f"{len(store.points)} points in {output}, {len(drawn)} plots in {plots}", err=True)


def _bars() -> "Progress":
    """Bars on standard error, one a part."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description:>14}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, *times, console=Console(stderr=True))
