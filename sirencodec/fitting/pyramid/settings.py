"""The pyramid profile's hyper-parameters."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PyramidSettings:
    """How a pyramid is planned and fitted."""
