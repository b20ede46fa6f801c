"""Inference engines: one dialect per engine, as data, and the pure code that applies it.

To add one: a data file, a row in ENGINES, and a capture under tests/fixtures/engines.
"""

from collections.abc import Iterable

from tidegauge.engines.dialect import Dialect, Rule
from tidegauge.engines.exposition import RawFamily, RawSeries
from tidegauge.engines.llamacpp import LLAMACPP
from tidegauge.engines.translate import translate
from tidegauge.engines.vllm import VLLM

ENGINES: tuple[Dialect, ...] = (LLAMACPP, VLLM)


def detect(names: Iterable[str]) -> Dialect | None:
    """The engine whose fingerprint is among these row names; None for an engine we don't know."""
    present = frozenset(names)
    return next((dialect for dialect in ENGINES if dialect.recognises(present)), None)


def engine_named(name: str) -> Dialect:
    """The dialect of that name.

    Raises:
        ValueError: there is none; the message lists those that there are.
    """
    for dialect in ENGINES:
        if dialect.name == name:
            return dialect
    message = f"engine {name!r}: not one of {', '.join(dialect.name for dialect in ENGINES)}"
    raise ValueError(message)


__all__ = [
    "ENGINES",
    "Dialect",
    "RawFamily",
    "RawSeries",
    "Rule",
    "detect",
    "engine_named",
    "translate",
]
