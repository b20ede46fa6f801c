"""The page on privacy has every feature, and says what the code's bounds are."""

from pathlib import Path

from tidegauge.traffic import ended, measuring
from tidegauge.traffic.features import FEATURES
from tidegauge.traffic.hearing import wire
from tidegauge.traffic.texts import text_features, vectors, vectors_semantic

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")


def test_every_feature_is_on_the_page_on_privacy() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [feature.name for feature in FEATURES]


def test_the_bounds_on_the_page_are_those_of_the_code() -> None:
    words = " ".join(PAGE.split())
    assert f"at most {wire.LIMIT_BYTES >> 20} MiB" in words
    assert f"({ended.TEXT_MAX:,} characters of each)" in words
    assert f"up to {measuring.QUEUE_MAX} exchanges" in words
    assert f"last {vectors_semantic.TEXT_CHARS:,} characters of the prompt" in words
    assert f"first {vectors.STYLE_BYTES:,} of the answer" in words
    assert f"for {measuring.PATIENCE_SECONDS:g} s at most" in words
    assert f"at most {text_features.SEEN_CHARS:,} characters" in words
