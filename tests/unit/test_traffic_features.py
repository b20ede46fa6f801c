"""The features of a prompt: length and character classes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.traffic.features import CLASSES, prompt_features


@pytest.mark.parametrize(
    "text,expected",
    [
        pytest.param("abz", "lower", id="ASCII small letters are lower"),
        pytest.param("ABZ", "upper", id="ASCII capitals are upper"),
        pytest.param("0129", "digit", id="ASCII digits are digit"),
        pytest.param(" \t\r\n", "space", id="blanks and line ends are space"),
        pytest.param("!?`~_{", "punctuation", id="ASCII signs are punctuation"),
        pytest.param("éШ語😀", "other", id="letters beyond ASCII are other"),
        pytest.param("\x00\x1b\x7f", "other", id="control characters are other"),
        pytest.param("\ud800", "other", id="a lone surrogate, which JSON can spell, is other"),
    ],
)
def test_a_text_of_one_class_has_all_of_its_mix_there(text: str, expected: str) -> None:
    features = prompt_features([text])
    assert features is not None
    assert features.prompt_chars == len(text)
    assert dict(zip(CLASSES, features.prompt_mix, strict=True))[expected] == 1


@pytest.mark.parametrize("texts", [[], [""], ["", ""]], ids=["no text", "one empty", "two empty"])
def test_an_empty_prompt_has_no_features(texts: list[str]) -> None:
    assert prompt_features(texts) is None


@given(st.lists(st.text(alphabet=st.characters())))
def test_shares_sum_to_one_and_do_not_depend_on_how_the_prompt_was_cut(texts: list[str]) -> None:
    features = prompt_features(texts)
    assert features == prompt_features(["".join(texts)])
    if features is not None:
        assert sum(features.prompt_mix) == pytest.approx(1)
        assert all(0 <= share <= 1 for share in features.prompt_mix)
