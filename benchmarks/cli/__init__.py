"""The commands: options in, one function each, no measuring here."""

import click

from benchmarks.cli.measuring import ablate, rate_distortion, scale, speed
from benchmarks.cli.reporting import readme, report, smoke
from benchmarks.cli.training import train_prior


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def main() -> None:
    """Measure the codec beside the others: whole files, decoded pixels, one run."""


for command in (rate_distortion, report, speed, scale, ablate, readme, smoke, train_prior):
    main.add_command(command)
