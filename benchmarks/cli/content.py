"""The command that asks what the codec is not for."""

from pathlib import Path

import click

from benchmarks.cli.options import (
    Listed,
    open_store,
    output_option,
    seed_option,
    show_point,
    threads_option,
)
from benchmarks.measuring.kinds import KINDS


@click.command()
@click.option("--kinds", type=Listed(str), default=tuple(KINDS), show_default="all")
@click.option("--effort", type=int, default=4, help="of ours")
@click.option("--bpp", type=float, default=0.65, help="of ours; rivals take as many bytes")
@seed_option
@threads_option
@output_option("content.json")
def content(
    kinds: tuple[str, ...],
    effort: int,
    bpp: float,
    seed: int,
    threads: int,
    output: Path,
) -> None:
    """Draw a photograph's rivals: screenshot, chart, line and pixel art, logos; all at one size."""
    from benchmarks.measuring.codecs import Effort
    from benchmarks.measuring.content import KIND, measure_content
    from benchmarks.measuring.machine import describe_session
    from benchmarks.reporting.content_table import alpha_table, content_table

    if unknown := set(kinds) - set(KINDS):
        raise click.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(KINDS)}")
    with open_store(output, KIND) as store:
        store.start_session(describe_session(1, threads), {"seed": seed})
        measure_content(kinds, bpp, Effort(effort, seed, threads), store, show_point)
    click.echo(f"{content_table(store.whole_run())}\n\n{alpha_table(store.whole_run())}")
    click.echo(f"{len(store.points)} points in {output}", err=True)
