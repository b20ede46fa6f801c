"""The joint score: what chance gives, what a shift gives, and poor references."""

from math import isfinite

import pytest

from tests.unit.drift_rows import random_rows
from tidegauge.drift.basis import Basis
from tidegauge.drift.block import Block
from tidegauge.drift.cells import CHANNELS, SIDES
from tidegauge.drift.joint import Joint
from tidegauge.drift.outside import Outside
from tidegauge.drift.outside_window import OutsideWindow
from tidegauge.drift.row import Row
from tidegauge.drift.sketch import Sketch
from tidegauge.drift.tail import log_beta_binomial_tail, log_cauchy_mean, log_pearson3_tail
from tidegauge.drift.window import WindowLimits

TOKENS = CHANNELS[0]


def basis_of(rows: list[Row]) -> Basis:
    sketch = Sketch("chat")
    for second, row in enumerate(rows):
        sketch.add(row, at=float(second))
    return Basis(sketch)


def block_of(rows: list[Row]) -> Block:
    block = Block()
    for row in rows:
        block.add(row)
    return block


def test_a_window_like_the_reference_scores_low() -> None:
    basis, window = basis_of(random_rows(600)), random_rows(200, seed=2)
    counted = Outside(basis).counted(window)

    for side in SIDES:
        score = Joint(basis).score(side, block_of(window), outside=counted[side])
        assert score is not None
        assert score < 3


def test_a_channel_that_moved_to_its_end_is_nothing_that_chance_does() -> None:
    joint = Joint(basis_of(random_rows(600)))
    last = TOKENS.first + TOKENS.grid.cells - 1
    window = block_of(
        [Row((last, *row.cells[1:]), row.vectors) for row in random_rows(200, seed=2)]
    )

    score = joint.score("inputs", window)

    assert score is not None
    assert score > 10


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param(random_rows(100), id="a hundred requests"),
        pytest.param(random_rows(1) * 300, id="all requests equal"),
        pytest.param([Row(row.cells) for row in random_rows(300)], id="no vectors"),
        pytest.param([Row((), row.vectors) for row in random_rows(300)], id="vectors alone"),
        pytest.param(
            [row if n % 10 else Row(row.cells[:3]) for n, row in enumerate(random_rows(400))],
            id="channels that some requests lack",
        ),
    ],
)
def test_a_poor_reference_gives_a_finite_score(reference: list[Row]) -> None:
    basis, window = basis_of(reference), random_rows(150, seed=3)
    counted = Outside(basis).counted(window)

    for side in SIDES:
        score = Joint(basis).score(side, block_of(window), outside=counted.get(side))
        assert score is not None
        assert isfinite(score)


def test_of_an_unknown_side_there_is_no_score() -> None:
    assert Joint(basis_of([])).score("inputs", block_of(random_rows(50))) is None


def test_equal_requests_are_not_outside_of_their_own_reference() -> None:
    rows = random_rows(1) * 300

    assert Outside(basis_of(rows)).counted(rows[:70])["inputs"] == (70, 0)


def test_about_a_hundredth_is_outside_without_a_shift() -> None:
    known, beyond = Outside(basis_of(random_rows(2000))).counted(random_rows(1000, seed=4))[
        "outputs"
    ]

    assert known == 1000
    assert beyond < 40


def test_the_share_outside_leaves_with_its_requests() -> None:
    window = OutsideWindow(WindowLimits(requests=100, seconds=60.0, min_requests=10))
    window.add({"inputs": (20, 5)})
    window.close(now=0.0)

    assert window.ratio("inputs") == 0.25
    assert window.ratio("outputs") is None
    window.close(now=60.0)
    assert window.counts("inputs") == (0, 0)


def test_tails_stay_finite_however_far_out() -> None:
    logs = [
        log_pearson3_tail(1e6, 0.3),
        log_pearson3_tail(-1e6, 0.3),
        log_beta_binomial_tail(1000, 1000, seen=0, seen_of=2048),
    ]

    assert all(isfinite(value) and value <= 0 for value in [*logs, log_cauchy_mean(logs)])
