"""Similarity between 0 and 1 -> decibels, the scale on which curves of it are straight."""

import math


def similarity_db(similarity: float) -> float:
    """-10 log10(1 - similarity), as is usual for MS-SSIM; at most 60."""
    return min(60.0, -10 * math.log10(max(1 - similarity, 1e-6)))
