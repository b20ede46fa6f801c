"""The distance of mean vectors: zero, growth, what chance gives, and vectors that hardly vary."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tidegauge.drift.block import Block
from tidegauge.drift.cells import VECTORS
from tidegauge.drift.centroid import Centroid, shrinkage
from tidegauge.drift.row import Row
from tidegauge.drift.sketch import Sketch
from tidegauge.traffic.texts.vectors import DIMENSIONS, rounded

STYLE = VECTORS[1]
_MIXING = np.random.default_rng(5).normal(size=(DIMENSIONS, DIMENSIONS))
_MIXING *= 0.98 ** np.arange(DIMENSIONS)[:, None]  # some directions vary much more than others


def rows(requests: int, *, seed: int, shifted: int = 0) -> list[Row]:
    """The first `shifted` of them come from elsewhere."""
    rng = np.random.default_rng(seed)
    vectors: NDArray[np.float64] = rng.normal(size=(requests, DIMENSIONS)) @ _MIXING + 3
    vectors[:shifted] += 2 * _MIXING[3]
    return [Row((), (None, rounded(vector))) for vector in vectors]


def sketch(requests: list[Row]) -> Sketch:
    held = Sketch("chat")
    for row in requests:
        held.add(row, at=0.0)
    return held


def window(requests: list[Row]) -> Block:
    held = Block()
    for row in requests:
        held.add(row)
    return held


@pytest.fixture(scope="module")
def centroid() -> Centroid:
    return Centroid(STYLE, sketch(rows(1000, seed=1)))


def test_of_the_reference_itself_it_is_zero() -> None:
    reference = sketch(rows(300, seed=1))
    effect = Centroid(STYLE, reference).effect(reference.total)
    assert effect is not None
    assert effect.size == 0


def test_it_grows_with_the_share_of_requests_from_elsewhere(centroid: Centroid) -> None:
    effects = [centroid.effect(window(rows(400, seed=2, shifted=n))) for n in (0, 40, 120, 400)]
    sizes = [effect.size for effect in effects if effect is not None]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 2 * sizes[0]


@pytest.mark.parametrize("reference_requests", [250, 1000])
@pytest.mark.parametrize("requests", [100, 1000])
def test_without_a_shift_it_is_about_what_chance_says(
    reference_requests: int, requests: int
) -> None:
    centroid = Centroid(STYLE, sketch(rows(reference_requests, seed=3)))
    effects = [centroid.effect(window(rows(requests, seed=seed))) for seed in (10, 11, 12, 13)]
    sizes = [effect.size / effect.by_chance for effect in effects if effect is not None]
    assert np.mean(sizes) == pytest.approx(1, abs=0.12)


def test_a_window_without_vectors_is_not_scored(centroid: Centroid) -> None:
    assert centroid.effect(window([Row((), (None, None))] * 5)) is None


@pytest.mark.parametrize("requests", [0, 1])
def test_a_reference_without_a_spread_scores_nothing(requests: int) -> None:
    centroid = Centroid(STYLE, sketch(rows(requests, seed=1)))
    assert centroid.effect(window(rows(20, seed=2))) is None


def test_vectors_that_never_varied_are_far_from_any_other() -> None:
    constant, other = rows(2, seed=1)
    centroid = Centroid(STYLE, sketch([constant] * 200))
    same, moved = (centroid.effect(window([row] * 100)) for row in (constant, other))
    assert same is not None
    assert moved is not None
    assert same.size == 0
    assert 10 < moved.size < np.inf


def test_correlations_that_are_none_are_taken_back_whole() -> None:
    assert shrinkage(np.eye(4), 1000) == 1
    assert shrinkage(np.full((4, 4), 0.5) + np.eye(4) / 2, 10_000) < 0.01
