"""The commands that do not measure: report, readme, and the smoke test of all."""

from pathlib import Path

import click

from benchmarks.cli.options import RESULTS, File, Listed, NewFolder
from benchmarks.reporting.curves import MEASURES


@click.command()
def smoke() -> None:
    """Run what measures and reports on tiny pictures made up here: does it run and verify?"""
    from benchmarks.smoke import run_smoke

    run_smoke()
    click.echo("what measures and reports ran and verified")


@click.command()
@click.argument("results", type=File, nargs=-1, required=True)
@click.option("--anchor", default="", help="what others are compared with [vtm, or jpeg-420]")
@click.option("--measure", type=click.Choice(list(MEASURES)), default="psnr")
@click.option("--images", type=Listed(str), default=(), help="average over these only")
@click.option("--published", type=Listed(str), default=None, help="names; 'none' for none [all]")
@click.option("--window-bpp", type=(float, float), help="quality the anchor reaches at these rates")
@click.option("--window-quality", type=(float, float), help="quality to compare over")
@click.option("--by-image", is_flag=True, help="BD-rate of every image, too")
@click.option("--by-rate", is_flag=True, help="bits against both AVIF at equal quality, as panel")
@click.option("--plots", type=NewFolder, help="folder for plots")
@click.option("--sheet", type=(File, File), multiple=True, help="original and .siren file of it")
@click.option("--sheets", type=NewFolder, default=RESULTS)
def report(
    results: tuple[Path, ...],
    anchor: str,
    measure: str,
    images: tuple[str, ...],
    published: tuple[str, ...] | None,
    window_bpp: tuple[float, float] | None,
    window_quality: tuple[float, float] | None,
    by_image: bool,
    by_rate: bool,
    plots: Path | None,
    sheet: tuple[tuple[Path, Path], ...],
    sheets: Path,
) -> None:
    """Print tables of one or more runs; draw plots and pictures side by side if asked."""
    from benchmarks.measuring.results import read_run
    from benchmarks.reporting.curves import NoCurveError
    from benchmarks.reporting.panel_table import panel_table
    from benchmarks.reporting.report import Options, plot_report, write_other_report, write_report
    from benchmarks.reporting.sheet import make_sheet

    runs = [read_run(path) for path in results]
    if by_rate:
        click.echo("\n\n".join(map(panel_table, runs)))
        return
    others = [run for run in runs if run["kind"] != "rate-distortion"]
    for run in others:
        click.echo(write_other_report(run))
    runs = [run for run in runs if run not in others]
    if not runs:
        return
    chosen = () if published == ("none",) else published
    options = Options(anchor, measure, images, chosen, window_bpp, window_quality, by_image)
    try:
        click.echo(write_report(runs, options), nl=False)
    except NoCurveError as error:
        raise click.ClickException(str(error)) from error
    for path in plot_report(runs, options, plots) if plots else ():
        click.echo(f"wrote {path}", err=True)
    for original, file in sheet:
        output = sheets / f"sheet-{original.stem}-{file.stat().st_size}.png"
        click.echo("\n".join(make_sheet(original, file, output)))
        click.echo(f"wrote {output}", err=True)


@click.command()
@click.option("--file", "files", type=File, multiple=True, help="pages [README.md, docs/*.md]")
@click.option("--check", is_flag=True, help="change nothing; exit with 1 if a table is out of date")
def readme(files: tuple[Path, ...], check: bool) -> None:
    """Write the tables of README and docs from the committed results, between their markers."""
    from benchmarks.readme import PAGES, ReadmeError, render

    for file in files or PAGES:
        text = file.read_text(encoding="utf-8")
        try:
            rendered = render(text)
        except ReadmeError as error:
            raise click.ClickException(f"{file.name}: {error}") from error
        if rendered == text:
            continue
        if check:
            raise click.ClickException(f"{file.name} is out of date: python -m benchmarks readme")
        file.write_text(rendered, encoding="utf-8")
