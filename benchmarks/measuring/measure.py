"""Job -> measured point: encode, decode and verify, each in its own process, then judge."""

import hashlib
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring.codecs import CODECS, is_ours
from benchmarks.measuring.fresh_process import MeasurementError, ask
from benchmarks.measuring.pixels import read_pixels
from benchmarks.measuring.quality import measure_quality

Point = dict[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One point to be measured.

    Attributes:
        codec: name in ``CODECS``.
        setting: of the codec's knob.
        effort: of our codec; None for the others.
        image: file of the original.
        variant: of our codec, for ablations; empty for the codec as it is.
        seed, threads: passed on to the codec.
    """

    codec: str
    setting: float
    effort: int | None
    image: Path
    variant: str = ""
    seed: int = 0
    threads: int = 1

    @property
    def key(self) -> Key:
        """What tells this point from the others of a run."""
        return (self.codec, self.variant or None, self.effort, self.setting, self.image.stem)


def measure(job: Job, keep_files: Path | None = None) -> Point:
    """Job -> point.

    Args:
        job: what to measure.
        keep_files: folder that gets a copy of the coded file.

    Raises:
        MeasurementError: if encoding or decoding fails, two decodes differ or the size is wrong.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        coded, pixels = folder / "coded", folder / "pixels.npy"
        request = asdict(job) | {"image": str(job.image), "file": str(coded), "pixels": str(pixels)}
        encoded = _run(request | {"action": "encode"})
        decoded = _run(request | {"action": "decode"})
        if not decoded["agree"]:
            raise MeasurementError(f"{job.key}: two decodes of one file differ")
        data = coded.read_bytes()
        original = read_pixels(job.image)
        try:
            quality = measure_quality(original, np.load(pixels))
        except ValueError as error:
            raise MeasurementError(f"{job.key}: {error}") from error
        if keep_files:
            _keep(job, data, keep_files)

    height, width, _ = original.shape
    point: Point = {"codec": job.codec, "setting": job.setting, "image": job.image.stem}
    if is_ours(job.codec):
        point |= {"effort": job.effort, "code": encoded["code"]}
    if job.variant:
        point["variant"] = job.variant
    point |= {"bytes": len(data), "bpp": round(8 * len(data) / (width * height), 6)}
    point |= {name: round(value, 4) for name, value in quality.items()}
    point |= {
        "encode_s": round(encoded["seconds"], 4),
        "decode_s": round(decoded["seconds"], 4),
        "encode_peak_bytes": encoded["peak_bytes"],
        "decode_peak_bytes": decoded["peak_bytes"],
        "sha256": hashlib.sha256(data).hexdigest()[:16],
    }
    if encoded["notes"]:
        point["notes"] = encoded["notes"]
    return point


def kept_file(folder: Path, codec: str, setting: float, effort: int | None, image: str) -> Path:
    """Where ``measure`` keeps the coded file of a point."""
    name = codec if effort is None else f"{codec}-e{effort}"
    return folder / name / f"{image}-{setting:g}{CODECS[codec].suffix}"


def _keep(job: Job, data: bytes, folder: Path) -> None:
    path = kept_file(folder, job.codec, job.setting, job.effort, job.image.stem)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _run(request: dict[str, Any]) -> dict[str, Any]:
    """Request -> reply of a fresh process."""
    what = f"{request['codec']} {request['setting']} {Path(request['image']).stem}"
    module = "benchmarks.measuring.coding_process"
    return ask(module, request, f"{what}: {request['action']} failed")
