"""The command line: ``sirencodec encode | decode | info | inspect | verify | serve | completion``.

Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 something failed, 2 the
command line made no sense, 130 interrupted (143 by SIGTERM, 129 by SIGHUP).

Nothing here knows how images are coded. A command is imported when it is called, and what it needs
to code an image when it comes to that, so that ``info`` and ``--help`` answer at once.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import Any

import click

from sirencodec.cli.report import Report, debug_option
from sirencodec.version import __version__

__all__ = ["main"]

COMMANDS = ("encode", "decode", "info", "inspect", "verify", "serve", "completion")

INTERRUPTED = 128 + signal.SIGINT  # what shells report for a program that Ctrl-C ended


class Program(click.Group):
    """The group of all commands; turns what they raise into a line on stderr and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Name -> command, from the module called after it."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"sirencodec.cli.{cmd_name}_command")
        command: click.Command = getattr(module, cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors that concern no single file end up here."""
        try:
            with _termination_as_exit():
                _let_interrupts_raise()
                return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("sirencodec: interrupted", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click knows what to do; a closed pipe is no error to talk about
        except Exception as error:
            report = Report()
            report.fail(None, error)
            report.exit()


def _let_interrupts_raise() -> None:
    """Ctrl-C is a KeyboardInterrupt from here on; the package has it end the program until then."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _termination_as_exit() -> Iterator[None]:
    """Within the block, let SIGTERM unwind the stack, so that no unfinished file stays behind.

    SIGHUP, of a terminal that is closed, does so unless it is ignored, as by ``nohup``.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only there may handlers be set
        return

    def leave(signal_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + signal_number)

    previous = {signal.SIGTERM: signal.signal(signal.SIGTERM, leave)}
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is not None and signal.getsignal(hang_up) is signal.SIG_DFL:
        previous[hang_up] = signal.signal(hang_up, leave)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="'sirencodec COMMAND -h' explains a command and shows examples.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@debug_option
def main() -> None:
    """Turn images into functions and back.

    A .siren file holds a small neural network that was fitted to one image. It can be decoded at
    any size.
    """
