"""A reference as JSON text, checked on the way in: whatever is wrong is one line, with the value.

The text carries a digest of its content, so that a file that was cut, edited or mixed up is
refused instead of scored against.
"""

import json
from collections import Counter
from dataclasses import dataclass
from math import fsum, isclose
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from tidegauge.drift.bins import Bins, ClassBins, LengthBins
from tidegauge.drift.channels import CHANNELS
from tidegauge.drift.reference import ChannelReference, DriftReferenceError, Reference
from tidegauge.traffic.features import FEATURES_VERSION
from tidegauge.traffic.texts.text_features import CLASSES

_SHOWN_CHARACTERS = 60
_EXACT = ConfigDict(extra="forbid", strict=True)

_Count = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Edge = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class _Channel:
    __pydantic_config__: ClassVar[ConfigDict] = _EXACT

    channel: str
    requests: Annotated[int, Field(ge=1)]
    counts: tuple[_Count, ...]
    edges: tuple[_Edge, ...] | None = None
    classes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Document:
    __pydantic_config__: ClassVar[ConfigDict] = _EXACT

    format: Literal[1]
    model: Annotated[str, Field(min_length=1)]
    features: str
    channels: Annotated[tuple[_Channel, ...], Field(min_length=1)]
    digest: str


_DOCUMENT = TypeAdapter(_Document)


def dump(reference: Reference) -> str:
    """JSON text, one channel a line."""
    head = {"format": 1, "model": reference.model, "features": reference.features}
    channels = ",\n  ".join(_json_of(channel) for channel in reference.channels)
    fields = ",\n ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items())
    return f'{{{fields},\n "digest": "{reference.digest}",\n "channels": [\n  {channels}\n ]}}\n'


def load(text: str | bytes) -> Reference:
    """The reference that `dump` wrote.

    Raises:
        DriftReferenceError: it is none, it is of another features version, or it was altered.
    """
    document = _parsed(text)
    if document.features != FEATURES_VERSION:
        raise DriftReferenceError(
            f"features: {document.features!r} is not the version of this tidegauge "
            f"({FEATURES_VERSION!r}); build the reference again"
        )
    twice = [name for name, n in Counter(c.channel for c in document.channels).items() if n > 1]
    if twice:
        raise DriftReferenceError(f"channels: {twice[0]!r} is there twice")
    channels = tuple(_channel(index, channel) for index, channel in enumerate(document.channels))
    reference = Reference(document.model, document.features, channels)
    if reference.digest != document.digest:
        raise DriftReferenceError(
            f"digest: {document.digest!r} does not match the content ({reference.digest!r}); "
            "the file was altered, build the reference again"
        )
    return reference


def _json_of(channel: ChannelReference) -> str:
    bins = channel.bins
    edges = list(bins.edges) if isinstance(bins, LengthBins) else None
    document = {
        "channel": channel.channel,
        "requests": channel.requests,
        **({"classes": list(bins.labels)} if edges is None else {"edges": edges}),
        "counts": list(channel.counts),
    }
    return json.dumps(document)


def _parsed(text: str | bytes) -> _Document:
    try:
        return _DOCUMENT.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    if not path:
        raise DriftReferenceError(f"no reference: {first['msg']}")
    if first["type"] == "missing":
        raise DriftReferenceError(f"{path}: is missing")
    shown = repr(first["input"])[:_SHOWN_CHARACTERS]
    raise DriftReferenceError(f"{path}: {first['msg']}, not {shown}")


def _channel(index: int, channel: _Channel) -> ChannelReference:
    path = f"channels.{index}"
    shapes = {known.name: known.shape for known in CHANNELS}
    if channel.channel not in shapes:
        raise DriftReferenceError(
            f"{path}.channel: {channel.channel!r} is unknown; known are {', '.join(shapes)}"
        )
    read_bins = _length_bins if shapes[channel.channel] == "length" else _class_bins
    bins = read_bins(path, channel)
    if len(channel.counts) != len(bins.labels):
        raise DriftReferenceError(
            f"{path}.counts: {len(channel.counts)} counts for {len(bins.labels)} bins"
        )
    if not isclose(fsum(channel.counts), channel.requests, rel_tol=1e-6):
        raise DriftReferenceError(
            f"{path}.counts: they sum to {fsum(channel.counts):g}, not to the "
            f"{channel.requests} requests"
        )
    return ChannelReference(channel.channel, bins, channel.counts, channel.requests)


def _length_bins(path: str, channel: _Channel) -> Bins:
    if channel.edges is None or channel.classes is not None:
        raise DriftReferenceError(f"{path}: {channel.channel} needs edges and no classes")
    try:
        return LengthBins(channel.edges)
    except ValueError as error:
        raise DriftReferenceError(f"{path}.{error}") from None


def _class_bins(path: str, channel: _Channel) -> Bins:
    if channel.edges is not None or channel.classes != CLASSES:
        found = f"edges {channel.edges} and classes {channel.classes}"
        raise DriftReferenceError(f"{path}: {found} are not the classes {', '.join(CLASSES)}")
    return ClassBins(CLASSES)
