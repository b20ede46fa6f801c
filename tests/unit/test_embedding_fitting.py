"""Embeddings of any size become 256 numbers, and are as like one another as they were."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.traffic.texts.fitting import _projection, fitted
from tidegauge.traffic.texts.vectors import direction, rounded


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def pairs(dimensions: int, count: int = 300) -> list[tuple[np.ndarray, np.ndarray]]:
    """As embeddings are: some numbers much larger than others; likeness of all kinds."""
    rng = np.random.default_rng(dimensions)
    scale = np.exp(rng.normal(size=dimensions))
    firsts, seconds = rng.normal(size=(2, count, dimensions)) * scale
    shares = np.linspace(0, 1, count)[:, None]
    return list(zip(firsts, shares * firsts + (1 - shares) * seconds, strict=True))


@given(st.integers(1, 256))
def test_up_to_256_numbers_are_kept_as_they_are(dimensions: int) -> None:
    vector = np.arange(1.0, dimensions + 1)
    made = fitted(vector)
    assert made.shape == (256,)
    assert np.array_equal(made[:dimensions], vector)
    assert not made[dimensions:].any()


@pytest.mark.parametrize("dimensions", [257, 384, 768, 1024, 1536, 3072, 4096])
def test_a_projection_is_orthonormal(dimensions: int) -> None:
    rows = _projection(dimensions)
    assert rows.shape == (256, dimensions)
    assert np.allclose(rows @ rows.T, np.eye(256), atol=1e-4)


@pytest.mark.parametrize(
    "dimensions,typical,at_most",
    [(64, 0.005, 0.02), (384, 0.04, 0.15), (1024, 0.05, 0.22), (3072, 0.06, 0.25)],
)
def test_likeness_is_kept(dimensions: int, typical: float, at_most: float) -> None:
    """Once rounded to bytes; the root mean square and the largest error of 300 cosines."""
    errors = []
    for one, other in pairs(dimensions):
        made = [direction(rounded(fitted(each)) or b"") for each in (one, other)]
        errors.append(float(made[0] @ made[1]) - cosine(one, other))
    assert np.sqrt(np.mean(np.square(errors))) < typical
    assert max(map(abs, errors)) < at_most


def test_the_projection_is_the_same_for_good() -> None:
    """Whoever has to change this raises FEATURES_VERSION."""
    signs = np.sign(_projection(384)[0]).astype(np.int8)  # row 0 of a cosine transform is constant
    assert hashlib.sha256(signs.tobytes()).hexdigest()[:16] == "ca02a8e063136c18"
    made = rounded(fitted(np.arange(384.0)))
    assert made
    assert np.frombuffer(made, np.int8)[:8].tolist() == [-11, -7, 28, -44, 45, -26, 45, -91]


def test_the_scale_of_an_embedding_is_no_matter() -> None:
    vector = np.random.default_rng(1).normal(size=700)
    assert (
        rounded(fitted(vector))
        == rounded(fitted(vector * 1e300))
        == rounded(fitted(vector / 1e300))
    )


@pytest.mark.parametrize("dimensions", [3, 300])
@pytest.mark.parametrize("value", [0.0, np.inf, np.nan])
def test_what_has_no_direction_gets_none(dimensions: int, value: float) -> None:
    assert rounded(fitted(np.full(dimensions, value))) is None
