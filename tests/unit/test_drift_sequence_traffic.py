"""Sequences over hours of made traffic: budgets, incidents, and traffic of odd kinds."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from tests.unit.drift_references import reference_of
from tests.unit.drift_rows import random_rows
from tests.unit.drift_traffic import (
    BEGIN,
    Cells,
    block_of,
    cells_of,
    learned,
    mixed,
    steady,
    traffic,
    wandering,
    watched,
)
from tidegauge.drift.block import Block
from tidegauge.drift.cells import CELLS, CHANNELS
from tidegauge.drift.reference import Reference, merged
from tidegauge.drift.row import Row
from tidegauge.drift.sequence import Sequence
from tidegauge.drift.sketch import Sketch
from tidegauge.thresholds.levels import LEVELS, threshold

HOUR = 3600.0
HOUR_TICKS = 360
MONTHS = 60 * 86400.0


def sequence_of(reference: Reference, *, budget_seconds: float = HOUR) -> Sequence:
    return Sequence(reference, tick_seconds=10, budget_seconds=budget_seconds)


def sound(sequence: Sequence) -> bool:
    """All numbers are finite, thresholds above 0."""
    all_of = (*sequence.sides.values(), *sequence.channels.values())
    return all(np.isfinite((e.value, e.ratio)).all() and e.threshold > 0 for e in all_of)


def steadily(shares: Cells, ticks: int, rng: np.random.Generator) -> Cells:
    del rng
    return steady(shares, ticks)


@pytest.mark.parametrize("course", [steadily, wandering], ids=["steady", "wandering"])
def test_false_alarms_keep_to_the_budget(
    course: Callable[[Cells, int, np.random.Generator], Cells],
) -> None:
    hours, budget_seconds, alarms, seeds = 3, 1800.0, 0, 2

    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        shares = cells_of(rng)
        sequence = sequence_of(
            learned(traffic(course(shares, 2 * HOUR_TICKS, rng), rng)),
            budget_seconds=budget_seconds,
        )
        watched(sequence, traffic(course(shares, hours * HOUR_TICKS, rng), rng))
        alarms += sum(sequence.alarms.values())

    expected = seeds * 2 * hours * HOUR / budget_seconds
    assert expected / 2 <= alarms <= 2 * expected


def test_a_short_steady_reference_makes_no_hair_trigger_at_a_small_budget() -> None:
    rng = np.random.default_rng(8)
    shares = cells_of(rng)
    sequence = sequence_of(learned(traffic(steady(shares, HOUR_TICKS), rng)), budget_seconds=MONTHS)

    watched(sequence, traffic(steady(shares, 3 * HOUR_TICKS), rng))

    assert not any(sequence.alarms.values())


def test_incidents_do_not_hide_the_next_and_a_lasting_shift_is_one_alarm() -> None:
    rng = np.random.default_rng(5)
    shares, other = cells_of(rng), cells_of(rng)
    sequence = sequence_of(
        learned(traffic(steady(shares, 2 * HOUR_TICKS), rng)), budget_seconds=MONTHS
    )
    incident = steady(mixed(shares, other, 0.7), 60)

    at, seen = 0.0, []
    for _ in range(6):
        at = watched(sequence, traffic(steady(shares, 240), rng), begin=at)
        before = dict(sequence.alarms)
        at = watched(sequence, traffic(incident, rng), begin=at)
        seen.append({side: n - before[side] for side, n in sequence.alarms.items()})
    at = watched(sequence, traffic(steady(shares, 240), rng), begin=at)
    before = dict(sequence.alarms)
    watched(sequence, traffic(steady(mixed(shares, other, 0.7), 2 * HOUR_TICKS), rng), begin=at)

    assert seen == [{"inputs": 1, "outputs": 1}] * 6
    assert sequence.alarms == {side: n + 1 for side, n in before.items()}
    assert all(evidence.alarm for evidence in sequence.sides.values())


def test_more_of_other_traffic_gives_more_evidence() -> None:
    shares, other = cells_of(np.random.default_rng(1)), cells_of(np.random.default_rng(2))
    reference = learned(traffic(steady(shares, HOUR_TICKS), np.random.default_rng(3)))

    found = []
    for part in (0.0, 0.1, 0.2, 0.4, 0.8):
        sequence = sequence_of(reference, budget_seconds=MONTHS)
        shifted = steady(mixed(shares, other, part), 30)
        watched(sequence, traffic(shifted, np.random.default_rng(4)))
        found.append([evidence.value for evidence in sequence.sides.values()])

    assert (np.diff(found, axis=0) > 0).all()


def test_a_channel_that_is_constant_is_quiet_however_many_alarms_the_budget_has() -> None:
    rng = np.random.default_rng(1)
    shares, constant = cells_of(rng), next(c for c in CHANNELS if c.name == "answer_refusal")
    shares[constant.place] = [1.0, 0.0]
    sequence = sequence_of(learned(traffic(steady(shares, HOUR_TICKS), rng)), budget_seconds=600)

    watched(sequence, traffic(steady(shares, HOUR_TICKS), rng))

    assert not sequence.channels[constant.name].alarm
    assert sequence.channels[constant.name].ratio < 1


def test_a_threshold_is_above_what_never_begins_again() -> None:
    once = np.where(LEVELS < 0.84, 1.0, 0.0)

    assert threshold(once, 1.5) >= 0.84


def test_a_channel_that_is_absent_is_left_out_and_no_channel_at_all_is_no_side() -> None:
    shares, rng = cells_of(np.random.default_rng(1)), np.random.default_rng(2)
    blocks = traffic(steady(shares, 60), rng)
    for block in blocks:
        block.counts[CHANNELS[0].place] = 0
    without = sequence_of(learned(blocks))
    empty = sequence_of(learned([block_of(np.zeros(CELLS, np.int64), 5) for _ in range(40)]))

    watched(without, traffic(steady(shares, 60), rng))
    watched(empty, blocks[:5])

    assert CHANNELS[0].name not in without.channels
    assert sound(without)
    assert not empty.sides
    assert not empty.channels


@pytest.mark.parametrize(
    "requests, width",
    [(1.0, 3600.0), (5000.0, 10.0)],
    ids=["one an hour", "five hundred a second"],
)
def test_the_rate_of_requests_may_be_anything(requests: float, width: float) -> None:
    shares, rng = cells_of(np.random.default_rng(1)), np.random.default_rng(2)
    reference = learned(traffic(steady(shares, 150), rng, requests=requests), width=width)
    sequence = sequence_of(reference, budget_seconds=MONTHS)

    for place, block in enumerate(traffic(steady(shares, 60), rng, requests=requests)):
        sequence.tick(block, now=place * width)

    assert sound(sequence)
    assert not any(sequence.alarms.values())


def test_nights_without_requests_are_no_alarm() -> None:
    shares, rng = cells_of(np.random.default_rng(1)), np.random.default_rng(2)
    sketch = Sketch("chat")
    for day in range(3):
        for place, block in enumerate(traffic(steady(shares, 100), rng)):
            sketch.restore_block(BEGIN + 86400.0 * day + 10 * place, block)
    sketch.restore_span(BEGIN, BEGIN + 3 * 86400)
    sequence = sequence_of(Reference.of(sketch, made_by="0.1.0"), budget_seconds=MONTHS)

    for day in range(2):
        watched(sequence, traffic(steady(shares, 60), rng), begin=86400.0 * day)

    assert sound(sequence)
    assert not any(sequence.alarms.values())


def test_a_reference_without_times_is_watched_by_requests() -> None:
    shares, rng = cells_of(np.random.default_rng(1)), np.random.default_rng(2)
    reference = learned(traffic(steady(shares, 100), rng), begin=0.0)
    sequence = sequence_of(reference, budget_seconds=MONTHS)

    watched(sequence, traffic(steady(shares, 60), rng, requests=0.3))

    assert not reference.timed
    assert sound(sequence)
    assert not any(sequence.alarms.values())


def test_a_reference_shorter_than_a_tick_is_enough_to_start() -> None:
    shares, rng = cells_of(np.random.default_rng(1)), np.random.default_rng(2)
    reference = learned(traffic(steady(shares, 3), rng, requests=50.0))

    sequence = Sequence(reference, tick_seconds=600, budget_seconds=MONTHS)
    watched(sequence, traffic(steady(shares, 3), rng))

    assert sound(sequence)


def test_a_clock_that_jumps_does_no_harm() -> None:
    shares, rng = cells_of(np.random.default_rng(1)), np.random.default_rng(2)
    sequence = sequence_of(learned(traffic(steady(shares, HOUR_TICKS), rng)), budget_seconds=MONTHS)

    for begin in (5e6, 0.0, 9e9, 100.0):
        watched(sequence, traffic(steady(shares, 30), rng), begin=begin)

    assert sound(sequence)
    assert not any(sequence.alarms.values())


def test_vectors_that_few_requests_have_are_sound() -> None:
    rows = random_rows(800, seed=9)
    sparse = [
        row if place % 20 == 0 else Row(row.cells, (None, None)) for place, row in enumerate(rows)
    ]
    sequence = sequence_of(reference_of(sparse[:600]), budget_seconds=MONTHS)

    watched(sequence, [_block(sparse[n : n + 10]) for n in range(600, 800, 10)])

    assert "answer_style" in sequence.channels
    assert sound(sequence)
    assert not any(sequence.alarms.values())


def test_references_of_replicas_make_the_sequence_that_one_of_all_makes() -> None:
    rows = random_rows(300, seed=6)
    whole, parts = Sketch("chat"), (Sketch("chat"), Sketch("chat"))
    for place, row in enumerate(rows):
        whole.add(row, at=BEGIN + 3 * place)
        parts[place % 2].add(row, at=BEGIN + 3 * place)
    one = sequence_of(Reference.of(whole, made_by="0.1.0"))
    both = sequence_of(
        merged([Reference.of(part, made_by="0.1.0") for part in parts], made_by="0.1.0")
    )

    # The order within a tick is another, too.
    watched(one, [_block(rows[n : n + 10]) for n in range(0, 100, 10)])
    watched(both, [_block(rows[n : n + 10][::-1]) for n in range(0, 100, 10)])

    assert one.sides == both.sides
    assert one.channels == both.channels
    assert one.state() == both.state()


@pytest.mark.parametrize("other", ["budget", "reference"])
def test_the_state_of_another_is_left_alone(other: str) -> None:
    shares, rng = cells_of(np.random.default_rng(1)), np.random.default_rng(2)
    reference = learned(traffic(steady(shares, 100), rng))
    another = learned(traffic(steady(shares, 100), rng)) if other == "reference" else reference
    before = sequence_of(another, budget_seconds=1800 if other == "budget" else HOUR)
    watched(before, traffic(steady(shares, 100), rng))
    after = sequence_of(reference)
    at_start = after.sides

    after.restore(json.loads(json.dumps(before.state())))

    assert after.sides == at_start


def test_a_total_is_never_one_of_before_a_request_was_added() -> None:
    sketch, rows = Sketch("chat"), random_rows(3)
    sketch.add(rows[0], at=BEGIN)
    first = sketch.total

    sketch.add(rows[1], at=BEGIN)
    copied = sketch.copy()
    copied.add(rows[2], at=BEGIN)

    assert (first.requests, sketch.total.requests, copied.total.requests) == (1, 2, 3)


def _block(rows: list[Row]) -> Block:
    block = Block()
    for row in rows:
        block.add(row)
    return block
