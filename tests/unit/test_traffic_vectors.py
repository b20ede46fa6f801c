"""Vectors say how and of what a text is; they are the same everywhere, and can't be had by half."""

from collections.abc import Callable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import pytest

from tidegauge.cli.vectors import vector_settings, vectors
from tidegauge.config.traffic import TrafficConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, PlanError
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.texts import vectors_semantic
from tidegauge.traffic.texts.vector_settings import RESULTS, VectorSettings
from tidegauge.traffic.texts.vectorizing import Job, job_of, load
from tidegauge.traffic.texts.vectors import STYLE_BYTES, Embed, direction, rounded, style_vector
from tidegauge.traffic.texts.vectors_semantic import TEXT_CHARS, SemanticMissingError, folder

LETTER = (
    "Dear harbour master, I would be most grateful if you could tell me when the tide turns. "
    "I remain, with kind regards, yours sincerely. "
)
LIST = "- **Tide**: 4 m\n- **Wind**: 7 kn\n- **Waves**: 2 m\n\n```bash\ntides --now\n```\n"


@pytest.fixture(scope="module")
def embed() -> Embed:
    return vectors_semantic.load()


def likeness(one: bytes | None, other: bytes | None) -> float:
    assert one is not None
    assert other is not None
    return float(direction(one) @ direction(other))


def test_style_is_how_something_is_written() -> None:
    letter, notes = style_vector(LETTER * 3), style_vector(LIST * 3)
    again = style_vector((LETTER * 4)[20:])
    assert likeness(letter, again) > 0.95
    assert likeness(letter, notes) < 0.7


def test_a_style_vector_sees_the_beginning_of_a_text() -> None:
    assert style_vector("a" * STYLE_BYTES + LETTER) == style_vector("a" * STYLE_BYTES)
    assert style_vector("潮" * STYLE_BYTES) == style_vector("潮" * (STYLE_BYTES // 3 + 1))


def test_a_vector_without_a_direction_is_none() -> None:
    assert rounded(np.zeros(256)) is None
    assert rounded(np.full(256, np.inf)) is None
    assert rounded(np.full(256, np.nan)) is None


def test_semantic_is_what_something_is_about(embed: Embed) -> None:
    asked = embed("When will my credit card arrive?")
    assert likeness(asked, embed("How long until the bank sends the card?")) > likeness(
        asked, embed("Write a sorting function in Python")
    )


@pytest.mark.parametrize("text", ["\x00", "\ud800", "😀", " ", "<s></s>", "潮汐" * 9, "x" * 99_999])
def test_any_text_has_a_semantic_vector(embed: Embed, text: str) -> None:
    vector = embed(text)
    assert vector is not None
    assert len(vector) == 256


def test_a_semantic_vector_sees_the_end_of_a_text(embed: Embed) -> None:
    assert embed("") is None
    assert embed("x " * TEXT_CHARS + LETTER * 9) == embed((LETTER * 9)[-TEXT_CHARS:])
    assert embed(LETTER) != embed(LIST)


def test_vectors_are_of_the_kinds_that_were_asked_for() -> None:
    both = load(("style", "semantic"))(Job(1, LETTER, LIST))
    assert (both.style, both.semantic is not None) == (style_vector(LIST), True)
    assert load(("style",))(Job(1, "", LIST)).semantic is None
    assert load(("semantic",))(Job(1, LETTER, "")).style is None
    assert repr(both) == "Vectors()"


def test_there_is_no_job_without_text() -> None:
    assert job_of(1, "", LIST, ("semantic",)) is None
    assert job_of(1, LETTER, "", ("style",)) is None
    assert job_of(1, LETTER, LIST, ()) is None


def test_what_is_not_installed_is_said_with_what_to_do() -> None:
    def missing(name: str) -> Distribution:
        if name == "wordllama":
            raise PackageNotFoundError(name)
        return distribution(name)

    with pytest.raises(SemanticMissingError, match=r"pip install 'tidegauge\[semantic\]'$"):
        folder(missing)


def test_a_wordllama_with_other_files_is_not_taken() -> None:
    with pytest.raises(SemanticMissingError, match="this wordllama has no l2_supercat_256"):
        folder(lambda _: _Elsewhere())


class _Elsewhere(Distribution):
    def read_text(self, filename: str) -> str | None:
        return None

    def locate_file(self, path: object) -> Path:
        return Path("/nonexistent") / str(path)


def test_a_configuration_that_asks_for_what_is_missing_is_a_mistake() -> None:
    def look() -> None:
        raise SemanticMissingError("the semantic vector needs more packages: pip install it")

    asked = TrafficConfig(vectors=("semantic",))
    with pytest.raises(PlanError, match=r"^serve\.traffic\.vectors: the semantic vector needs"):
        vector_settings(asked, look=look)
    assert vector_settings(TrafficConfig(vectors=("style",)), look=look) == VectorSettings(
        ("style",)
    )


async def test_what_becomes_of_vectors_is_exported_from_the_start_where_any_are_asked_for() -> None:
    assert vectors(TrafficConfig()) is None
    part = vectors(TrafficConfig(vectors=("style",)))
    assert part
    around = Around({}, lambda _: None, Arrivals())
    schedule: Schedule = part.make(around).schedule
    around.vectors.count("made")
    rows = {sample.labels: sample.value for sample in await schedule.source.read()}
    assert rows == {(result,): float(result == "made") for result in RESULTS} | {(): 0.0}


def test_a_change_of_the_semantic_vector_shows(
    embed: Embed, golden: Callable[[str, str], None]
) -> None:
    """Whoever has to rewrite this file raises FEATURES_VERSION. A last step may be rounding."""
    vector = embed("What is the height of the tide at Brest on 7 June 2026?")
    assert vector is not None
    steps = np.frombuffer(vector, np.int8)
    golden("semantic.txt", " ".join(str(int(step)) for step in steps) + "\n")
