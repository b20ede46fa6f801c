"""What is expected of vectors that did not help to make a whitening, and how young means begin."""

import numpy as np
import pytest

from tidegauge.drift.bank import Bank
from tidegauge.drift.row import Row
from tidegauge.drift.sketch import Sketch
from tidegauge.drift.whitening import Whitening
from tidegauge.traffic.texts.vectors import DIMENSIONS


def vectors(count: int, *, seed: int) -> np.ndarray:  # type: ignore[type-arg]
    """Around one of few topics each, with tails as text has them; as bytes of a row."""
    random = np.random.default_rng(seed)
    topics = np.random.default_rng(0).normal(size=(40, DIMENSIONS))
    near = topics[random.integers(0, len(topics), count)]
    far = random.standard_t(5, size=(count, DIMENSIONS))
    found = near + far
    return np.rint(100 * found / np.abs(found).max(axis=1, keepdims=True)).astype(np.int8)


def sketch_of(rows: np.ndarray) -> Sketch:  # type: ignore[type-arg]
    sketch = Sketch("chat")
    for second, row in enumerate(rows):
        sketch.add(Row((), (row.tobytes(), None)), at=1.8e9 + second)
    return sketch


@pytest.mark.parametrize("count", [300, 1000])
def test_new_vectors_have_the_squares_that_rows_held_out_foretell(count: int) -> None:
    sketch, other = sketch_of(vectors(count, seed=1)), sketch_of(vectors(2000, seed=2))
    whitening = Whitening(0, sketch, sketch.total)
    blocks = [block for _, block in other.blocks()]  # of 10 requests each
    sums = np.array([block.sums[0] for block in blocks], np.float64)
    requests = np.array([block.vectors[0] for block in blocks], np.float64)

    squares = (whitening.sums(sums, requests) ** 2).sum(axis=1) / requests / (1 + 10 / count)

    new = whitening.new
    assert squares.mean() == pytest.approx(new.expected, rel=0.06)
    assert squares.var() == pytest.approx(new.normal + new.peaked / 10, rel=0.5)
    assert whitening.own.expected < 0.9 * new.expected


def test_of_a_few_vectors_nothing_is_held_out_but_more_is_expected_of_new_ones() -> None:
    sketch = sketch_of(vectors(25, seed=3))
    whitening = Whitening(0, sketch, sketch.total)

    assert whitening.new.expected >= whitening.own.expected
    assert np.isfinite(whitening.new.peaked)


def test_a_mean_that_begins_as_usual_is_worth_as_much_as_after_a_long_time() -> None:
    sums, requests = np.array([[30.0, 10.0]]), np.array([10.0])
    begun, old = Bank([20.0, 200.0], 1, 2), Bank([20.0, 200.0], 1, 2)
    begun.begin(sums, requests, elapsed=10.0)
    for _ in range(400):
        old.add(sums, requests, elapsed=10.0)

    assert begun.means == pytest.approx(old.means)
    assert begun.inverse == pytest.approx(old.inverse)


def test_a_long_mean_is_not_moved_far_by_its_first_requests() -> None:
    bank = Bank([200.0], 1, 1)
    bank.begin(np.array([[0.0]]), np.array([10.0]), elapsed=10.0)
    bank.add(np.array([[10.0]]), np.array([10.0]), elapsed=10.0)

    assert bank.means[0, 0, 0] < 0.06
