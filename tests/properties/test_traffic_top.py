"""Laws of counters by name: they never fall, add up to everything, and name whoever is heavy."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tidegauge.traffic.counting.top import HALF_LIFE_EVENTS, PLACES_PER_NAME, SECONDS_PER_NAME, Top

# A few keys that come again and again, and many that hardly do; runs of one key are floods.
KEYS = st.one_of(st.sampled_from("abcdef"), st.integers(0, 500).map(str))
RUNS = st.lists(st.tuples(KEYS, st.integers(1, 60), st.integers(0, 5000)), max_size=60)


def events(runs: list[tuple[str, int, int]]) -> list[tuple[str, int]]:
    return [(key, amount) for key, times, amount in runs for _ in range(times)]


@given(top=st.integers(1, 5), runs=RUNS, pause=st.sampled_from([0.0, 0.5, 100.0]))
@settings(max_examples=60, deadline=None)
def test_counters_never_fall_and_what_they_grow_by_is_all_there_was(
    top: int, runs: list[tuple[str, int, int]], pause: float
) -> None:
    tallies = Top(top)
    grown: float = 0
    before: dict[str, float] = {}
    others_before: float = 0
    for number, (key, amount) in enumerate(events(runs)):
        tallies.add(key, amount, now=number * pause)
        now = tallies.named()
        grown += tallies.others - others_before
        # A series that begins, or begins again, is read from 0 on or from where it was.
        grown += sum(value - before.get(key, 0) for key, value in now.items() if key in before)
        new = {key: value for key, value in now.items() if key not in before}
        assert all(value >= amount for value in new.values())
        grown += amount * len(new)
        assert all(value >= before.get(key, 0) for key, value in now.items())
        assert tallies.others >= others_before
        assert len(now) <= top
        assert len(tallies._entries) <= PLACES_PER_NAME * top
        assert len(tallies._light) <= PLACES_PER_NAME * top
        before, others_before = now, tallies.others
    assert grown == sum(amount for _, amount in events(runs))


@given(top=st.integers(1, 5), runs=RUNS)
@settings(max_examples=60, deadline=None)
def test_whoever_has_more_than_its_share_of_what_is_recent_has_a_name(
    top: int, runs: list[tuple[str, int, int]]
) -> None:
    """Against weights that are kept for every key, and fade as they are said to."""
    tallies = Top(top)
    weights: dict[str, float] = {}
    fading = 0.5 ** (1 / (HALF_LIFE_EVENTS * top))
    for number, (key, amount) in enumerate(events(runs)):
        tallies.add(key, amount, now=number * SECONDS_PER_NAME)
        weights = {each: weight * fading for each, weight in weights.items()}
        weights[key] = weights.get(key, 0.0) + amount
        every = sum(weights.values())
        heavy = {each for each, weight in weights.items() if weight > every / top * (1 + 1e-9)}
        assert heavy <= tallies.named().keys()
