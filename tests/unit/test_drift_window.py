"""A window keeps the latest, by number and by age, and its sum is that of what it holds."""

import pytest

from tests.unit.drift_rows import random_rows
from tidegauge.drift.block import Block, joined
from tidegauge.drift.window import Window, WindowLimits

ROWS = random_rows(40)


def window(*, requests: int = 30, seconds: float = 60.0, min_requests: int = 1) -> Window:
    return Window(WindowLimits(requests, seconds, min_requests), interval=10.0)


def block(requests: int, *, first: int = 0) -> Block:
    held = Block()
    for place in range(requests):
        held.add(ROWS[(first + place) % len(ROWS)])
    return held


def test_its_sum_is_exactly_that_of_the_blocks_it_holds() -> None:
    held = window(requests=20)
    blocks = [block(n, first=n) for n in (7, 0, 11, 3, 9, 8, 2)]
    for place, pushed in enumerate(blocks):
        held.push(pushed, now=10.0 * place)
    assert held.total == joined(blocks[3:])
    assert (held.requests, held.blocks) == (22, 4)


def test_the_oldest_leaves_only_when_those_after_it_are_enough() -> None:
    held = window(requests=30)
    for now in (0, 10, 20):
        held.push(block(14), now=now)
    assert held.requests == 42
    held.push(block(2), now=30)
    assert held.requests == 30


def test_one_block_of_a_busy_model_is_a_window() -> None:
    held = window(requests=30)
    for now in range(0, 100, 10):
        held.push(block(400), now=now)
    assert (held.requests, held.blocks) == (400, 1)


def test_a_request_an_hour_is_alone_and_gone_after_the_windows_time() -> None:
    held = window()
    for hour in range(3):
        for tick in range(360):
            now = 3600.0 * hour + 10 * tick
            held.push(block(1 if tick == 0 else 0), now=now)
            assert held.requests == (1 if tick < 6 else 0)


def test_what_is_too_old_leaves_without_a_push() -> None:
    held = window()
    held.push(block(5), now=0)
    held.push(block(6), now=30)
    held.expire(now=59.9)
    assert held.requests == 11
    held.expire(now=60)
    assert held.requests == 6
    held.expire(now=1000)
    assert held.total == Block()


@pytest.mark.parametrize(
    "times",
    [
        pytest.param([1000.0, 1, 2, 3, 4, 5, 6, 7, 8, 9], id="a clock set back"),
        pytest.param([0.0] * 10, id="a clock that stands still"),
        pytest.param([0.1 * tick for tick in range(10)], id="ticks that come too fast"),
    ],
)
def test_whatever_the_clock_does_there_are_at_most_as_many_blocks(times: list[float]) -> None:
    held = window(requests=1000)
    for now in times:
        held.push(block(2), now=now)
    assert held.blocks == 6
    assert held.total == joined([block(2)] * 6)


def test_a_pushed_block_may_be_used_afterwards() -> None:
    held, mine = window(), block(3)
    held.push(mine, now=0)
    mine.join(block(5))
    held.expire(now=100)
    assert held.total == Block()


def test_it_says_when_there_is_enough_to_be_scored() -> None:
    held = window(min_requests=5)
    held.push(block(4), now=0)
    assert not held.enough
    held.push(block(1), now=10)
    assert held.enough


@pytest.mark.parametrize(
    "requests,seconds,min_requests",
    [
        pytest.param(10, 0, 5, id="no age at all"),
        pytest.param(10, float("nan"), 5, id="age is no number"),
        pytest.param(10, 60, 11, id="more needed than it holds"),
        pytest.param(10, 60, 0, id="scored from nothing"),
    ],
)
def test_a_window_that_could_never_be_scored_is_refused(
    requests: int, seconds: float, min_requests: int
) -> None:
    with pytest.raises(ValueError, match="must be"):
        WindowLimits(requests, seconds, min_requests)


@pytest.mark.parametrize("interval", [0.0, -1.0, 61.0, float("nan")])
def test_an_interval_that_does_not_fit_the_window_is_refused(interval: float) -> None:
    with pytest.raises(ValueError, match="must be above 0 and at most the window's seconds"):
        Window(WindowLimits(30, 60.0, 1), interval=interval)
