"""The commands that put a server under load, and time the decoder for browsers."""

import json
from pathlib import Path

import click

from benchmarks.cli.options import (
    File,
    output_option,
    seed_option,
)
from benchmarks.measuring.machine import ROOT

EXAMPLE = ROOT / "sirencodec" / "web" / "page" / "example.siren"


@click.command()
@click.option("--file", type=File, required=True, help="a .siren file, whose tiles are asked for")
@click.option("--requests", type=click.IntRange(2), default=1000, help="in a round")
@click.option("--clients", type=click.IntRange(1), default=32, help="requests at once")
@click.option("--rounds", type=click.IntRange(1), default=4)
@click.option("--cache-mb", type=click.IntRange(0), default=32, help="of the server")
@seed_option
@output_option("serve.json")
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


@click.command()
@click.option("--file", type=File, default=EXAMPLE, show_default=EXAMPLE.name, help="a .siren file")
@click.option("--repeats", type=click.IntRange(1), default=9, help="rounds that count")
@output_option("web.json")
def web(file: Path, repeats: int, output: Path) -> None:
    """Time the decoder for browsers in Chromium, beside the compiled one."""
    from benchmarks.measuring.fresh_process import MeasurementError
    from benchmarks.measuring.machine import describe_session
    from benchmarks.measuring.web import measure_web

    session = describe_session(1, 1)
    try:
        result = measure_web(file, repeats)
    except MeasurementError as error:
        raise click.ClickException(str(error)) from error
    output.write_text(json.dumps({"kind": "web", "session": session, **result}, indent=1) + "\n")
    click.echo(json.dumps(result, indent=1))
