"""``sirencodec completion``."""

import click
from click.shell_completion import get_completion_class

_PROGRAM = "sirencodec"
_VARIABLE = "_SIRENCODEC_COMPLETE"  # click derives it from the program's name


@click.command(
    short_help="Print a script for tab completion.",
    epilog="""\b
Examples:
  source <(sirencodec completion bash)
  sirencodec completion zsh > ~/.zfunc/_sirencodec
  sirencodec completion fish > ~/.config/fish/completions/sirencodec.fish
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands and options in a shell."""
    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise click.ClickException(f"this version of click knows no {shell}")
    program = ctx.find_root().command
    click.echo(completion_class(program, {}, _PROGRAM, _VARIABLE).source())
