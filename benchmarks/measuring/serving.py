"""A `.siren` file -> how fast, and in what memory, `sirencodec serve` answers for tiles of it.

Server and client share the machine. The client is httpx over the loopback address, and keeps its
connections, as browsers do.
"""

import asyncio
import math
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

import sirencodec
from benchmarks.measuring.fresh_process import MeasurementError

TILE = 512
ZOOMS = (0.25, 0.5, 1, 2, 4, 8, 16)  # of the levels whose tiles are asked for
_PATIENCE_S = 120


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for, how often, by how many at once, and the server's cache in bytes."""

    file: Path
    requests: int
    clients: int
    rounds: int
    cache_bytes: int
    seed: int


@dataclass(frozen=True, slots=True)
class Round:
    """One round of requests.

    Attributes:
        requests: that were answered.
        distinct: addresses among them.
        failures: answers other than 200.
        requests_per_s: answers a second.
        median_ms, p99_ms: from sending a request to the end of its answer.
        megabytes: received.
        resident_mb: what the server holds at the end.
    """

    requests: int
    distinct: int
    failures: int
    requests_per_s: float
    median_ms: float
    p99_ms: float
    megabytes: float
    resident_mb: float


def measure_serving(load: Load) -> dict[str, object]:
    """Load -> memory before it, and what each round came to.

    Raises:
        MeasurementError: if the server cannot be started, or does not end in order.
    """
    with tempfile.TemporaryDirectory(prefix="serving-") as name:
        shutil.copy(load.file, Path(name) / "picture.siren")
        info = sirencodec.read_info(load.file)
        tiles = tile_paths(info.width, info.height)
        with served(Path(name), load.cache_bytes) as (process, address):
            generator = random.Random(load.seed)
            asyncio.run(_ask(address, tiles[:1], 1))  # the file is opened
            before = _resident_mb(process.pid)
            rounds = []
            for _ in range(load.rounds):
                paths = generator.choices(tiles, k=load.requests)
                seconds, times, statuses, received = asyncio.run(_ask(address, paths, load.clients))
                rounds.append(
                    Round(
                        len(times),
                        len(set(paths)),
                        sum(status != 200 for status in statuses),
                        round(len(times) / seconds, 1),
                        round(1000 * statistics.median(times), 1),
                        round(1000 * statistics.quantiles(times, n=100)[-1], 1),
                        round(received / 1e6, 1),
                        _resident_mb(process.pid),
                    )
                )
    return {
        "width": info.width,
        "height": info.height,
        "file_bytes": info.file_bytes,
        "clients": load.clients,
        "cache_bytes": load.cache_bytes,
        "tiles": len(tiles),
        "resident_mb_before": before,
        "rounds": [asdict(each) for each in rounds],
    }


def tile_paths(width: int, height: int) -> list[str]:
    """Size -> paths of the tiles of all levels, as a deep-zoom viewer asks for them."""
    paths = []
    for zoom in ZOOMS:
        side = TILE / zoom  # stored pixels that a tile covers
        for row in range(math.ceil(height / side)):
            for column in range(math.ceil(width / side)):
                left, top = int(column * side), int(row * side)
                across, down = (
                    min(math.ceil(side), width - left),
                    min(math.ceil(side), height - top),
                )
                sides = f"{math.ceil(across * zoom)},{math.ceil(down * zoom)}"
                size = f"{'^' if zoom > 1 else ''}{sides}"
                paths.append(
                    f"/iiif/picture.siren/{left},{top},{across},{down}/{size}/0/default.jpg"
                )
    return paths


async def _ask(
    address: str, paths: list[str], clients: int
) -> tuple[float, list[float], list[int], int]:
    """Paths -> seconds that all took, of each, statuses, and bytes received."""
    queue = iter(paths)
    times: list[float] = []
    statuses: list[int] = []
    received = 0

    async def work(client: httpx.AsyncClient) -> None:
        nonlocal received
        for path in queue:
            started = time.perf_counter()
            answer = await client.get(address + path)
            times.append(time.perf_counter() - started)
            statuses.append(answer.status_code)
            received += len(answer.content)

    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(limits=limits, timeout=_PATIENCE_S, trust_env=False) as client:
        started = time.perf_counter()
        await asyncio.gather(*(work(client) for _ in range(clients)))
        return time.perf_counter() - started, times, statuses, received


@contextmanager
def served(folder: Path, cache_bytes: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Within the block, a server of the folder: its process and address."""
    command = [sys.executable, "-m", "sirencodec", "serve", str(folder), "--port", "0"]
    command += ["--cache", str(cache_bytes)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://\S+(?=/ )", line)
        if found is None:
            raise MeasurementError(line.strip() or "the server did not start")
        yield process, found[0]
        process.terminate()
        _, said = process.communicate(timeout=_PATIENCE_S)
        if process.returncode or said:
            raise MeasurementError(f"the server ended with {process.returncode}: {said.strip()}")
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def _resident_mb(pid: int) -> float:
    """Process -> memory that it holds now; 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    found = re.search(r"VmRSS:\s+(\d+)", status.read_text())
    return round(int(found[1]) * 1024 / 1e6, 1) if found else 0.0
