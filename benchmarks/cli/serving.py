"""The command that puts a server under load."""

import json
from pathlib import Path

import click

from benchmarks.cli.options import RESULTS, File, NewFile


@click.command()
@click.option("--file", type=File, required=True, help="a .siren file, whose tiles are asked for")
@click.option("--requests", type=click.IntRange(2), default=1000, help="in a round")
@click.option("--clients", type=click.IntRange(1), default=32, help="requests at once")
@click.option("--rounds", type=click.IntRange(1), default=4)
@click.option("--cache-mb", type=click.IntRange(0), default=32, help="of the server")
@click.option("--seed", type=int, default=0)
@click.option("--output", type=NewFile, default=RESULTS / "serve.json", show_default="serve.json")
def serve(
    file: Path, requests: int, clients: int, rounds: int, cache_mb: int, seed: int, output: Path
) -> None:
    """Ask `sirencodec serve` for tiles of all levels: speed, and memory before and after."""
    from benchmarks.measuring.fresh_process import MeasurementError
    from benchmarks.measuring.machine import describe_session
    from benchmarks.measuring.serving import Load, measure_serving

    load = Load(file, requests, clients, rounds, cache_mb * 2**20, seed)
    session = describe_session(1, 1)
    try:
        result = measure_serving(load)
    except MeasurementError as error:
        raise click.ClickException(str(error)) from error
    output.write_text(json.dumps({"kind": "serve", "session": session, **result}, indent=1) + "\n")
    click.echo(json.dumps(result, indent=1))
