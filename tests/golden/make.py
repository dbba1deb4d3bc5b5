"""Makes golden files: `python -m tests.golden.make`, once for each new case.

A file that exists is never touched again, nor is its entry in `manifest.json`: golden files show
that what was once written can be read for ever, and what was once refused is refused for ever.
To add a case, add it to `valid_cases.py` or `invalid_cases.py` and run this; `README.md` follows.

Expected pictures and levels come from the reference decoder, in double precision.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import PIL.Image

from tests.golden.invalid_cases import Invalid, invalid_cases
from tests.golden.valid_cases import Valid, valid_cases
from tests.reference_decoder import File, parse, samples

HERE = Path(__file__).parent

README = """\
# Golden files

Files that tests decode and never write. Made by `python -m tests.golden.make`, which does not
touch a file that exists: cases are added, not changed. `manifest.json` says what must come of each.

`valid/`: SHA-256 of the levels (all of them in order, as little-endian 32-bit integers), likewise
of a pyramid's latents (the finest grid first), and the picture at stored size, evaluated in double
precision: PNG, or plain little-endian samples where they have 16 bits. Metadata by SHA-256 as well.

| file | tests |
| --- | --- |
{valid}

`invalid/`: each breaks one rule of [FORMAT.md](../../docs/FORMAT.md), section 10, whose number it
is named with, and nothing else: checksums are right except where they are the case.

| file | rule | what is wrong | error |
| --- | --- | --- | --- |
{invalid}
"""


def sha256(matrices: Iterable[np.ndarray]) -> str:
    """SHA-256 of all levels or latents in order, as little-endian 32-bit integers."""
    return hashlib.sha256(b"".join(m.astype("<i4").tobytes() for m in matrices)).hexdigest()


def picture_bytes(file: File) -> tuple[str, bytes]:
    """Decoded file -> suffix and contents of its expected picture.

    PNG for 8 bits; for 16, which Pillow has only in gray, plain little-endian samples.
    """
    expected = samples(file)
    if file.bits == 16:
        return ".raw", expected.astype("<u2").tobytes()
    pixels = expected.astype(np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels[:, :, 0] if file.channels == 1 else pixels).save(buffer, "PNG")
    return ".png", buffer.getvalue()


def write_new(path: Path, data: bytes) -> None:
    with path.open("xb") as stream:  # x: fails on a file that exists
        stream.write(data)


def write_valid(case: Valid) -> dict[str, object]:
    file = parse(case.data)
    suffix, picture = picture_bytes(file)
    write_new(HERE / "valid" / f"{case.name}.siren", case.data)
    write_new(HERE / "valid" / f"{case.name}{suffix}", picture)
    metadata = {}
    for field in ("icc_profile", "exif", "xmp"):
        content = getattr(file.metadata, field, None)
        if content is not None:
            metadata[field] = hashlib.sha256(content).hexdigest()
    integers = {"levels_sha256": sha256(file.levels)}
    if file.latents:
        integers["latents_sha256"] = sha256(file.latents)
    return {
        "what": case.what,
        "picture": case.name + suffix,
        **integers,
        "metadata_sha256": metadata,
    }


def write_invalid(case: Invalid) -> dict[str, object]:
    write_new(HERE / "invalid" / f"{case.name}.siren", case.data)
    return {"what": case.what, "number": case.number, "error": case.error}


def readme(manifest: dict[str, dict[str, dict[str, object]]]) -> str:
    valid = [f"| `{name}` | {entry['what']} |" for name, entry in manifest["valid"].items()]
    invalid = [
        f"| `{name}` | {entry['number']} | {entry['what']} | `{entry['error']}` |"
        for name, entry in sorted(manifest["invalid"].items())
    ]
    return README.format(valid="\n".join(valid), invalid="\n".join(invalid))


def main() -> None:
    path = HERE / "manifest.json"
    manifest = json.loads(path.read_text()) if path.exists() else {"valid": {}, "invalid": {}}
    made = 0
    for valid in valid_cases():
        if f"{valid.name}.siren" not in manifest["valid"]:
            manifest["valid"][f"{valid.name}.siren"] = write_valid(valid)
            made += 1
    for invalid in invalid_cases():
        if f"{invalid.name}.siren" not in manifest["invalid"]:
            manifest["invalid"][f"{invalid.name}.siren"] = write_invalid(invalid)
            made += 1
    path.write_text(json.dumps(manifest, indent=1) + "\n")
    (HERE / "README.md").write_text(readme(manifest))
    sys.stdout.write(f"{made} new files\n")


if __name__ == "__main__":
    main()
