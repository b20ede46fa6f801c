"""What every drift test in the table must keep to."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.drift_channels import CLASSES, NUMBERS, block_of
from tidegauge.drift.block import Block
from tidegauge.drift.cells import Channel
from tidegauge.drift.registry import DRIFT_TESTS, MakeDriftTest
from tidegauge.drift.test import Effect

AT_MOST_ONE = {"ks", "jensen_shannon"}
ORDINARY: dict[str, list[int]] = {
    "numbers": [int(400 * np.exp(-(((cell - 15) / 5) ** 2) / 2)) for cell in range(40)],
    "classes": [500, 200, 100, 80, 60, 40, 20],
}
ELSEWHERE: dict[str, list[int]] = {
    "numbers": [0] * 30 + [100] * 10,
    "classes": [0, 100, 0, 0, 0, 900],
}
CONSTANT = [0, 0, 300]


@pytest.fixture(params=DRIFT_TESTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(name: str) -> MakeDriftTest:
    return DRIFT_TESTS[name]


@pytest.fixture(params=[NUMBERS, CLASSES], ids=lambda channel: channel.name)
def channel(request: pytest.FixtureRequest) -> Channel:
    found = request.param
    assert isinstance(found, Channel)
    return found


def scored(
    make: MakeDriftTest, channel: Channel, reference: Sequence[int], window: Sequence[int]
) -> Effect:
    effect = make(channel, block_of(channel, reference)).effect(block_of(channel, window))
    assert effect is not None
    return effect


def test_equal_counts_are_zero_apart(make, channel) -> None:
    ordinary = ORDINARY[channel.name]
    effect = scored(make, channel, ordinary, ordinary)
    assert effect.size == 0
    assert effect.by_chance > 0


def test_equal_shares_are_about_zero_apart_whatever_the_number(make, channel) -> None:
    ordinary = ORDINARY[channel.name]
    for times in (2, 7):
        effect = scored(make, channel, ordinary, [times * n for n in ordinary])
        assert effect.size < effect.by_chance / 5  # half a request per bin


def test_a_shift_is_as_large_in_a_window_of_more_requests(make, channel) -> None:
    ordinary, elsewhere = ORDINARY[channel.name], ELSEWHERE[channel.name]
    few = scored(make, channel, ordinary, elsewhere)
    many = scored(make, channel, ordinary, [10 * n for n in elsewhere])
    assert many.size == pytest.approx(few.size, rel=0.5)
    assert many.by_chance < few.by_chance


def test_it_is_never_negative_and_bounded_where_it_says_so(name, make, channel) -> None:
    rng = np.random.default_rng(3)
    for requests in (1, 2, 30, 5000):
        reference, window = (
            rng.multinomial(requests, rng.dirichlet(np.full(channel.grid.cells, 0.2))).tolist()
            for _ in range(2)
        )
        effect = scored(make, channel, reference, window)
        assert 0 <= effect.size < np.inf
        assert 0 <= effect.by_chance < np.inf
        if name in AT_MOST_ONE or (name == "wasserstein" and channel.grid.names):
            assert effect.size <= 1 + 1e-12


def test_it_grows_with_the_share_that_comes_from_elsewhere(make, channel) -> None:
    ordinary, elsewhere = (
        block_of(channel, parts[channel.name]).counts[channel.place]
        for parts in (ORDINARY, ELSEWHERE)
    )
    sizes = [
        scored(make, channel, ordinary.tolist(), mixed.tolist()).size
        for mixed in (ordinary * (20 - part) + elsewhere * part for part in range(0, 21, 2))
    ]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 10 * sizes[1] or sizes[-1] > 0.5


def test_a_constant_channel_shows_any_move_to_either_side(make, channel) -> None:
    same = scored(make, channel, CONSTANT, CONSTANT)
    assert same.size == 0
    for moved in ([0, 150, 150], [0, 0, 150, 150]):
        effect = scored(make, channel, CONSTANT, moved)
        assert effect.size > 0.3
        assert effect.size > 5 * effect.by_chance


def test_cells_that_the_reference_never_saw_give_a_finite_distance(make, channel) -> None:
    effect = scored(make, channel, [100], [*[0] * (channel.grid.cells - 1), 100])
    assert 0.9 < effect.size < np.inf


def test_a_window_or_a_reference_that_says_nothing_gives_nothing(make, channel) -> None:
    ordinary = block_of(channel, ORDINARY[channel.name])
    assert make(channel, ordinary).effect(Block()) is None
    assert make(channel, Block()).effect(ordinary) is None


def test_only_its_own_channel_counts(make) -> None:
    ordinary = block_of(NUMBERS, ORDINARY["numbers"])
    beside = block_of(NUMBERS, ORDINARY["numbers"])
    beside.counts[NUMBERS.grid.cells :] = 7
    effect = make(NUMBERS, ordinary).effect(beside)
    assert effect is not None
    assert effect.size == 0


def test_the_window_and_the_reference_are_left_as_they_were(make, channel) -> None:
    ordinary = ORDINARY[channel.name]
    reference, window = block_of(channel, ordinary), block_of(channel, ordinary)
    test = make(channel, reference)
    assert test.effect(window) == test.effect(window)
    assert reference == window == block_of(channel, ordinary)


@pytest.mark.parametrize("requests", [100, 1000])
def test_without_a_shift_it_is_about_what_chance_says(make, channel, requests) -> None:
    rng = np.random.default_rng(requests)
    shares: NDArray[np.float64] = np.array(ORDINARY[channel.name]) / sum(ORDINARY[channel.name])
    effects = [
        scored(
            make,
            channel,
            rng.multinomial(3000, shares).tolist(),
            rng.multinomial(requests, shares).tolist(),
        )
        for _ in range(100)
    ]
    size = np.mean([effect.size for effect in effects])
    assert 0.75 < size / np.mean([effect.by_chance for effect in effects]) < 1.25
