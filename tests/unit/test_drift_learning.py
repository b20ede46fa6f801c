"""Learning a reference: long enough and of enough requests, whatever the wall clock does."""

from tests.unit.drift_rows import random_rows
from tidegauge.drift.learning import Learning
from tidegauge.drift.sketch import Sketch

ROWS = random_rows(100)
DAY = 86_400.0


def learning(*, seconds: float = DAY, requests: int = 100) -> Learning:
    return Learning(Sketch("chat"), seconds=seconds, requests=requests)


def test_it_takes_time_and_requests() -> None:
    few, short = learning(requests=101), learning()
    for row in ROWS:
        few.add(row, at=0.0)
        short.add(row, at=0.0)
    few.pass_time(DAY)
    short.pass_time(DAY / 4)

    assert (few.ratio, few.is_over) == (100 / 101, False)
    assert (short.ratio, short.is_over) == (0.25, False)


def test_a_wall_clock_that_jumps_ahead_does_not_end_it() -> None:
    one = learning()
    for place, row in enumerate(ROWS):
        one.add(row, at=place * DAY)
    one.pass_time(60.0)

    assert one.ratio == 60.0 / DAY


def test_time_before_the_first_request_does_not_count() -> None:
    one = learning()
    one.pass_time(2 * DAY)
    one.add(ROWS[0], at=0.0)

    assert one.ratio == 0.0


def test_what_was_learned_before_a_restart_counts() -> None:
    before = Sketch("chat")
    for place, row in enumerate(ROWS):
        before.add(row, at=1e9 + place * DAY / 99)

    assert Learning(before, seconds=DAY, requests=100).is_over
