"""Request -> reply of a module run in a process of its own: JSON in, JSON out."""

import json
import os
import subprocess
import sys
from typing import Any

from benchmarks.measuring.machine import ROOT


class MeasurementError(Exception):
    """A point could not be measured: a codec failed, or what it decoded did not verify."""


def ask(module: str, request: dict[str, Any], what: str) -> dict[str, Any]:
    """Module and request -> its reply.

    Args:
        module: reads the request from standard input and writes the reply to standard output.
        request: with the "threads" that the process and its libraries may use.
        what: the request in words, for the message of an error.

    Raises:
        MeasurementError: if the process fails.
    """
    threads = str(request["threads"])
    completed = subprocess.run(
        [sys.executable, "-m", module],
        input=json.dumps(request),
        env=os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode:
        reason = completed.stderr.strip().splitlines() or ["no message"]
        raise MeasurementError(f"{what}: {reason[-1]}")
    reply: dict[str, Any] = json.loads(completed.stdout)
    return reply
