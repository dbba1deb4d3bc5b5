"""A server of the command line, in a process of its own on the loopback address."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.paths import ROOT

_PATIENCE_S = 60  # until it answers, and until it ends


@dataclass
class Served:
    """A running server: its process, its address without a slash, and what it said at its end."""

    process: subprocess.Popen[str]
    address: str
    said: str = ""

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal -> exit code."""
        self.process.send_signal(number)
        _, self.said = self.process.communicate(timeout=_PATIENCE_S)
        return self.process.returncode


@contextmanager
def serve(folder: Path, *options: str) -> Iterator[Served]:
    """Within the block, the folder is served."""
    command = [sys.executable, "-m", "sirencodec", "serve", str(folder), "--port", "0", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://\S+(?=/ )", line)
        assert found, line + process.stderr.read()
        yield Served(process, found[0])
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
