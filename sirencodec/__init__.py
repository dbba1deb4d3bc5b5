"""A neural image codec: every image becomes a small network of sines, every file a function.

    data = sirencodec.encode("photo.png", bpp=0.2)
    image = sirencodec.decode(data, width=2048)
    function = sirencodec.open("photo.siren")
    info = sirencodec.read_info("photo.siren")

Importing the package registers `.siren` with Pillow. PyTorch is imported by the first call that
needs it, so reading a header stays instant.
"""

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

# The command line alone: until it can answer Ctrl-C in its own words, one ends it without any.
if (
    (sys.argv[0] == "-m" and "sirencodec" in sys.orig_argv)
    or os.path.basename(sys.argv[0]).removesuffix(".exe") == "sirencodec"
) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from sirencodec import pillow_plugin as _pillow_plugin
from sirencodec.config import EncodeConfig
from sirencodec.errors import (
    ConversionWarning,
    CorruptError,
    DependencyError,
    FitError,
    FormatError,
    ImageError,
    LimitError,
    NotSirenError,
    ParameterError,
    SirenCodecError,
    SirenCodecWarning,
    TargetWarning,
    TruncatedError,
    VersionError,
)
from sirencodec.limits import Limits
from sirencodec.version import __version__

if TYPE_CHECKING:
    from sirencodec.api import decode, encode, inspect, open, read_info
    from sirencodec.bitstream.info import Info
    from sirencodec.encoder import EncodeResult, encode_image
    from sirencodec.function import SirenFunction
    from sirencodec.image.image import Image
    from sirencodec.image.metadata import Metadata
    from sirencodec.inspection.plot import plot_inspection
    from sirencodec.inspection.report import Inspection

__all__ = [
    "ConversionWarning",
    "CorruptError",
    "DependencyError",
    "EncodeConfig",
    "EncodeResult",
    "FitError",
    "FormatError",
    "Image",
    "ImageError",
    "Info",
    "Inspection",
    "LimitError",
    "Limits",
    "Metadata",
    "NotSirenError",
    "ParameterError",
    "SirenCodecError",
    "SirenCodecWarning",
    "SirenFunction",
    "TargetWarning",
    "TruncatedError",
    "VersionError",
    "__version__",
    "decode",
    "encode",
    "encode_image",
    "inspect",
    "open",
    "plot_inspection",
    "read_info",
]

_LAZY = {
    "EncodeResult": "sirencodec.encoder",
    "Image": "sirencodec.image.image",
    "Info": "sirencodec.bitstream.info",
    "Inspection": "sirencodec.inspection.report",
    "Metadata": "sirencodec.image.metadata",
    "SirenFunction": "sirencodec.function",
    "decode": "sirencodec.api",
    "encode": "sirencodec.api",
    "encode_image": "sirencodec.encoder",
    "inspect": "sirencodec.api",
    "open": "sirencodec.api",
    "plot_inspection": "sirencodec.inspection.plot",
    "read_info": "sirencodec.api",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module 'sirencodec' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


_pillow_plugin.register()
