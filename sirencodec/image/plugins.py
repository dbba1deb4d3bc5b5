"""Formats that other packages teach Pillow, where they are installed."""

from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Final

# Package -> its function that registers with Pillow; None if importing it does.
_PLUGINS: Final = {"pillow_heif": "register_heif_opener", "pillow_jxl": None}

_HEIC_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JPEG_XL_BEGINNINGS: Final = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")

HEIC_ADVICE: Final = "pip install 'sirencodec[heif]' lets it be read"
JPEG_XL_ADVICE: Final = "pip install pillow-jxl-plugin lets it be read"


@cache
def register_plugins() -> None:
    """Have the packages that are there register their formats; those of Pillow itself come first.

    They are imported no sooner than a file needs them.
    """
    for module, function in _PLUGINS.items():
        with suppress(ImportError):
            plugin = import_module(module)
            if function is not None:
                getattr(plugin, function)()


def advice_for(beginning: bytes) -> str | None:
    """First bytes of a file that nothing here reads -> what it is and what would read it."""
    if beginning[4:8] == b"ftyp" and beginning[8:12] in _HEIC_BRANDS:
        return f"a HEIC picture; {HEIC_ADVICE}"
    if beginning.startswith(_JPEG_XL_BEGINNINGS):
        return f"a JPEG XL picture; {JPEG_XL_ADVICE}"
    return None
