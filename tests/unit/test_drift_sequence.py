"""Sequences: evidence, thresholds and alarms of a model's requests in order of time."""

import json

import numpy as np
import pytest

from tests.unit.drift_references import reference_of
from tests.unit.drift_rows import random_rows
from tidegauge.drift.block import Block
from tidegauge.drift.cells import NAMES, SIDES
from tidegauge.drift.sequence import Sequence

DAY = 86400.0


def block_of(rows: list) -> Block:  # type: ignore[type-arg]
    block = Block()
    for row in rows:
        block.add(row)
    return block


def test_a_short_reference_gives_no_alarm_on_more_of_the_same() -> None:
    rows = random_rows(700, seed=3)
    sequence = Sequence(reference_of(rows[:100], step=1.2), tick_seconds=10, budget_seconds=DAY)

    for place in range(70):
        sequence.tick(block_of(rows[place * 10 : place * 10 + 10]), now=10.0 * place)

    assert set(sequence.sides) == set(SIDES)
    assert set(sequence.channels) == set(NAMES)
    assert dict(sequence.alarms) == {"inputs": 0, "outputs": 0}
    assert all(np.isfinite(evidence.ratio) for evidence in sequence.channels.values())


def test_a_restart_keeps_what_thresholds_have_learned() -> None:
    rows = random_rows(2000, seed=4)
    reference = reference_of(rows[:900])
    before = Sequence(reference, tick_seconds=10, budget_seconds=3600)
    for place in range(300):
        before.tick(block_of(rows[place * 6 : place * 6 + 6]), now=10.0 * place)

    after = Sequence(reference, tick_seconds=10, budget_seconds=3600)
    after.restore(json.loads(json.dumps(before.state())))

    at_rest = [side for side in SIDES if not before.sides[side].alarm]
    assert at_rest  # while an alarm is on, its threshold stays; a new sequence is not in one
    for side in at_rest:
        # What still waited to be counted is lost.
        assert after.sides[side].threshold == pytest.approx(before.sides[side].threshold, rel=0.1)
