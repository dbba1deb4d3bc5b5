"""``sirencodec serve``."""

from contextlib import suppress

import click

from sirencodec.cli.options import byte_size, device_option
from sirencodec.cli.report import debug_option, say
from sirencodec.errors import DependencyError


@click.command(
    short_help="Show .siren files in a browser.",
    epilog="""\b
Examples:
  sirencodec serve photos                             then open http://127.0.0.1:8000/
  sirencodec serve photos --host 0.0.0.0 --port 80    for everyone on the network
  curl 'http://127.0.0.1:8000/iiif/a.siren/0,0,64,64/^512,512/0/default.png' > part.png""",
)
@click.argument("folder", type=click.Path())
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0 for any that is free.",
)
@click.option(
    "--cache",
    "cache_bytes",
    type=byte_size,
    default="256Mi",
    show_default=True,
    metavar="SIZE",
    help="Memory for files and tiles that are asked for again.",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    default=2**24,
    show_default=True,
    metavar="N",
    help="Pixels of the largest answer.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="S",
    help="Seconds that an answer may take.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="That decode; as many as there are cores.",
)
@click.option(
    "--base-url", metavar="URL", help="What URLs begin with, if a proxy stands before the server."
)
@device_option
@debug_option
def serve(
    folder: str,
    host: str,
    port: int,
    cache_bytes: int,
    max_pixels: int,
    timeout_s: float,
    threads: int | None,
    base_url: str | None,
    device: str,
) -> None:
    """Show the .siren files of FOLDER in a browser, and serve them by the IIIF Image API 3.0.

    Nothing outside FOLDER is served, nothing is written. Needs pip install 'sirencodec[serve]'.
    Ctrl-C and SIGTERM end it.
    """
    try:
        from sirencodec.serve.app import create_app
        from sirencodec.serve.run import address_of, bind, run
    except ImportError as error:
        raise DependencyError(f"{error}; pip install 'sirencodec[serve]' has it") from error
    from sirencodec.serve.folder import Folder
    from sirencodec.serve.iiif import SizeLimits
    from sirencodec.serve.settings import Settings, count_cores

    settings = Settings(
        cache_bytes=cache_bytes,
        num_threads=threads or count_cores(),
        timeout_s=timeout_s,
        size_limits=SizeLimits(Settings().size_limits.max_side, max_pixels),
        device=device,
        base_url=base_url,
    )
    app = create_app(Folder(folder), settings, log=lambda line: say(f"sirencodec: {line}"))
    with bind(host, port) as bound:
        address = address_of(bound)
        with suppress(KeyboardInterrupt, SystemExit):  # what a signal becomes once all is done
            run(app, bound, lambda: say(f"{folder} is served at {address} (Ctrl-C ends it)"))
