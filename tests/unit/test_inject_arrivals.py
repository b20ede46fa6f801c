"""Schedules as text, and arrivals that follow them."""

from itertools import islice, pairwise

import numpy as np
import pytest

from tidegauge.inject.arrivals import RateSchedule, parse_rates, poisson, replayed
from tidegauge.inject.schedule import ScheduleError, duration_seconds
from tidegauge.inject.trace import TraceError, read_trace

FOREVER = float("inf")


@pytest.mark.parametrize(
    "text,seconds", [("90s", 90), ("250ms", 0.25), ("1.5m", 90), ("2h", 7200), ("7", 7)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize(
    "at,rate", [(0, 2), (60, 2), (75, 5), (90, 8), (1000, 8)], ids=lambda value: f"{value}"
)
def test_a_rate_is_linear_between_points_and_holds_after_the_last(at: float, rate: float) -> None:
    assert parse_rates("0s:2,60s:2,90s:8").rate(at) == rate


@pytest.mark.parametrize(
    "text,message",
    [
        pytest.param("", "'' is no point", id="empty"),
        pytest.param("0s:2,", "'' is no point", id="a comma too many"),
        pytest.param("5s:2", "'5s:2': a schedule starts at 0s", id="starts late"),
        pytest.param("0s:2,9s:3,9s:4", "'9s:4': must be later", id="no later"),
        pytest.param("0s:2,9s:3,8s:4", "'8s:4': must be later", id="goes back"),
        pytest.param("0s:fast", "'fast' is no rate", id="rate is a word"),
        pytest.param("0s:2,soon:3", "'soon' is no duration", id="time is a word"),
        pytest.param("0s:-1", "rate -1: must be 0 or more", id="below zero"),
        pytest.param("0s:nan", "rate nan: must be 0 or more", id="no number"),
        pytest.param("0s:inf", "rate inf: must be 0 or more", id="without end"),
        pytest.param("0s:2,9s:", "'9s:' is no point", id="no value"),
    ],
)
def test_what_is_wrong_in_a_schedule_is_said(text: str, message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_rates(text)
    assert message in str(caught.value)


def test_arrivals_follow_the_rate_within_their_own_chance() -> None:
    schedule = parse_rates("0s:2,1000s:2,2000s:10,3000s:10")
    arrivals = np.array(list(poisson(schedule, np.random.default_rng(5), until=3000)))
    counts, _ = np.histogram(arrivals, bins=(0, 1000, 2000, 3000))
    for count, expected in zip(counts, (2000, 6000, 10_000), strict=True):
        assert abs(count - expected) < 4 * expected**0.5
    assert all(a < b for a, b in pairwise(arrivals))


def test_gaps_of_a_constant_rate_are_exponential() -> None:
    arrivals = list(poisson(parse_rates("4"), np.random.default_rng(6), until=5000))
    gaps = np.diff(arrivals)
    assert gaps.mean() == pytest.approx(0.25, rel=0.05)
    assert gaps.std() == pytest.approx(0.25, rel=0.05), "as wide as its mean: not evenly spaced"


def test_the_same_seed_gives_the_same_arrivals() -> None:
    first, second, other = (
        list(poisson(parse_rates("3"), np.random.default_rng(seed), until=60)) for seed in (1, 1, 2)
    )
    assert first == second != other


def test_a_rate_of_zero_sends_nothing_and_ends() -> None:
    assert list(poisson(parse_rates("0"), np.random.default_rng(1), until=60)) == []


def test_played_faster_there_are_as_many_in_less_time() -> None:
    day = RateSchedule(((0, 100.0), (86_400, 300.0)))
    minutes = day.played(speed=100, rate_factor=0.0001)
    assert minutes.points == ((0, pytest.approx(1.0)), (864, pytest.approx(3.0)))


def test_a_trace_keeps_its_moments() -> None:
    rng = np.random.default_rng(1)
    kept = replayed((0, 1, 4, 9, 16), rng, speed=2, keep=1, until=5)
    assert list(kept) == [0, 0.5, 2, 4.5]


def test_a_thinned_trace_keeps_its_share() -> None:
    rng = np.random.default_rng(1)
    kept = list(replayed(range(10_000), rng, speed=1, keep=0.2, until=FOREVER))
    assert len(kept) == pytest.approx(2000, rel=0.1)


def test_arrivals_are_lazy() -> None:
    endless = poisson(parse_rates("1000"), np.random.default_rng(1), until=FOREVER)
    assert len(list(islice(endless, 10))) == 10


def test_a_trace_of_requests_is_read_as_seconds_from_the_first() -> None:
    lines = (
        "TIMESTAMP,ContextTokens,GeneratedTokens",
        "2023-11-16 18:15:46.6805900,374,44",
        "2023-11-16 18:15:50.9951690,396,109",
        "2023-11-17 18:15:46.6805900,1,1",
    )
    assert read_trace(lines) == (0, pytest.approx(4.314579), 86_400)


def test_a_trace_of_rates_is_read_as_a_schedule() -> None:
    lines = ("t_s,req_per_s", "0,212.78", "600,179.7")
    assert read_trace(lines) == RateSchedule(((0, 212.78), (600, 179.7)))


@pytest.mark.parametrize(
    "lines,message",
    [
        pytest.param([], "line 1: header '' is unknown", id="empty"),
        pytest.param(["a,b", "1,2"], "header 'a,b' is unknown", id="another header"),
        pytest.param(["TIMESTAMP"], "no request in it", id="no request"),
        pytest.param(
            ["TIMESTAMP", "noon"], "line 2: 'noon' is no timestamp", id="a word for a time"
        ),
        pytest.param(
            ["TIMESTAMP", "2024-01-02", "2024-01-01"], "line 3: '2024-01-01' is before", id="back"
        ),
        pytest.param(["t_s,req_per_s", "0,x"], "line 2: 'x' is no number", id="a word for a rate"),
        pytest.param(["t_s,req_per_s", "0"], "line 2: None is no number", id="half a line"),
        pytest.param(["t_s,req_per_s", "0,-4"], "rate -4: must be 0 or more", id="below zero"),
        pytest.param(["t_s,req_per_s"], "starts at 0s", id="no rate"),
    ],
)
def test_what_is_wrong_in_a_trace_is_said(lines: list[str], message: str) -> None:
    with pytest.raises(TraceError) as caught:
        read_trace(lines)
    assert message in str(caught.value)
