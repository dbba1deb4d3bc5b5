"""Application and address -> a server, until a signal ends it."""

import socket
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.applications import Starlette

GRACE_S: Final = 5  # for answers under way; a tile takes a tenth of a second
MAX_CONNECTIONS: Final = 1024  # each some kilobytes; browsers hold six


def bind(host: str, port: int) -> socket.socket:
    """Host and port, 0 for any that is free -> a socket that holds them.

    Raises:
        OSError: if they cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = (error.strerror or str(error)).split(" (while ")[0]  # Python adds the address
        where = f"{host}, port {port}"
        raise OSError(error.errno, f"{reason}; see --host and --port", where) from error


def address_of(bound: socket.socket) -> str:
    """Socket -> URL of what it will serve."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def run(app: Starlette, bound: socket.socket, announce: Callable[[], None]) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what is under way and return.

    Args:
        app: what to serve.
        bound: where.
        announce: called once requests are answered.
    """
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_level="error",
        access_log=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_S,
    )
    _Server(config, announce).run(sockets=[bound])


class _Server(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started:
            self._announce()
