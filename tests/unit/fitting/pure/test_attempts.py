"""A budget near one that was fitted for is met by the same fit, ended anew."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch

from sirencodec.bitstream.architecture import Architecture
from sirencodec.entropy.payload import QuantizedPicture, encode_payload
from sirencodec.fitting.progress import FitProgress
from sirencodec.fitting.pure.attempts import PureAttempts
from sirencodec.fitting.pure.settings import PureSettings, WorkSettings
from tests.pictures import make_clouds

FIRST_BITS = 1_200.0
UPDATES = 100
SETTINGS = PureSettings(work=WorkSettings(most_updates=UPDATES))


@dataclass(frozen=True)
class File:
    """A payload of so many bytes, of a network of that many weights; all are equally good."""

    data: bytes
    num_weights: int
    quality: float = 0.0


class Told:
    """Attempts at a small picture, and the updates that they have taken."""

    def __init__(self, settings: PureSettings = SETTINGS) -> None:
        self.updates = 0
        self.attempt = PureAttempts(
            make_clouds(20, 16), 0, settings, torch.device("cpu"), self._count, self
        )

    def _count(self, _: FitProgress) -> None:
        self.updates += 1

    def payload_bits(self, architecture: Architecture, budget_bits: float) -> float:
        return budget_bits

    def finish(self, architecture: Architecture, picture: QuantizedPicture) -> File:
        data = encode_payload(picture, architecture).matrices
        return File(data, architecture.num_parameters)

    def taken(self, budget_bits: float, effort: int = 0) -> tuple[File, int]:
        before = self.updates
        return self.attempt(budget_bits, effort), self.updates - before


@pytest.mark.parametrize("factor", [0.88, 1.15])
def test_a_budget_nearby_is_met_in_a_fifth_of_the_work(factor: float) -> None:
    told = Told()
    first, whole = told.taken(FIRST_BITS)
    other, some = told.taken(factor * FIRST_BITS)
    assert whole == UPDATES
    assert some == pytest.approx(UPDATES / 5, abs=1)
    assert other.num_weights == first.num_weights
    assert 0.85 * factor * FIRST_BITS <= 8 * len(other.data) <= factor * FIRST_BITS
    assert (len(other.data) > len(first.data)) == (factor > 1)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_budget_far_away_has_a_network_of_its_own(factor: float) -> None:
    told = Told()
    first, _ = told.taken(FIRST_BITS)
    other, updates = told.taken(factor * FIRST_BITS)
    assert updates == UPDATES
    assert (other.num_weights > first.num_weights) == (factor > 1)


def test_the_same_budget_is_not_fitted_again() -> None:
    told = Told()
    first, _ = told.taken(FIRST_BITS)
    assert told.taken(FIRST_BITS) == (first, 0)


def test_efforts_have_fits_of_their_own() -> None:
    told = Told()
    told.taken(FIRST_BITS)
    assert told.taken(FIRST_BITS, effort=1)[1] == 2 * UPDATES  # the lower one is tried as well
    assert told.taken(1.1 * FIRST_BITS, effort=1)[1] == pytest.approx(2 * UPDATES / 5, abs=2)


def test_an_end_does_not_depend_on_others_before_it() -> None:
    one, other = Told(), Told()
    one.taken(FIRST_BITS)
    one.taken(1.1 * FIRST_BITS)
    other.taken(FIRST_BITS)
    assert one.taken(0.9 * FIRST_BITS)[0] == other.taken(0.9 * FIRST_BITS)[0]


def test_ends_can_be_switched_off() -> None:
    told = Told(replace(SETTINGS, search=replace(SETTINGS.search, ended_octaves=0.0)))
    told.taken(FIRST_BITS)
    assert told.taken(1.1 * FIRST_BITS)[1] == UPDATES
