"""The commands: options in, one function each, no measuring here."""

import click

from benchmarks.cli.content import content
from benchmarks.cli.detail import detail
from benchmarks.cli.kills import kills
from benchmarks.cli.measuring import ablate, rate_distortion, scale, speed
from benchmarks.cli.panel import panel
from benchmarks.cli.parts import parts
from benchmarks.cli.reporting import readme, report, smoke
from benchmarks.cli.scores import scores
from benchmarks.cli.serving import serve, web
from benchmarks.cli.sizes import size
from benchmarks.cli.studying import activations
from benchmarks.cli.training import train_prior


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def main() -> None:
    """Measure the codec beside the others: whole files, decoded pixels, one run."""


MEASURING = (rate_distortion, content, detail, scores, speed, scale, size, ablate, serve, web)
for command in (*MEASURING, panel, parts, kills, report, readme, activations, train_prior, smoke):
    main.add_command(command)
