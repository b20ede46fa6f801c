"""A window keeps the latest, by number and by age, and its counts are those of what it holds."""

import pytest

from tidegauge.drift.window import Window, WindowLimits


def window(*, requests: int = 3, seconds: float = 10.0) -> Window:
    return Window(2, WindowLimits(requests, seconds, min_requests=1))


def test_over_the_limit_the_oldest_leaves() -> None:
    held = window()
    for weights in ((1.0, 0.0), (0.0, 1.0), (0.0, 1.0), (0.5, 0.5)):
        held.push(weights, now=0)
    assert held.requests == 3
    assert held.counts == (0.5, 2.5)


def test_what_is_older_than_the_limit_leaves() -> None:
    held = window()
    held.push((1.0, 0.0), now=0)
    held.push((0.0, 1.0), now=5)
    held.expire(now=10)
    assert held.requests == 2
    held.expire(now=10.1)
    assert held.counts == (0.0, 1.0)
    held.expire(now=100)
    assert (held.requests, held.counts) == (0, (0.0, 0.0))


def test_differences_of_shares_do_not_pile_up() -> None:
    held = window(requests=7)
    for number in range(10_001):
        held.push((1 / (number % 7 + 2), 1 - 1 / (number % 7 + 2)), now=number)
        held.expire(now=number)
    assert sum(held.counts) == pytest.approx(held.requests, abs=1e-12)
    assert held.counts[0] == pytest.approx(sum(1 / k for k in range(2, 9)), abs=1e-12)


def test_a_clock_set_back_keeps_the_window_bounded() -> None:
    held = window()
    for now in (1000, 1, 2, 3, 4):
        held.push((1.0, 0.0), now=now)
        held.expire(now=now)
    assert held.requests == 3
    assert held.counts == (3.0, 0.0)


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
