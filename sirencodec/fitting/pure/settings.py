"""The pure profile's hyper-parameters."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PureSettings:
    """How a network alone is planned and fitted."""
