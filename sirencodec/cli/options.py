"""Options and kinds of values that several commands share."""

import re
from collections.abc import Callable
from typing import Any

import click

from sirencodec.batch.outputs import Existing
from sirencodec.config import STRIP_ALL, STRIP_CHOICES
from sirencodec.limits import DEFAULT_LIMITS

_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 2**10, "mi": 2**20, "gi": 2**30}


def byte_size(text: str) -> int:
    """``10000``, ``10k`` and ``10kB`` (10 * 1000), ``10KiB`` (10 * 1024), ``1.5M`` -> bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]i?|)b?", text.strip(), re.IGNORECASE)
    if match is None:
        raise click.BadParameter(f"{text!r} is not a size such as 10000, 10k, 10kB or 10KiB")
    return int(float(match[1]) * _UNITS[match[2].lower()])


_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


def duration(text: str) -> float:
    """``90``, ``90s``, ``1.5m``, ``5min`` and ``1h`` -> seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)", text.strip(), re.IGNORECASE)
    if match is None:
        raise click.BadParameter(f"{text!r} is not a time such as 90, 90s, 5m or 1h")
    return float(match[1]) * _SECONDS[match[2].lower()]


def crop_box(text: str) -> tuple[float, float, float, float]:
    """``X,Y,W,H`` -> left, top, width, height."""
    try:
        left, top, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not four numbers such as 0,0,100,50") from None
    return left, top, width, height


def device_name(text: str) -> str:
    """Name of a device -> the same; whether there is one is seen when it is used."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", text):
        raise click.BadParameter(f"{text!r} is not auto, cpu, cuda or cuda:NUMBER")
    return text


def _complete_device(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in ("auto", "cpu", "cuda") if name.startswith(incomplete)]


class StripCommand(click.Command):
    """A command whose ``--strip`` may stand alone, before a file: ``--strip photo.jpg``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give ``--strip`` the value behind it if it is one, else that of an option alone."""
        spelled_out = []
        end = args.index("--") if "--" in args else len(args)
        for i, word in enumerate(args):
            is_value = i > 0 and args[i - 1] == "--strip" and word in STRIP_CHOICES
            if word == "--strip" and i < end:
                value = args[i + 1] if i + 1 < end else None
                word = f"--strip={value if value in STRIP_CHOICES else STRIP_ALL}"
            elif is_value and i < end:
                continue
            spelled_out.append(word)
        return super().parse_args(ctx, spelled_out)


class _File(click.Path):
    """A name that can be one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse an empty name, such as an unset variable of a shell gives."""
        if value == "":
            self.fail("a name of a file is empty", param, ctx)
        return super().convert(value, param, ctx)


FILE = _File(allow_dash=True, readable=False)  # one that is not readable fails by itself

output_option = click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="OUT",
    help="File to write, - for stdout; a directory if it ends in / or there are several inputs.",
)
recursive_option = click.option(
    "-r", "--recursive", is_flag=True, help="Go through directories, too."
)
force_option = click.option("--force", is_flag=True, help="Replace existing files.")
keep_date_option = click.option(
    "--keep-date", is_flag=True, help="Give outputs the date of their inputs."
)
keep_suffix_option = click.option(
    "--keep-suffix", is_flag=True, help="a.jpg becomes a.jpg.siren, twin or not."
)
strip_option = click.option(
    "--strip",
    type=click.Choice(STRIP_CHOICES),
    metavar="[all|exif|location]",
    help="Leave out metadata: all, EXIF and XMP, or the location. Colours and upright stay so.",
)
device_option = click.option(
    "--device",
    type=device_name,
    metavar="auto|cpu|cuda",
    shell_complete=_complete_device,
    default="auto",
    show_default=True,
    help="Where to compute. auto: the CPU; for encode, CUDA where there is one.",
)


def existing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what to do about outputs that exist; ``choose_existing`` takes the values."""
    command = click.option(
        "--newer", is_flag=True, help="Replace those older than their input, skip the others."
    )(command)
    command = click.option(
        "--skip-existing", is_flag=True, help="Leave existing files as they are, quietly."
    )(command)
    return force_option(command)


def choose_existing(force: bool, skip_existing: bool, newer: bool) -> Existing:
    """Values of ``existing_options`` -> what they come to.

    Raises:
        click.UsageError: if several are given.
    """
    if force + skip_existing + newer > 1:
        raise click.UsageError("give one of --force, --skip-existing and --newer")
    if force:
        return Existing.REPLACE
    if newer:
        return Existing.NEWER
    return Existing.SKIP if skip_existing else Existing.REFUSE


def max_pixels_option(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The limit on pixels that ``Limits`` sets, as an option."""
    return click.option(
        "--max-pixels",
        type=click.IntRange(min=1),
        default=DEFAULT_LIMITS.max_pixels,
        show_default=True,
        metavar="N",
        help=f"Refuse to {what} more pixels than this.",
    )


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the limits of a decode that users meet, under the names that ``Limits`` gives them."""
    command = click.option(
        "--max-multiply-adds",
        type=click.IntRange(min=1),
        default=DEFAULT_LIMITS.max_multiply_adds,
        show_default=True,
        metavar="N",
        help="Refuse to do more arithmetic than this.",
    )(command)
    return max_pixels_option("decode")(command)
