"""A web server of the project's files, for pages that need no server of ours."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from tests.paths import ROOT

PAUSE_S = 0.1


class ProjectFiles(http.server.SimpleHTTPRequestHandler):
    """Files of the project, an empty page, and what tests make, in pieces if they are slow.

    Attributes:
        made: path -> contents.
        slow: path -> contents that come in so many pieces, with a pause after each.
    """

    made: ClassVar[dict[str, bytes]] = {}
    slow: ClassVar[dict[str, tuple[bytes, int]]] = {}

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path in self.slow:
            self.send_slowly(*self.slow[self.path])
            return
        page = b"<!doctype html><link rel='icon' href='data:,'>" if self.path == "/" else None
        body = self.made.get(self.path, page)
        if body is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def send_slowly(self, data: bytes, pieces: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        step = -(-len(data) // pieces)
        with contextlib.suppress(ConnectionError):  # who asked has left
            for start in range(0, len(data), step):
                self.wfile.write(data[start : start + step])
                self.wfile.flush()
                time.sleep(PAUSE_S)


@contextmanager
def served_project() -> Iterator[str]:
    """Within the block, the address of the project's files."""
    handler = functools.partial(ProjectFiles, directory=str(ROOT))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
