"""This machine, checkout and environment -> what a result must record to be repeatable."""

import hashlib
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import PIL.features

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = (
    "torch",
    "numpy",
    "pillow",
    "constriction",
    "zstandard",
    "imagecodecs",
    "bjontegaard",
    "pytorch-msssim",
    "psnr-hvsm",
    "ssimulacra2",
)
# What lies beside the sources and is made from them.
BUILT = (".pyc", ".so", ".o", ".dylib", ".pyd")


def describe_session(jobs: int, threads: int, arguments: list[str] | None = None) -> dict[str, Any]:
    """Everything but the results: when, what was typed, which code, which machine."""
    return {
        "started": now(),
        "command": command_line(sys.argv[1:] if arguments is None else arguments),
        "commit": git_commit(),
        "machine": describe_machine(),
        "jobs": jobs,
        "threads": threads,
        "versions": package_versions(),
    }


def now() -> str:
    """Time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def command_line(arguments: list[str]) -> str:
    """Arguments -> the command, folders of this machine left out of absolute paths."""
    shown = [Path(part).name if part.startswith("/") else part for part in arguments]
    return " ".join(["python -m benchmarks", *shown])


def git_commit() -> str:
    """Commit of the checkout, with ``+`` behind if files differ from it; empty outside of git."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--", "sirencodec") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory, system, what our fits loop in, accelerator if any; no names."""
    import torch

    from sirencodec.native.library import single_loops

    loops = single_loops()
    facts = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "loops": f"compiled, {loops[0].name}" if loops else "PyTorch",
    }
    if torch.cuda.is_available():
        facts["accelerator"] = torch.cuda.get_device_name()
    return facts


def _processor() -> str:
    cpu_info = Path("/proc/cpuinfo")
    if cpu_info.exists():
        for line in cpu_info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def package_versions() -> dict[str, str]:
    """Packages and the codec libraries inside Pillow and imagecodecs -> versions."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    for feature in ("jpg", "libjpeg_turbo", "webp", "avif"):
        if PIL.features.check(feature):
            versions[f"pillow {feature}"] = str(PIL.features.version(feature))
    try:
        import imagecodecs
    except ImportError:
        return versions
    for library in imagecodecs.version().split(", "):
        if library.startswith(("libjxl-", "openjpeg-")):
            name, number = library.rsplit("-", 1)
            versions[name] = number
    return versions


def code_fingerprint() -> str:
    """The codec as it is on disk now, sources and shipped networks -> 12 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "sirencodec").rglob("*")):
        if path.is_file() and path.suffix not in BUILT:
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
