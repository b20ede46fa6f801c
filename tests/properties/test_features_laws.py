"""Laws of features: any text has them, all in range; what is read back is nothing else."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.traffic.features import Features, features
from tidegauge.traffic.texts.languages import LANGUAGES
from tidegauge.traffic.texts.scripts import SCRIPTS
from tidegauge.traffic.texts.text_features import text_features
from tidegauge.traffic.texts.vectors import DIMENSIONS, STEPS, direction, style_vector

ANY_TEXT = st.one_of(
    st.text(alphabet=st.characters()),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "Co", "Cn"])),
    st.builds(
        lambda piece, times: piece * times, st.text(alphabet=st.characters()), st.integers(0, 99)
    ),
)
NUMBERS = st.lists(
    st.one_of(
        st.sampled_from([-1, 0, 1, 2.0, 127, 0.5]),
        st.floats(),
        st.integers(),
        st.none(),
        st.text(max_size=2),
        st.booleans(),
    ),
    max_size=40,
)


@given(ANY_TEXT)
def test_any_text_has_features_within_their_ranges(text: str) -> None:
    found = text_features(text)
    if found is None:
        assert not text
        return
    assert found.characters == len(text)
    assert sum(found.mix) == pytest.approx(1)
    for share in (*found.mix, found.non_ascii_ratio, found.newline_ratio):
        assert 0 <= share <= 1
    assert 0 < found.compression_ratio < 16
    assert found.script in SCRIPTS
    assert found.language in LANGUAGES


@given(ANY_TEXT, st.randoms(use_true_random=False))
def test_shares_and_script_do_not_depend_on_the_order_of_characters(
    text: str, rng: random.Random
) -> None:
    mixed = "".join(rng.sample(text, len(text)))
    for one, other in [(text_features(text), text_features(mixed))]:
        if one is not None and other is not None:
            assert one.mix == other.mix
            assert (one.script, one.newline_ratio) == (other.script, other.newline_ratio)
            assert one.non_ascii_ratio == other.non_ascii_ratio


@given(ANY_TEXT, ANY_TEXT)
def test_features_are_finite_numbers_and_come_back_from_them(prompt: str, answer: str) -> None:
    made = replace(features(prompt, answer) or Features(), style=style_vector(answer))
    numbers = made.to_numbers()
    assert all(math.isfinite(number) for number in numbers)
    assert Features.from_numbers(numbers) == made
    once_narrowed = tuple(map(float, np.array(numbers, np.float32)))
    again = Features.from_numbers(once_narrowed)
    assert (again.style, again.refusal) == (made.style, made.refusal)


@given(NUMBERS)
def test_whatever_is_read_is_features_or_a_value_error(numbers: list[object]) -> None:
    try:
        read = Features.from_numbers(numbers)
    except ValueError:
        return
    assert read.to_numbers() == tuple(numbers)


@given(st.integers(0, 300), st.floats() | st.integers() | st.none())
def test_one_number_that_was_changed_on_the_way_makes_features_or_a_value_error(
    at: int, value: object
) -> None:
    made = replace(
        features("How high?", "Tide: 4 m") or Features(), style=style_vector("Tide: 4 m")
    )
    numbers: list[object] = list(made.to_numbers())
    numbers[at % len(numbers)] = value
    test_whatever_is_read_is_features_or_a_value_error.hypothesis.inner_test(numbers)


@given(ANY_TEXT)
def test_a_style_vector_is_a_direction_in_whole_steps_or_nothing(text: str) -> None:
    made = style_vector(text)
    if made is None:
        assert len(text.encode("utf-8", "surrogatepass")) < 4
        return
    steps = np.frombuffer(made, np.int8)
    assert (len(steps), int(np.abs(steps).max())) == (DIMENSIONS, STEPS)
    assert np.linalg.norm(direction(made)) == pytest.approx(1, abs=1e-6)
