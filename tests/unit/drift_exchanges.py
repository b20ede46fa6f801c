"""Exchanges for tests of drift: prompts of the demo's kinds, answers as long as was asked for."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from tidegauge.catalog.metric import Metric
from tidegauge.drift.reference import Reference
from tidegauge.drift.row import row_of
from tidegauge.drift.settings import DriftSettings
from tidegauge.drift.sketch import Sketch
from tidegauge.drift.window import WindowLimits
from tidegauge.inject.prompts import PROMPT_KINDS
from tidegauge.samples import Sample
from tidegauge.traffic.exchange import NO_GAPS, Exchange
from tidegauge.traffic.features import prompt_features

MODEL = "chat-7b"
BEGIN = 1.7e9
SETTINGS = DriftSettings(
    WindowLimits(requests=2000, seconds=600.0, min_requests=100),
    budget_seconds=7 * 86_400.0,
    tick_seconds=10.0,
    warmup_seconds=600.0,
    warmup_requests=500,
)
OK = Exchange(
    model=MODEL,
    streamed=True,
    outcome="ok",
    status=200,
    finish_reason="length",
    duration_seconds=1.0,
    first_token_seconds=0.1,
    gaps=NO_GAPS,
    prompt_tokens=20,
    generation_tokens=12,
    features=prompt_features(["tide gauges are read through waves 4 5 6"]),
)


def exchanges(kind: str, count: int, *, seed: int) -> Iterator[Exchange]:
    """Of kind "chat" or "code"."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        prompt = PROMPT_KINDS[kind](rng)
        yield replace(
            OK,
            features=prompt_features((prompt.text,)),
            prompt_tokens=len(prompt.text) // 4,
            generation_tokens=prompt.max_tokens,
        )


@cache
def reference(*, model: str = MODEL, seed: int = 1) -> Reference:
    """Twenty minutes of chat, a request a second."""
    sketch = Sketch(model)
    for place, exchange in enumerate(exchanges("chat", 1200, seed=seed)):
        sketch.add(row_of(exchange), at=BEGIN + place)
    return Reference.of(sketch, made_by="test")


def values(samples: Iterator[Sample], metric: Metric) -> dict[tuple[str, ...], float]:
    """By labels."""
    return {s.labels: s.value for s in samples if s.metric is metric and isinstance(s.value, float)}
