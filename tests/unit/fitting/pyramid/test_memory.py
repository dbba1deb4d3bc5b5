"""A picture that the machine has no memory for is refused, and says how much it would take."""

from __future__ import annotations

import pytest

from sirencodec.errors import LimitError
from sirencodec.fitting.pyramid.memory import check_memory, fit_bytes, machine_memory_bytes


def test_memory_is_enough_to_the_byte() -> None:
    needed = fit_bytes(12_000_000)
    check_memory(12_000_000, needed)
    with pytest.raises(LimitError, match=r"12 megapixels take about [01]\.\d GB of memory to fit"):
        check_memory(12_000_000, needed - 1)


def test_a_machine_that_does_not_say_is_trusted() -> None:
    check_memory(10**12, None)


def test_this_machine_can_fit_a_small_picture() -> None:
    check_memory(512 * 512, machine_memory_bytes())
