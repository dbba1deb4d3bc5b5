"""Samples -> a hash, by which decodes on different machines are compared."""

import hashlib

import numpy as np

from sirencodec.image.samples import Samples


def samples_hash(samples: Samples) -> str:
    """Samples -> SHA-256 of their rows, columns and channels in order; 16 bits, high byte first."""
    ordered = samples.astype(">u2") if samples.dtype == np.uint16 else samples
    return str(hashlib.sha256(np.ascontiguousarray(ordered).data).hexdigest())
