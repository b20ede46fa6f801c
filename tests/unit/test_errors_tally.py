import json

import pytest

from tidegauge.errors.listing import listing
from tidegauge.errors.patterns import Pattern
from tidegauge.errors.tally import OTHER, Limits, Tally


def pattern(number: int) -> Pattern:
    return Pattern(f"p{number}", f"pattern {number}", "error")


def unnamed(tally: Tally) -> dict[str, int]:
    return {name: n for name, level, n in tally.totals() if level == "error" and n}


def test_patterns_beyond_the_limit_are_counted_as_other() -> None:
    tally = Tally(Limits(2, 0), 0)
    for number in (1, 1, 2, 3, 4, 1):
        tally.add("error", pattern(number), 1)
    assert unnamed(tally) == {"p1": 3, "p2": 1, OTHER: 2}


def test_the_idlest_series_gives_way_to_a_pattern_that_is_frequent() -> None:
    tally = Tally(Limits(1, 0), 0)
    tally.add("error", pattern(1), 0)
    for _ in range(20):
        tally.add("error", pattern(2), 3599)
    assert unnamed(tally) == {"p1": 1, OTHER: 20}
    tally.add("error", pattern(2), 3601)
    assert unnamed(tally) == {"p2": 1, OTHER: 20}


def test_nothing_is_new_while_it_learns() -> None:
    tally = Tally(Limits(5, 600), 1000)
    tally.add("error", pattern(1), 1599)
    assert tally.news() == ()
    tally.add("error", pattern(2), 1600)
    tally.add("error", pattern(2), 1601)
    tally.add("error", pattern(1), 1601)
    assert tally.new["error"] == 1
    assert tally.news() == ((pattern(2), 1),)
    assert tally.news() == ()


def test_known_patterns_and_levels_exist_from_the_start() -> None:
    tally = Tally(Limits(5, 600), 0)
    totals = {name: n for name, _, n in tally.totals()}
    assert totals["cuda_out_of_memory"] == totals["preemption"] == 0
    assert set(tally.levels.values()) == set(tally.new.values()) == {0}


def test_what_is_listed_is_bounded_and_the_latest() -> None:
    tally = Tally(Limits(5, 0), 0)
    for number in range(3000):
        tally.add("error", pattern(number), number)
    assert len(tally.listed()) == 1000
    assert {each.pattern.id for each in tally.listed()} == {f"p{n}" for n in range(2000, 3000)}


def test_the_list_says_what_how_often_and_when() -> None:
    tally = Tally(Limits(5, 0), 0)
    for now in (100.0, 110.0):
        tally.add("error", pattern(1), now)
    tally.add("error", pattern(2), 110.0)
    first, second = json.loads(listing(tally.listed(), 110.0))["patterns"]
    assert first == {
        "id": "p1",
        "pattern": "pattern 1",
        "severity": "error",
        "class": "",
        "runbook": "",
        "count": 2,
        "first_seen_timestamp_seconds": 100.0,
        "last_seen_timestamp_seconds": 110.0,
        "per_second": pytest.approx(2 / 300, rel=0.02),
    }
    assert second["id"] == "p2"
