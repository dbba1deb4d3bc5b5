"""Seconds that an encode may take, and how many of them are left."""

import time
from collections.abc import Callable
from typing import Final

Clock = Callable[[], float]

SLACK: Final = 0.1  # of the time, that an encode may take besides, or leave


class TimeBudget:
    """Some seconds from now on.

    Attributes:
        seconds: there are altogether.
        now: seconds since whenever.
    """

    def __init__(self, seconds: float, now: Clock = time.perf_counter) -> None:
        """Begin."""
        self.seconds, self.now = seconds, now
        self._started = now()

    @property
    def left_s(self) -> float:
        """Seconds to go, below zero when they are over."""
        return self.seconds - (self.now() - self._started)

    def allows(self, seconds: float) -> bool:
        """Whether work of so many seconds would end in time, or nearly."""
        return seconds <= self.left_s + SLACK * self.seconds
