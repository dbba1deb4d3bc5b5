"""The command line, called in this process."""

from pathlib import Path

from click.testing import CliRunner, Result

from sirencodec.cli import main

FAST = ("--effort", "0")


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(
        main, [str(each) for each in arguments], stdin, prog_name="sirencodec"
    )


def ok(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 0, result.output
    return result


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
