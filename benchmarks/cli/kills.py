"""The command that kills batches."""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from benchmarks.measuring.kills import Damage, kill_batches
from benchmarks.smoke import tiny_picture


@click.command()
@click.option("--kills", "num_kills", type=click.IntRange(1), default=200)
@click.option("--pictures", type=click.IntRange(1), default=30, help="in a batch, of 8 x 6 pixels")
@click.option("--jobs", type=click.IntRange(1), default=2, help="of the batch")
@click.option("--seed", type=int, default=0, help="of the moments")
def kills(num_kills: int, pictures: int, jobs: int, seed: int) -> None:
    """Kill `sirencodec encode` again and again, and tell whether anything was lost."""
    import PIL.Image

    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for number in range(pictures):
            picture = PIL.Image.fromarray(tiny_picture(8, 6, number))
            picture.save(folder / "in" / f"{number}.png")
        output, manifest = folder / "out", folder / "made.jsonl"
        command = [sys.executable, "-m", "sirencodec", "encode", "-r", str(folder / "in")]
        command += ["-o", str(output), "--effort", "0", "--jobs", str(jobs)]
        command += ["--skip-existing", "--manifest", str(manifest)]
        subprocess.run(command, check=True, capture_output=True)
        expected = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in output.iterdir()
        }
        click.echo(f"{len(expected)} files in a batch", err=True)
        damage = kill_batches(command, output, manifest, expected, num_kills, seed, _show)
        click.echo(str(damage))
    sys.exit(not damage.is_none)


def _show(damage: Damage) -> None:
    if damage.kills % 10 == 0:
        click.echo(str(damage), err=True)
