"""The command that kills batches."""

import sys

import click

from benchmarks.measuring.kills import Damage, kill_tiny_batches


@click.command()
@click.option("--kills", "num_kills", type=click.IntRange(1), default=200)
@click.option("--pictures", type=click.IntRange(1), default=30, help="in a batch, of 8 x 6 pixels")
@click.option("--jobs", type=click.IntRange(1), default=2, help="of the batch")
@click.option("--seed", type=int, default=0, help="of the moments")
def kills(num_kills: int, pictures: int, jobs: int, seed: int) -> None:
    """Kill `sirencodec encode` again and again, and tell whether anything was lost."""
    damage = kill_tiny_batches(num_kills, pictures, jobs, seed, _show)
    click.echo(str(damage))
    sys.exit(not damage.is_none)


def _show(damage: Damage) -> None:
    if damage.kills % 10 == 0:
        click.echo(str(damage), err=True)
