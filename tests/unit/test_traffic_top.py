"""Who counts most, by name: what is exact, what is remembered, and how fast a newcomer shows."""

import pytest

from tidegauge.traffic.counting.top import HALF_LIFE_EVENTS, PLACES_PER_NAME, SECONDS_PER_NAME, Top


def added(top: Top, *keys: str, amount: float = 1, now: float = 0) -> Top:
    for key in keys:
        top.add(key, amount, now=now)
    return top


def test_the_first_have_their_names_at_once_and_the_next_are_others() -> None:
    top = added(Top(2), "a", "b", "c", "a")
    assert top.named() == {"a": 2, "b": 1}
    assert top.others == 1


@pytest.mark.parametrize("before", [0, 100, 5000])
def test_a_newcomer_that_floods_shows_within_two_half_lives_of_a_name(before: int) -> None:
    """However long others have been there, and however much they had."""
    top = Top(10)
    for number in range(before):
        top.add(f"old{number % 10}", 1, now=number)
    added(top, *["new"] * 2 * HALF_LIFE_EVENTS, now=before)
    assert "new" in top.named()
    assert top.named()["new"] + top.others == 2 * HALF_LIFE_EVENTS


def test_a_key_counts_on_from_where_it_was_when_it_gets_its_name_back() -> None:
    top = added(Top(1), *["a"] * 9)
    added(top, *["b"] * 100)
    assert list(top.named()) == ["b"]
    before = top.others
    added(top, *["a"] * 200, now=SECONDS_PER_NAME)
    (found,) = top.named().items()
    assert found[0] == "a"
    assert 9 < found[1] == 209 - (top.others - before)


def test_many_keys_of_equal_weight_take_no_name_from_another() -> None:
    top = Top(10)
    for number in range(20_000):
        top.add(f"k{number % 1000}", 1, now=number)
    assert set(top.named()) == {f"k{number}" for number in range(10)}


def test_names_are_handed_out_no_faster_than_series_may_be_made() -> None:
    """A client that is another one each time it has flooded for a while."""
    top = Top(10)
    seen: set[str] = set()
    for number in range(60_000):
        top.add(f"k{number // 100}", 1, now=number / 100)
        seen |= top.named().keys()
    minutes = 600 / SECONDS_PER_NAME
    assert 10 + 10 <= len(seen) <= 10 + 10 + minutes


def test_a_crowd_that_comes_once_each_takes_no_name_from_anybody() -> None:
    top = Top(10)
    for number in range(20_000):
        top.add(f"k{number}", 1, now=number)
    assert set(top.named()) == {f"k{number}" for number in range(10)}


def test_a_client_in_a_crowd_shows_though_others_were_there_first() -> None:
    """Each of the crowd pushes the lightest out, which the newcomer is at first."""
    top = Top(10)
    places = 10 * PLACES_PER_NAME
    for number in range(8 * places):
        top.add(f"old{number % places}", 1, now=0)
    for number in range(150):
        added(top, "new", f"once{number}")
    assert "new" in top.named()


def test_it_goes_on_beyond_what_a_float_holds() -> None:
    top = Top(1)
    events = 30 * 1024 * HALF_LIFE_EVENTS // 10
    for number in range(events):
        top.add("ab"[number % 2], 1e9, now=number)
    assert sum(top.named().values()) + top.others == events * 1e9
    added(top, *["c"] * 200, amount=1e9, now=1e9)
    assert "c" in top.named()


def test_what_is_remembered_is_bounded() -> None:
    top = Top(3)
    for number in range(5000):
        top.add(f"k{number}", 1, now=0)
    assert len(top._entries) == len(top._light) + len(top.named()) <= 3 * PLACES_PER_NAME
