"""A finished study -> what stands between the markers of `docs/why-sine.md`."""

from benchmarks.activations.plan import TIME_PART
from benchmarks.activations.summary import Run, listed, select, values
from benchmarks.activations.tables import TABLES
from benchmarks.activations.verdicts import verdict_table


def activations_block(run: Run, part: str) -> str:
    """Run and part -> Markdown.

    Raises:
        KeyError: if there is no such part.
    """
    return BLOCKS[part](run)


def provenance(run: Run) -> str:
    """Which pictures, seeds, commit, machine and command the figures are from."""
    session = run["sessions"][-1]
    names = listed(list(run["images"]))
    machine = session["machine"]
    cpu = values(select(run, TIME_PART), "cpu_s")
    versions = listed([f"{name} {session['versions'][name]}" for name in ("torch", "numpy")])
    return (
        f"The {run['crop_side']} × {run['crop_side']} pixels in the middle of {names} "
        f"({run['dataset']}); seeds {listed(run['seeds'])}; one thread of {machine['processor']}, "
        f"Python {machine['python']}, {versions}; commit {session['commit']}; "
        f"{sum(cpu) / 60:.0f} minutes of processor time:\n\n"
        f"    {session['command']}"
    )


BLOCKS = {"verdicts": verdict_table, "provenance": provenance} | TABLES
