"""A finished study -> what stands between the markers of `docs/why-sine.md`."""

from benchmarks.studies.activations.plan import TIME_PART
from benchmarks.studies.activations.summary import Run, listed, select, values
from benchmarks.studies.activations.tables import TABLES
from benchmarks.studies.activations.verdicts import verdict_table


def activations_block(run: Run, part: str) -> str:
    """Run and part -> Markdown.

    Raises:
        KeyError: if there is no such part.
    """
    return BLOCKS[part](run)


def provenance(run: Run) -> str:
    """Which pictures, seeds, machine, commands and commits the figures are from."""
    session = run["sessions"][-1]
    machine, versions = session["machine"], session["versions"]
    minutes = sum(values(select(run, TIME_PART), "cpu_s")) / 60
    commands = [f"    {one['command']}  # commit {one['commit']}" for one in run["sessions"]]
    return (
        f"The {run['crop_side']} × {run['crop_side']} pixels in the middle of "
        f"{listed(list(run['images']))} ({run['dataset']}); seeds {listed(run['seeds'])}; one "
        f"thread of {machine['processor']}, Python {machine['python']}, PyTorch "
        f"{versions['torch']}, NumPy {versions['numpy']}; {minutes:.0f} minutes of processor "
        "time:\n\n" + "\n".join(commands)
    )


BLOCKS = {"verdicts": verdict_table, "provenance": provenance} | TABLES
