"""Sketches: what several sidecars counted is what one would have counted."""

import numpy as np
import pytest

from tests.unit.drift_rows import random_rows
from tidegauge.drift.block import Block
from tidegauge.drift.packing import packed, packed_row, unpacked, unpacked_row
from tidegauge.drift.row import Row
from tidegauge.drift.sketch import SAMPLE_ROWS, Sketch

ROWS = random_rows(1200)
FEW = 64


def sketch_of(rows: list[tuple[float, Row]]) -> Sketch:
    sketch = Sketch("chat", max_blocks=FEW)
    for at, row in rows:
        sketch.add(row, at=at)
    return sketch


def assert_same(one: Sketch, other: Sketch) -> None:
    assert one.requests == other.requests
    assert (one.begin, one.end) == (other.begin, other.end)
    assert list(one.blocks()) == list(other.blocks())
    assert one.sample == other.sample
    assert all(np.array_equal(one.moments(place), other.moments(place)) for place in (0, 1))


def timed(seconds: float) -> list[tuple[float, Row]]:
    return [(1e9 + seconds * place, row) for place, row in enumerate(ROWS)]


def test_replicas_joined_are_one_sidecar() -> None:
    rows = timed(0.2)
    first, second, third = (sketch_of(rows[start::3]) for start in range(3))

    second.join(third)
    second.join(first)

    assert_same(second, sketch_of(rows))


def test_replicas_of_unlike_widths_are_one_sidecar() -> None:
    rows = timed(5.0)
    early, late = sketch_of(rows[:100]), sketch_of(rows)
    whole = sketch_of([*rows[:100], *rows])

    early.join(late)

    assert late.block_seconds > 10
    assert_same(early, whole)


def test_a_clock_that_is_set_back_adds_to_the_blocks_of_then() -> None:
    rows = timed(0.2)

    assert_same(sketch_of(rows[700:] + rows[:700]), sketch_of(rows))


def test_blocks_and_sample_are_bounded() -> None:
    sketch = sketch_of(timed(100.0))

    assert len(list(sketch.blocks())) <= FEW
    assert sketch.total.requests == sketch.requests == len(ROWS)


def test_the_sample_is_bounded() -> None:
    sketch = Sketch("chat")
    for place in range(SAMPLE_ROWS + 100):
        sketch.add(Row(ROWS[0].cells), at=float(place))

    assert len(sketch.sample) == SAMPLE_ROWS


def test_another_model_is_refused() -> None:
    with pytest.raises(ValueError, match="model 'code': is not 'chat'"):
        Sketch("chat").join(Sketch("code"))


def test_a_block_is_packed_and_unpacked() -> None:
    block = Block()
    for row in ROWS[:20]:
        block.add(row)

    assert unpacked(packed(block)) == block
    assert len(packed(block)) < 3000


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(ROWS[0], id="all is known of it"),
        pytest.param(Row((), (None, None)), id="nothing is"),
        pytest.param(Row((3, 700), (ROWS[0].vectors[0], None)), id="only the first vector"),
        pytest.param(Row((900,), (None, ROWS[0].vectors[1])), id="only the second vector"),
    ],
)
def test_a_row_is_packed_and_unpacked(row: Row) -> None:
    assert unpacked_row(packed_row(row)) == row


def test_what_leaves_a_block_was_never_there() -> None:
    block, other, both = Block(), Block(), Block()
    for row in ROWS[:20]:
        block.add(row)
        both.add(row)
    for row in ROWS[20:30]:
        other.add(row)
        both.add(row)

    both.leave(other)

    assert both == block
