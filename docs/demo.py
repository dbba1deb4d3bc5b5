"""The main job, shown: a photograph becomes a function, and the function is asked at two sizes.

Run by ``make demo``; writes to ``demo/``.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "docs" / "images" / "chelsea.png"  # S. van der Walt, CC0
OUT = ROOT / "demo"


def run(*arguments: str | Path) -> None:
    """Show a command as a user would type it, then run it."""
    shown = [
        str(a.relative_to(ROOT)) if isinstance(a, Path) and a.is_absolute() else str(a)
        for a in arguments
    ]
    sys.stdout.write(f"\n$ sirencodec {' '.join(shown)}\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "sirencodec", *map(str, arguments)]
    subprocess.run(command, check=True)  # noqa: S603 - our own arguments


def main() -> None:
    """Encode the photograph, describe the file, decode it at its size and 2048 wide."""
    OUT.mkdir(exist_ok=True)
    coded = OUT / "chelsea.siren"
    run("encode", PHOTO, "-o", coded, "--bpp", "0.4", "--effort", "2", "--force")
    run("info", coded)
    run("decode", coded, "-o", OUT / "chelsea.png", "--force")
    run("decode", coded, "-o", OUT / "chelsea-2048.png", "--width", "2048", "--force")
    before, after = PHOTO.stat().st_size, coded.stat().st_size
    sys.stdout.write(
        f"\n{before} bytes of PNG became {after} bytes of function. Compare:\n"
        f"  {PHOTO.relative_to(ROOT)}       the original\n"
        f"  {(OUT / 'chelsea.png').relative_to(ROOT)}              decoded at its own size\n"
        f"  {(OUT / 'chelsea-2048.png').relative_to(ROOT)}         the same file, 2048 wide\n"
    )


if __name__ == "__main__":
    main()
