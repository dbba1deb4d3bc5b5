"""The command that decodes parts of files."""

from pathlib import Path

import click

from benchmarks.cli.options import Listed

SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@click.command()
@click.option("--file", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--threads", type=Listed(int), default=(1, 2), show_default="1,2")
@click.option("--widths", type=Listed(int), default=(160,), show_default="160")
@click.option("--repeats", type=click.IntRange(1), default=3, help="the fastest counts")
def parts(file: Path, threads: tuple[int, ...], widths: tuple[int, ...], repeats: int) -> None:
    """Decode a crop, other sizes, and what is left of a file that is cut off."""
    from benchmarks.measuring.parts import measure_costs, measure_cuts

    click.echo("| bytes | of them | segments | dB |\n| --: | --: | --: | --: |")
    data = file.read_bytes()
    for cut in measure_cuts(data, SHARES):
        quality = "no picture" if cut.psnr_db is None else f"{cut.psnr_db:.2f}"
        share = cut.num_bytes / len(data)
        click.echo(f"| {cut.num_bytes:,} | {share:.0%} | {cut.segments} | {quality} |")
    click.echo("\n| decode | threads | clock | processors | calling thread | MiB |")
    click.echo("| :-- | --: | --: | --: | --: | --: |")
    for cost in measure_costs(file, threads, widths, repeats):
        seconds = (cost.clock_s, cost.processor_s, cost.caller_s)
        times = " | ".join(f"{each:.3f} s" for each in seconds)
        memory = f"{cost.memory_bytes / 2**20:.0f}"
        click.echo(f"| {cost.what} | {cost.threads} | {times} | {memory} |")
