"""Inference engines: one dialect per engine, as data, and the pure code that applies it.

To add one: a data file, a row in ENGINES, and a capture under tests/fixtures/engines.
"""

from tidegauge.engines.custom import DialectError, custom_dialect
from tidegauge.engines.dialect import Dialect
from tidegauge.engines.exposition import RawFamily, RawSeries
from tidegauge.engines.registry import ENGINES, detect, engine_named
from tidegauge.engines.rule import Rule
from tidegauge.engines.translate import translate
from tidegauge.engines.unmapped import unmapped

__all__ = [
    "ENGINES",
    "Dialect",
    "DialectError",
    "RawFamily",
    "RawSeries",
    "Rule",
    "custom_dialect",
    "detect",
    "engine_named",
    "translate",
    "unmapped",
]
