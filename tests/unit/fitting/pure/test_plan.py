"""Budget, size and effort -> network and work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sirencodec.bitstream.architecture import Architecture
from sirencodec.bitstream.format import HIDDEN_FEATURES_RANGE, HIDDEN_LAYERS_RANGE, OMEGA_0_RANGE
from sirencodec.fitting.pure.plan import (
    plan_architecture,
    plan_depth,
    plan_fits,
    plan_omega_0,
    plan_updates,
    settled_updates,
)
from sirencodec.fitting.pure.settings import PureSettings

SETTINGS = PureSettings()
NETWORK, WORK = SETTINGS.network, SETTINGS.work
MEGAPIXEL = 10**6
NARROW, WIDE = Architecture(20, 7, 3, 30), Architecture(60, 7, 3, 30)


# Network ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload_bits", [200, 3_000, 40_000, 1_000_000])
@pytest.mark.parametrize("channels", [1, 4])
def test_weights_fill_the_budget(payload_bits: float, channels: int) -> None:
    """As many as there are bits for; one unit more in every layer would be too many."""
    network = plan_architecture(payload_bits, channels, 512, NETWORK)
    wanted = payload_bits / NETWORK.bits_per_weight
    wider = replace(network, hidden_features=network.hidden_features + 1)
    assert network.num_parameters <= wanted < wider.num_parameters
    assert network.channels == channels
    assert not network.grids


@pytest.mark.parametrize("payload_bits", [1, NETWORK.smallest_payload_bits, 1e6])
def test_the_architecture_can_be_written(payload_bits: float) -> None:
    network = plan_architecture(payload_bits, 3, 65_535, NETWORK)
    for value, (least, most) in (
        (network.hidden_features, HIDDEN_FEATURES_RANGE),
        (network.hidden_layers, HIDDEN_LAYERS_RANGE),
        (network.omega_0, OMEGA_0_RANGE),
    ):
        assert least <= value <= most


def test_depth_grows_with_the_number_of_weights() -> None:
    depths = [plan_depth(weights, NETWORK) for weights in (1, 29, 30, 150, 400, 900, 2_000, 1e6)]
    assert depths == [0, 0, 1, 2, 3, 4, 7, 7]
    assert plan_depth(1, replace(NETWORK, depth_limits=(), deepest=4)) == 4


def test_omega_0_grows_with_the_network_and_is_bound_by_the_image() -> None:
    by_network = [plan_omega_0(512, weights, NETWORK) for weights in (157, 3_063, 12_000, 10**6)]
    assert by_network == [13, 23, 30, 30]
    assert [plan_omega_0(side, 10**6, NETWORK) for side in (1, 10, 20)] == [2, 16, 30]
    same = replace(NETWORK, photo_omega_0=60, omega_0_power=0.0)
    assert plan_omega_0(512, 157, same) == 60


# Work ------------------------------------------------------------------------------------------


def test_more_effort_is_more_updates() -> None:
    updates = [plan_updates(NARROW, MEGAPIXEL, effort, SETTINGS) for effort in range(10)]
    assert updates == sorted(updates)
    assert len(set(updates[:7])) == 7
    assert updates[7:] == [WORK.most_updates] * 3


def test_a_larger_network_gets_fewer_updates_for_the_same_work() -> None:
    narrow, wide = (plan_updates(shape, MEGAPIXEL, 4, SETTINGS) for shape in (NARROW, WIDE))
    assert wide < narrow
    assert wide * WIDE.num_parameters > narrow * NARROW.num_parameters


def test_updates_have_bounds() -> None:
    huge, tiny = Architecture(1000, 20, 3, 30), Architecture(1, 0, 1, 30)
    assert plan_updates(huge, MEGAPIXEL, 0, SETTINGS) == WORK.fewest_updates
    most = replace(SETTINGS, work=replace(WORK, update_multiply_adds=0))
    assert plan_updates(tiny, MEGAPIXEL, 9, most) == WORK.most_updates


@pytest.mark.parametrize("effort", [0, 3])
def test_a_small_image_is_fitted_at_every_lower_effort_too(effort: int) -> None:
    """For it is settled before the effort is spent."""
    plans = plan_fits(Architecture(3, 1, 3, 5), 64, effort, 700, 5, SETTINGS)
    expected = [settled_updates(64, level, SETTINGS) for level in range(effort + 1)]
    assert [plan.updates for plan in plans] == expected
    assert {(plan.batch_pixels, plan.budget_bits, plan.seed) for plan in plans} == {(64, 700, 5)}


def test_a_large_image_is_fitted_once() -> None:
    (plan,) = plan_fits(NARROW, MEGAPIXEL, 4, 40_000, 0, SETTINGS)
    assert plan.updates == plan_updates(NARROW, MEGAPIXEL, 4, SETTINGS)
    assert plan.batch_pixels == WORK.batch_pixels
    assert plan.settings is SETTINGS
