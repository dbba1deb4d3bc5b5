"""The command that asks whether a quality is the score that it names."""

from pathlib import Path

import click

from benchmarks.cli.options import (
    Listed,
    dataset_facts,
    images_options,
    open_images,
    open_store,
    output_option,
    seed_option,
    show_point,
)
from sirencodec.config import DEFAULT_EFFORT, DEFAULT_TUNE, TUNES

QUALITIES = (20.0, 40.0, 60.0, 75.0, 88.0)


@click.command()
@images_options
@click.option("--qualities", type=Listed(float), default=QUALITIES, show_default="20 to 88")
@click.option("--side", type=click.IntRange(8), default=256, help="of the middle, in pixels")
@click.option("--tune", type=click.Choice(TUNES), default=DEFAULT_TUNE)
@click.option("--effort", type=click.IntRange(0, 9), default=DEFAULT_EFFORT)
@seed_option
@click.option("--threads", type=click.IntRange(1), default=1)
@output_option("scores.json")
def scores(
    dataset: Path,
    images: tuple[str, ...],
    qualities: tuple[float, ...],
    side: int,
    tune: str,
    effort: int,
    seed: int,
    threads: int,
    output: Path,
) -> None:
    """Encode by quality; has the file the score that was asked for?"""
    from benchmarks.measuring.codecs import Effort
    from benchmarks.measuring.machine import describe_session
    from benchmarks.measuring.scores import KIND, measure_scores
    from benchmarks.reporting.score_table import score_table

    files = open_images(dataset, images)
    facts = dataset_facts(dataset, files, seed) | {"side": side}
    with open_store(output, KIND) as store:
        store.start_session(describe_session(1, threads), facts)
        level = Effort(effort, seed, threads)
        measure_scores(files, qualities, side, tune, level, store, show_point)
    click.echo(score_table(store.whole_run()))
    click.echo(f"{len(store.points)} points in {output}", err=True)
