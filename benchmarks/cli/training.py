"""The command that trains what the package ships."""

import zlib
from pathlib import Path

import click

from benchmarks.cli.options import Folder, Listed, NewFile

STAGES = ((2, 150), (1, 250), (0, 250))
ROUNDS_BETWEEN_FILES = 25


@click.command("train-prior")
@click.option("--dataset", type=Folder, required=True, help="photographs; not those tested on")
@click.option("--crops", type=click.IntRange(1), default=30, help="how many photographs to use")
@click.option("--side", type=click.IntRange(64), default=256, help="of a crop, in pixels")
@click.option("--lambdas", type=Listed(float), default=(0.0002, 0.02), show_default=True)
@click.option("--steps", type=Listed(int), default=tuple(n for _, n in STAGES), show_default=True)
@click.option("--seed", type=int, default=0)
@click.option("--continue", "continues", is_flag=True, help="from the networks shipped so far")
@click.option("--prior", type=NewFile, required=True, help="file for context and refinement")
@click.option("--network", type=NewFile, required=True, help="file for the network to start from")
def train_prior(
    dataset: Path,
    crops: int,
    side: int,
    lambdas: tuple[float, ...],
    steps: tuple[int, ...],
    seed: int,
    continues: bool,
    prior: Path,
    network: Path,
) -> None:
    """Fit crops of photographs with common networks, and write those."""
    from benchmarks.training.prior import TrainingPlan, to_bytes, train

    if len(lambdas) != 2 or len(steps) != len(STAGES):
        raise click.UsageError("give two lambdas and the steps of three stages")
    stages = tuple((octaves, n) for (octaves, _), n in zip(STAGES, steps, strict=True))
    plan = TrainingPlan(crops, side, (lambdas[0], lambdas[1]), stages, seed, continues)
    photographs = sorted(path for path in dataset.iterdir() if path.suffix in {".jpg", ".png"})

    for left, loss, shared in train(photographs, plan):
        if left % ROUNDS_BETWEEN_FILES:
            continue
        click.echo(f"{left} rounds to go, mean log loss {loss:.4f}")
        for path, matrices in ((prior, shared.prior()), (network, shared.network())):
            data = to_bytes(matrices)
            path.write_bytes(data)
            click.echo(f"{path}: {len(data)} bytes, CRC-32 {zlib.crc32(data):08x}")
