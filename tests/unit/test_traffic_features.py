"""The features of texts: each means what the list says, and goes through numbers unchanged."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tidegauge.traffic.exchange import FINISH_REASONS, NO_GAPS, Exchange
from tidegauge.traffic.features import (
    FEATURES,
    FEATURES_VERSION,
    Features,
    features,
    prompt_features,
)
from tidegauge.traffic.texts.feature_vector import COLUMNS, feature_vector
from tidegauge.traffic.texts.languages import LANGUAGES, WORDS
from tidegauge.traffic.texts.refusals import PHRASES, refuses
from tidegauge.traffic.texts.repetition import loop_ratio
from tidegauge.traffic.texts.scripts import SCRIPTS
from tidegauge.traffic.texts.text_features import CLASSES, SEEN_CHARS, TextFeatures, text_features
from tidegauge.traffic.texts.vectors import style_vector

TIDES = "The tide rises, the tide falls, the twilight darkens, the curlew calls; "


def of(text: str) -> TextFeatures:
    found = text_features(text)
    assert found is not None
    return found


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
    assert of(text).characters == len(text)
    assert dict(zip(CLASSES, of(text).mix, strict=True))[expected] == 1


def test_shares_are_of_characters_not_of_bytes() -> None:
    found = of("é語😀\ud800\n\n\x00a")
    assert (found.non_ascii_ratio, found.newline_ratio, found.lower_ratio) == (0.5, 0.25, 0.125)


@pytest.mark.parametrize("texts", [[], [""], ["", ""]], ids=["no text", "one empty", "two empty"])
def test_an_empty_prompt_has_no_features(texts: list[str]) -> None:
    assert prompt_features(texts) is None


def test_of_two_texts_the_one_that_is_empty_is_not_known() -> None:
    asked, answered = features("How high?", ""), features("", "Four metres.")
    assert asked is not None
    assert answered is not None
    assert (asked.answer, asked.refusal, asked.loop_ratio) == (None, None, None)
    assert asked.prompt == of("How high?")
    assert (answered.prompt, answered.answer) == (None, of("Four metres."))
    assert (answered.refusal, answered.loop_ratio) == (False, 0)


@pytest.mark.parametrize(
    "text,script,language",
    [
        ("What is the height of the tide, and when?", "latin", "en"),
        ("Wie hoch ist das Wasser, und wann kommt die Flut?", "latin", "de"),
        ("Quelle est la hauteur de la mer dans une heure?", "latin", "fr"),
        ("¿Cómo está el mar y los barcos del puerto?", "latin", "es"),
        ("Não sei, você pode dizer com mais certeza?", "latin", "pt"),
        ("Che altezza, e come sono le onde della sera?", "latin", "it"),
        ("Wat is het tij van vandaag, en hoe hoog zijn de golven?", "latin", "nl"),
        ("Nie wiem, czy woda jest dla mnie za zimna", "latin", "pl"),
        ("Bu deniz çok güzel ve temiz değil", "latin", "tr"),
        ("Что это, и как мне быть?", "cyrillic", "ru"),
        ("Що це, та як від нього втекти?", "cyrillic", "uk"),
        ("ما هو المد في هذا الميناء؟", "arabic", "ar"),
        ("این بندر است که در شمال", "arabic", "fa"),
        ("潮水什么时候涨?", "han", "zh"),
        ("潮はいつ満ちますか", "kana", "ja"),
        ("밀물은 언제인가요", "hangul", "ko"),
        ("πότε ανεβαίνει η θάλασσα", "greek", "unknown"),
        ("מתי הגאות", "hebrew", "unknown"),
        ("ज्वार कब आएगा", "indic", "unknown"),
        ("น้ำขึ้นเมื่อไร", "thai", "unknown"),
        ("🌊🌊🌊", "emoji", "unknown"),
        ("1234 + 5678 = ?", "none", "unknown"),
        ("\ud800\x00\u202e", "none", "unknown"),
        ("Ђ ᚠᚢ ᚦᚨᚱᚲ", "other", "unknown"),
    ],
)
def test_script_and_language(text: str, script: str, language: str) -> None:
    assert (of(text).script, of(text).language) == (script, language)


def test_no_word_tells_two_languages() -> None:
    words = [word for listed in WORDS.values() for word in listed.split()]
    assert len(words) == len(set(words))
    assert words == [word.lower() for word in words]


@pytest.mark.parametrize("phrase", PHRASES)
def test_every_phrase_of_refusal_is_found_as_models_write_it(phrase: str) -> None:
    written = phrase.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
    assert refuses(f"{written[0].upper()}{written[1:]}.")


@pytest.mark.parametrize(
    "answer", ["", "Of course. Here is how.", "x" * 300 + "I cannot help with that."]
)
def test_an_answer_that_begins_otherwise_is_no_refusal(answer: str) -> None:
    assert not refuses(answer)


@pytest.mark.parametrize(
    "text,expected",
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("a", 0, id="too short to tell"),
        pytest.param("a" * 33, 1, id="one letter over and over"),
        pytest.param(TIDES * 2, 1, id="twice the same"),
        pytest.param(TIDES * 3 + TIDES[:20], 1, id="cut off in the middle of a copy"),
        pytest.param("b" * 99 + TIDES * 2, len(TIDES) * 2 / (99 + len(TIDES) * 2), id="its end"),
        pytest.param(TIDES * 9 + "And then it stopped, and said no more of it.", 0, id="got out"),
        pytest.param(TIDES, 0, id="no repetition"),
        pytest.param("潮汐\ud800😀" * 20, 1, id="any script"),
    ],
)
def test_a_loop_is_what_an_answer_ends_in(text: str, expected: float) -> None:
    assert loop_ratio(text) == pytest.approx(expected)


def test_of_a_long_text_only_its_ends_are_looked_at_but_all_of_its_length_counts() -> None:
    half = SEEN_CHARS // 2
    found = text_features("a" * half + "B" * 100_000 + "c" * half, 4_000_000)
    assert found is not None
    assert (found.characters, found.lower_ratio) == (4_000_000, 1)


def test_what_repeats_packs_better() -> None:
    assert of(TIDES * 20).compression_ratio < 0.1 < of(TIDES).compression_ratio < 1


EXCHANGE = Exchange(
    model="chat",
    streamed=True,
    outcome="ok",
    status=200,
    finish_reason="length",
    duration_seconds=3.0,
    first_token_seconds=1.0,
    gaps=NO_GAPS,
    prompt_tokens=9,
    generation_tokens=5,
    features=features("How high is the tide?", "I'm sorry, but I cannot tell."),
)


def row(exchange: Exchange) -> dict[str, float | None]:
    return dict(zip(COLUMNS, feature_vector(exchange), strict=True))


def test_the_row_for_drift_has_every_feature_of_the_list_once() -> None:
    names = {name.partition("_")[2] for name in COLUMNS}
    assert names == {feature.name for feature in FEATURES if feature.unit != "vector"}
    assert len(set(COLUMNS)) == len(COLUMNS) == len(feature_vector(EXCHANGE))


def test_every_field_of_features_is_in_the_list() -> None:
    listed = {feature.name: feature.of for feature in FEATURES}
    for field in dataclasses.fields(TextFeatures):
        assert listed[field.name] == "both"
    for field in dataclasses.fields(Features):
        if field.name not in ("prompt", "answer"):
            assert listed[field.name] in ("prompt", "answer")


def test_a_row_tells_what_the_exchange_was() -> None:
    told = row(EXCHANGE)
    assert told["prompt_characters_per_token"] == pytest.approx(21 / 9)
    assert told["answer_tokens_log"] == pytest.approx(1.791759)
    assert told["answer_seconds_per_token"] == 0.5
    assert told["answer_refusal"] == 1
    assert FINISH_REASONS[int(told["answer_finish_reason"] or 0)] == "length"
    assert LANGUAGES[int(told["prompt_language"] or 0)] == "en"
    assert SCRIPTS[int(told["answer_script"] or 0)] == "latin"


def test_what_is_not_known_of_an_exchange_is_none_in_its_row() -> None:
    nothing = replace(
        EXCHANGE, features=None, prompt_tokens=None, generation_tokens=None, finish_reason=None
    )
    assert set(feature_vector(nothing)) == {None}
    assert row(replace(nothing, generation_tokens=0))["answer_seconds_per_token"] is None
    assert row(replace(EXCHANGE, generation_tokens=1))["answer_seconds_per_token"] is None
    whole = row(replace(EXCHANGE, first_token_seconds=None))
    assert whole["answer_seconds_per_token"] == pytest.approx(3 / 5)


@pytest.mark.parametrize(
    "made",
    [
        Features(),
        features("How high?", ""),
        features("潮汐😀", "I'm sorry, but I can't."),
        replace(
            Features(), style=style_vector(TIDES), semantic=bytes(range(129, 256)) + b"\0" * 129
        ),
    ],
    ids=["nothing", "a prompt", "both", "vectors"],
)
def test_features_go_through_numbers_unchanged(made: Features) -> None:
    numbers = made.to_numbers()
    assert Features.from_numbers(json.loads(json.dumps(numbers))) == made


def test_features_of_another_version_are_refused() -> None:
    _, *rest = Features().to_numbers()
    with pytest.raises(ValueError, match=f"version 9, and ours is {FEATURES_VERSION}"):
        Features.from_numbers([9, *rest])


def _changed(index: int, value: object) -> list[object]:
    numbers: list[object] = list(
        replace(features(TIDES, TIDES) or Features(), style=b"\x7f" * 256).to_numbers()
    )
    numbers[index] = value
    return numbers


@pytest.mark.parametrize(
    "numbers,problem",
    [
        ([], "nothing where a number has to be"),
        (["2"], "str where a number has to be"),
        ([True], "bool where a number has to be"),
        ([float("nan")], "not finite"),
        ([10**400], "too large"),
        (_changed(1, 0.5), "no whole number from 1"),
        (_changed(1, -2), "no whole number from 1"),
        (_changed(2, 1.5), "not between 0 and 1"),
        (_changed(2, 0.0), "do not sum to 1"),
        (_changed(10, 17), "not between 0 and 16"),
        (_changed(11, 13), "no whole number from 0 to 12"),
        (_changed(12, 0.5), "no whole number from 0 to 18"),
        (_changed(25, 2), "no whole number from 0 to 1"),
        (_changed(-1, 128), "a vector is whole numbers"),
        (_changed(-1, -128), "a vector is whole numbers"),
        (_changed(-1, 0.5), "a vector is whole numbers"),
        (_changed(-1, "1"), "a vector is 256 numbers"),
        (_changed(0, 2)[:-1], "a vector is 256 numbers"),
        ([*_changed(0, 2), 1], "more numbers than there are features"),
    ],
)
def test_what_no_features_gave_is_refused(numbers: list[object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Features.from_numbers(numbers)


GOLDEN_TEXTS = {
    "a question": "What is the height of the tide at Brest on 7 June 2026?\n",
    "notes": "# Tides\n\n- **high**: 4.2 m\n- **low**: 0.9 m\n\n```bash\ntides --now\n```\n" * 9,
    "Chinese": "潮汐每天涨落两次,因为月亮。今天高潮是几点?" * 40,
    "Arabic and emoji": "ما هو المد في هذا الميناء؟ 🌊🌊 \u202e\x00",
    "a refusal that loops": "I'm sorry, but I can't say. " * 12,
    "long": "".join(f"{n:x} Wie hoch ist das Wasser und {n}? " for n in range(2000)),
}


def test_a_change_of_meaning_shows(golden: Callable[[str, str], None]) -> None:
    """Whoever has to rewrite this file raises FEATURES_VERSION.

    Without packing, whose last per cent differs between zlib and its rewrites.
    """
    lines = [f"features {FEATURES_VERSION}"]
    for name, text in GOLDEN_TEXTS.items():
        made = replace(features(text, text) or Features(), style=style_vector(text))
        assert made.prompt
        assert 0 < made.prompt.compression_ratio < 1
        alike = replace(made.prompt, compression_ratio=0.5)
        numbers = replace(made, prompt=alike, answer=None).to_numbers()
        lines.append(f"{name}: " + " ".join(f"{number:.6g}" for number in numbers))
    golden("features.txt", "\n".join(lines) + "\n")
