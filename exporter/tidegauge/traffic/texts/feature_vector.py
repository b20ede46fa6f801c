"""The seam to drift: every feature of an exchange as one row of numbers, in a fixed order.

No clock, no network, no logging: same arguments, same answer.
"""

from math import log1p
from typing import Literal

from tidegauge.traffic.exchange import FINISH_REASONS, Exchange
from tidegauge.traffic.features import FEATURES, Features
from tidegauge.traffic.texts.languages import LANGUAGES
from tidegauge.traffic.texts.scripts import SCRIPTS
from tidegauge.traffic.texts.text_features import TextFeatures

Side = Literal["prompt", "answer"]
_SIDES: tuple[Side, ...] = ("prompt", "answer")

COLUMNS = tuple(
    f"{side}_{feature.name}"
    for side in _SIDES
    for feature in FEATURES
    if feature.of in ("both", side) and feature.unit != "vector"
)
"""What each number of a row is: whose, and which of FEATURES. Vectors are apart, in Features."""

CLASSES_OF: dict[str, tuple[str, ...]] = {
    "script": SCRIPTS,
    "language": LANGUAGES,
    "finish_reason": FINISH_REASONS,
}
"""What the whole number of a feature of unit "class" stands for."""


def feature_vector(exchange: Exchange) -> tuple[float | None, ...]:
    """The row of an exchange, in the order of COLUMNS; None is what is not known of it."""
    features = exchange.features or Features()
    return (
        *_text(features.prompt, exchange.prompt_tokens),
        *_text(features.answer, exchange.generation_tokens),
        None if features.refusal is None else float(features.refusal),
        features.loop_ratio,
        _finish_reason(exchange.finish_reason),
        _seconds_per_token(exchange),
    )


def _text(text: TextFeatures | None, tokens: int | None) -> tuple[float | None, ...]:
    tokens_log = None if tokens is None else log1p(tokens)
    if text is None:
        return (None, tokens_log, *_NO_TEXT)
    characters, *others = text.numbers()
    return (characters, tokens_log, characters / tokens if tokens else None, *others)


_NO_TEXT = (None,) * (sum(name.startswith("prompt_") for name in COLUMNS) - 2)


def _finish_reason(reason: str | None) -> float | None:
    return float(FINISH_REASONS.index(reason)) if reason in FINISH_REASONS else None


def _seconds_per_token(exchange: Exchange) -> float | None:
    """Between tokens where their times are known, else of the whole duration."""
    tokens, first = exchange.generation_tokens, exchange.first_token_seconds
    if not tokens:
        return None
    if first is None:
        return exchange.duration_seconds / tokens
    return (exchange.duration_seconds - first) / (tokens - 1) if tokens > 1 else None
