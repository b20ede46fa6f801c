"""A worker that restarts takes away nothing that was counted; an engine that restarts shows it."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegauge.catalog import inference as ours
from tidegauge.engines import ENGINES, Dialect, RawFamily, RawSeries, Rule, engine_named, translate
from tidegauge.engines.continuity import Continuity, continued
from tidegauge.engines.worker_loss import Carried
from tidegauge.samples import Distribution, Sample
from tidegauge.sources.engine_text import parse

FIXTURES = Path(__file__).parents[1] / "fixtures" / "engines"
BOUNDS = ("1.0", "+Inf")

ENGINE = Dialect(
    name="e",
    fingerprint=("e:tokens_total",),
    model_label="model",
    rank_label="rank",
    rules=(
        Rule(("e:tokens_total",), ours.GENERATION_TOKENS),
        Rule(("e:busy_seconds_total",), ours.GENERATION_SECONDS),
        Rule(("e:done_total",), ours.REQUESTS_FINISHED, labels=(("why", "reason"),)),
        Rule(("e:ttft_ms",), ours.TIME_TO_FIRST_TOKEN, scale=0.001),
        Rule(("e:ttft_ms",), ours.PROMPT_SECONDS, part="sum", scale=0.001),
        Rule(("e:running",), ours.REQUESTS_RUNNING),
    ),
)

Rows = Sequence[RawSeries]


def row(name: str, value: float, **labels: str) -> RawSeries:
    return RawSeries(f"e:{name}", value, tuple(labels.items()))


def tokens(**workers: float) -> Rows:
    return [row("tokens_total", value, worker=name) for name, value in workers.items()]


def ttft(**workers: tuple[float, float, float]) -> Rows:
    """Per worker: observations up to 1 ms, all of them, and their sum."""
    return [
        each
        for name, (low, count, total) in workers.items()
        for each in (
            row("ttft_ms_bucket", low, worker=name, le="1.0"),
            row("ttft_ms_bucket", count, worker=name, le="+Inf"),
            row("ttft_ms_count", count, worker=name),
            row("ttft_ms_sum", total, worker=name),
        )
    ]


def read(*readings: Rows, dialect: Dialect = ENGINE) -> list[tuple[Sample, ...]]:
    """What is said after each reading."""
    state, said = Continuity(), []
    for rows in readings:
        families, state = continued([RawFamily("e", tuple(rows))], dialect, state)
        said.append(translate(families, dialect, model=""))
    return said


def values(*readings: Rows) -> list[float | None]:
    """The one counter after each reading; None where it is absent."""
    return [next((s.value for s in said), None) for said in read(*readings)]


@pytest.mark.parametrize(
    "readings, expected",
    [
        pytest.param([tokens(a=5, b=7), tokens(a=6, b=7)], [12, 13], id="nothing happens"),
        pytest.param(
            [tokens(a=5, b=7), tokens(a=0, b=8), tokens(a=3, b=9)],
            [12, 13, 17],
            id="one restarts, and counts on",
        ),
        pytest.param([tokens(a=5, b=7), tokens(b=8), tokens(b=9)], [12, 13, 14], id="one vanishes"),
        pytest.param(
            [tokens(a=5, b=7), tokens(b=8), tokens(a=6, b=9)],
            [12, 13, 15],
            id="one vanishes and comes back as it was",
        ),
        pytest.param(
            [tokens(a=5, b=7), tokens(b=8), tokens(a=1, b=9)],
            [12, 13, 15],
            id="one vanishes and comes back from nothing",
        ),
        pytest.param(
            [tokens(a=5, b=7), tokens(b=7, c=2), tokens(b=7, c=3)],
            [12, 14, 15],
            id="one is replaced under another name",
        ),
        pytest.param(
            [tokens(a=5, b=7), tokens(a=1, b=7), tokens(a=1, b=2), tokens(a=2, b=9)],
            [12, 13, 15, 23],
            id="one after the other restarts",
        ),
        pytest.param(
            [tokens(a=5, b=7), tokens(a=0, b=2), tokens(a=1, b=2)],
            [12, 2, 3],
            id="all restart: an ordinary reset",
        ),
        pytest.param(
            [tokens(a=5, b=0), tokens(a=2, b=0)],
            [5, 2],
            id="all that had counted restart",
        ),
        pytest.param(
            [tokens(a=5, b=7), tokens(a=1, b=8), tokens(a=0, b=1), tokens(a=2, b=2)],
            [12, 14, 1, 4],
            id="all restart after one: nothing is carried any more",
        ),
        pytest.param(
            [tokens(a=5, b=7), [], tokens(a=6, b=1)],
            [12, None, 14],
            id="one restarts while nothing is said",
        ),
        pytest.param(
            [tokens(a=5, b=7), tokens(b=7), [], tokens(b=8)],
            [12, 12, None, 13],
            id="what is carried outlasts a reading without the counter",
        ),
        pytest.param([tokens(a=5, b=7), tokens(c=1, d=1)], [12, 2], id="all are replaced: a reset"),
        pytest.param(
            [tokens(a=5, b=7), tokens(a=math.nan, b=7), tokens(a=6, b=8)],
            [12, None, 14],
            id="a row that is no number for once is neither lost nor heard",
        ),
        pytest.param([tokens(a=5), tokens(a=1)], [5, 1], id="a sole row is left alone"),
    ],
)
def test_a_counter_goes_on(readings: list[Rows], expected: list[float | None]) -> None:
    assert values(*readings) == expected


def test_a_histogram_is_carried_as_a_whole() -> None:
    first, second, third = read(
        ttft(a=(2, 4, 10.0), b=(1, 1, 0.5)), ttft(a=(0, 1, 3.0), b=(1, 2, 8.5)), ttft(b=(1, 2, 8.5))
    )
    assert [whole(said) for said in (first, second, third)] == [
        ([3, 5], 0.0105),
        ([3, 7], 0.0215),
        ([3, 7], 0.0215),
    ]


def whole(said: Sequence[Sample]) -> tuple[list[float], float]:
    histogram = next(s.value for s in said if s.metric is ours.TIME_TO_FIRST_TOKEN)
    assert isinstance(histogram, Distribution)
    part = next(s.value for s in said if s.metric is ours.PROMPT_SECONDS)
    assert part == pytest.approx(histogram.sum), "the sum is the histogram's own"
    return [count for _, count in histogram.buckets], pytest.approx(histogram.sum)


def test_a_histogram_whose_buckets_change_starts_anew_rather_than_half_adjusted() -> None:
    other = [
        row("ttft_ms_bucket", 1, worker="a", le="2.0"),
        row("ttft_ms_bucket", 1, worker="a", le="+Inf"),
        row("ttft_ms_count", 1, worker="a"),
        row("ttft_ms_sum", 1.5, worker="a"),
    ]
    *_, last = read(ttft(a=(2, 4, 10.0), b=(1, 1, 0.5)), ttft(b=(1, 1, 0.5)), other)
    assert whole(last) == ([1, 1], 0.0015)


def test_a_sum_that_falls_by_what_is_below_zero_is_no_restart() -> None:
    *_, last = read(ttft(a=(2, 4, 10.0), b=(1, 1, 0.5)), ttft(a=(3, 5, 9.0), b=(1, 1, 0.5)))
    assert whole(last) == ([4, 6], 0.0095)


def test_labels_that_are_kept_part_the_siblings() -> None:
    def done(**counts: float) -> Rows:
        return [row("done_total", n, why=w, worker=w) for w, n in counts.items()]

    *_, last = read(done(stop=5, length=7), done(stop=1, length=8))
    assert {s.labels[-1]: s.value for s in last} == {"stop": 1, "length": 8}
    *_, last = read(done(stop=5, length=7), done(length=8))
    assert {s.labels[-1]: s.value for s in last} == {"length": 8}, "a series that ended is not kept"


@pytest.mark.parametrize("label", ["model", "rank"])
def test_models_and_ranks_are_no_siblings(label: str) -> None:
    def rows(**counts: float) -> Rows:
        return [row("tokens_total", n, **{label: name}) for name, n in counts.items()]

    *_, last = read(rows(a=5, b=7), rows(a=1, b=7))
    assert sorted(s.value for s in last) == [1, 7]


def test_a_gauge_is_never_touched() -> None:
    def running(**workers: float) -> Rows:
        return [row("running", n, worker=name) for name, n in workers.items()]

    assert values(running(a=5, b=7), running(a=1, b=7), running(b=2)) == [12, 8, 2]


def test_copies_are_no_siblings() -> None:
    # Tensor-parallel workers repeat one fact: the largest counts, and none makes up for another.
    dialect = replace(ENGINE, copies=("worker",))
    said = read(tokens(a=5, b=7), tokens(b=7), tokens(a=1, b=8), dialect=dialect)
    assert [one[0].value for one in said] == [7, 7, 8]


def test_rows_of_which_the_largest_counts_are_left_alone() -> None:
    largest = Rule(("e:tokens_total",), ours.GENERATION_TOKENS, join="max")
    dialect = replace(ENGINE, rules=(largest,))
    said = read(tokens(a=5, b=7), tokens(a=6), dialect=dialect)
    assert [one[0].value for one in said] == [7, 6]


def test_another_dialect_starts_anew() -> None:
    state = Continuity()
    _, state = continued([RawFamily("e", tuple(tokens(a=5, b=7)))], ENGINE, state)
    _, state = continued([RawFamily("e", tuple(tokens(b=7)))], engine_named("vllm"), state)
    after, _ = continued([RawFamily("e", tuple(tokens(b=7)))], ENGINE, state)
    assert translate(after, ENGINE, model="")[0].value == 7


@pytest.mark.parametrize("dialect", ENGINES, ids=lambda dialect: dialect.name)
def test_captures_without_a_reset_pass_unchanged(dialect: Dialect) -> None:
    state = Continuity()
    for path in sorted(FIXTURES.glob(f"{dialect.name}-*/*.prom")):
        families = parse(path.read_bytes())
        first, state = continued(families, dialect, Continuity())
        again, state = continued(families, dialect, state)
        assert first == again == families


# Laws

NAMES = st.sampled_from("abcd")
COUNTS = st.dictionaries(NAMES, st.integers(0, 50), min_size=1, max_size=4)
# Per count, so that sums have to be rounded; whole milliseconds do as well, once they are seconds.
SECONDS = {"a": 0.1, "b": 1 / 3, "c": 7, "d": 1e9 / 7}


@given(steps=st.lists(COUNTS, max_size=8))
def test_without_resets_output_is_input(steps: list[Mapping[str, int]]) -> None:
    state, counted = Continuity(), dict.fromkeys("abcd", 0)
    for growth in steps:
        counted |= {name: counted[name] + n for name, n in growth.items()}
        families = (RawFamily("e", tuple(all_rows(counted))),)
        after, state = continued(families, ENGINE, state)
        assert after == families


@settings(max_examples=200)
@given(steps=st.lists(st.tuples(COUNTS, st.sets(NAMES), st.sets(NAMES)), min_size=1, max_size=12))
def test_nothing_falls_unless_all_rows_restarted(
    steps: list[tuple[Mapping[str, int], set[str], set[str]]],
) -> None:
    """Workers count, some restart, some are silent; what comes out never dips."""
    state = Continuity()
    counted: dict[str, int] = {}
    life: dict[str, int] = {}  # what was last heard of each since the engine began
    before: dict[str, float] = {}
    for growth, restarting, silent in steps:
        counted |= {name: counted.get(name, 0) + n for name, n in growth.items()}
        counted |= dict.fromkeys(restarting & counted.keys(), 0)
        heard = {name: n for name, n in counted.items() if name not in silent}
        if not heard:
            continue
        families, state = continued([RawFamily("e", tuple(all_rows(heard)))], ENGINE, state)
        now = numbers(translate(families, ENGINE, model=""))
        if life and not any(heard[k] >= n > 0 for k, n in life.items() if k in heard):
            life, before = {}, {}  # whoever had counted anything is at less, or silent
        for key, value in now.items():
            assert value >= before.get(key, 0), key
        before |= now
        life |= heard


def all_rows(counted: Mapping[str, int]) -> Rows:
    return [
        each
        for name, n in counted.items()
        for each in (
            row("tokens_total", n, worker=name),
            row("busy_seconds_total", n * SECONDS[name], worker=name),
            row("ttft_ms_bucket", n, worker=name, le="+Inf"),
            row("ttft_ms_count", n, worker=name),
            row("ttft_ms_sum", n * SECONDS[name], worker=name),
        )
    ]


def numbers(said: Sequence[Sample]) -> dict[str, float]:
    found: dict[str, float] = {}
    for sample in said:
        if isinstance(sample.value, Distribution):
            found |= {"count": sample.value.count, "sum": sample.value.sum}
        else:
            found[sample.metric.name] = sample.value
    return found


def test_what_is_remembered_is_bounded() -> None:
    state = Continuity()
    for n in range(1000):
        rows = [row("tokens_total", 5, worker="stays"), row("tokens_total", 1, worker=f"w{n}")]
        families, state = continued([RawFamily("e", tuple(rows))], ENGINE, state)
    (carried,) = state.known["e:tokens_total"].carried.values()
    assert isinstance(carried, Carried)
    assert len(carried.last) + len(carried.gone) < 12
    assert translate(families, ENGINE, model="")[0].value == 1005


def test_a_thousand_rows_take_about_a_millisecond() -> None:
    vllm, text = engine_named("vllm"), (FIXTURES / "vllm-0.32" / "load.prom").read_text()
    families = parse(
        "".join(
            text.replace('engine="0"', f'engine="{rank}"').partition("# EOF")[0] for rank in "0123"
        ).encode()
    )
    assert sum(len(family.series) for family in families) > 1000
    _, state = continued(families, vllm, Continuity())
    took = []
    for _ in range(20):
        began = time.perf_counter()
        _, state = continued(families, vllm, state)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.005, "a multiple of what it takes, for slow machines"
