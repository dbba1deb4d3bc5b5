"""A picture that the machine has no memory for is refused, and says how much it would take."""

from __future__ import annotations

import pytest

from sirencodec.errors import LimitError
from sirencodec.fitting.loss.pixel.blend_settings import BlendSettings
from sirencodec.fitting.pyramid.memory import check_memory, fit_bytes, machine_memory_bytes
from sirencodec.fitting.settings import VISUAL

PLAIN = BlendSettings()


def test_memory_is_enough_to_the_byte() -> None:
    needed = fit_bytes(12_000_000, PLAIN)
    check_memory(12_000_000, PLAIN, needed)
    with pytest.raises(LimitError, match=r"12 megapixels take about 2\.\d GB of memory to fit"):
        check_memory(12_000_000, PLAIN, needed - 1)


def test_measures_take_more() -> None:
    assert fit_bytes(1_000_000, VISUAL) > fit_bytes(1_000_000, PLAIN)


def test_a_machine_that_does_not_say_is_trusted() -> None:
    check_memory(10**12, PLAIN, None)


def test_this_machine_can_fit_a_small_picture() -> None:
    check_memory(512 * 512, VISUAL, machine_memory_bytes())
