"""What is watched of each request: one channel per measurement, listed in CHANNELS."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tidegauge.drift.bins import Bins, ClassBins, Value, quantile_bins
from tidegauge.traffic.features import Features
from tidegauge.traffic.texts.text_features import CLASSES, TextFeatures


@dataclass(frozen=True, slots=True)
class Observation:
    """What one request showed; None is what could not be told of it."""

    features: Features | None
    generation_tokens: int | None


@dataclass(frozen=True, slots=True)
class Channel:
    """One measurement: how to read it (None: this request does not say), and how bins are learned.

    A value of shape "length" is one whole number, of "mix" a share per class. `learn_bins` takes
    the values of a reference period, at least one.
    """

    name: str
    shape: Literal["length", "mix"]
    value: Callable[[Observation], Value | None]
    learn_bins: Callable[[Sequence[Value]], Bins]


def _prompt(seen: Observation) -> TextFeatures | None:
    return None if seen.features is None else seen.features.prompt


def _prompt_length(seen: Observation) -> Value | None:
    prompt = _prompt(seen)
    return None if prompt is None else (float(prompt.characters),)


def _answer_length(seen: Observation) -> Value | None:
    return None if seen.generation_tokens is None else (float(seen.generation_tokens),)


def _prompt_mix(seen: Observation) -> Value | None:
    prompt = _prompt(seen)
    return None if prompt is None else prompt.mix


def _length_bins(values: Sequence[Value]) -> Bins:
    return quantile_bins([int(length) for (length,) in values])


def _class_bins(_values: Sequence[Value]) -> Bins:
    return ClassBins(CLASSES)


CHANNELS: tuple[Channel, ...] = (
    Channel("prompt_length", "length", _prompt_length, _length_bins),
    Channel("answer_length", "length", _answer_length, _length_bins),
    Channel("prompt_mix", "mix", _prompt_mix, _class_bins),
)
