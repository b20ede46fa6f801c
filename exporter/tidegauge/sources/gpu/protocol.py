"""What the child tells the parent, as bytes: one line of JSON for each state, and back again.

No clock, no network, no logging: same arguments, same answer. A part that has not changed since
the last line is left out, and so is a kept sample; the parent remembers both.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from tidegauge.catalog import CATALOG, Metric
from tidegauge.samples import Distribution, Sample

VERSION = 1
MAX_LINE_BYTES = 4 * 1024 * 1024

Trouble = Literal["hung", "lost", "failed", "forbidden"]
Ending = Literal["unavailable", "driver", "devices", "mig"]

_METRICS: Mapping[str, Metric] = {metric.name: metric for metric in CATALOG}


class ProtocolError(Exception):
    """A line that is no state of this version."""


@dataclass(frozen=True, slots=True)
class Part:
    """Samples of one device that were taken together, and are true for `good_for` seconds."""

    name: str
    taken_at: float
    good_for: float
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class DeviceState:
    """One device: `labels` are its `gpu` and `uuid`, `parts` what is new of it.

    `answered_at` is when its fast tier was last read, `trouble` what is wrong, and for how long;
    `settled` is set once every tier was tried.
    """

    index: int
    labels: tuple[str, str]
    answered_at: float | None = None
    trouble: Trouble | None = None
    trouble_seconds: float = 0.0
    message: str = ""
    parts: tuple[Part, ...] = ()
    settled: bool = True


@dataclass(frozen=True, slots=True)
class End:
    """Why the child ends by itself."""

    reason: Ending
    message: str


@dataclass(frozen=True, slots=True)
class State:
    """The child at one moment; times are of the monotonic clock, which both processes share.

    `kept` holds what outlives a device's trouble and the child: counters since its start, and
    gauges of the last value. `opening_seconds` is set while NVML is being opened, `opening` the
    call that it waits for.
    """

    at: float
    devices: tuple[DeviceState, ...] = ()
    kept: tuple[Sample, ...] = ()
    opening_seconds: float | None = None
    opening: str = ""
    end: End | None = None


def encode(state: State) -> bytes:
    """One line, its newline included.

    Raises:
        ProtocolError: it would be longer than MAX_LINE_BYTES.
    """
    tree = {
        "v": VERSION,
        "at": state.at,
        "devices": [_device_tree(device) for device in state.devices],
        "kept": [_sample_tree(sample) for sample in state.kept],
        "opening": [state.opening_seconds, state.opening],
        "end": state.end and [state.end.reason, state.end.message],
    }
    line = json.dumps(tree, separators=(",", ":"), check_circular=False).encode() + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise ProtocolError(f"a state of {len(line)} bytes; at most {MAX_LINE_BYTES} fit")
    return line


def decode(line: bytes) -> State:
    """The state that a line holds.

    Raises:
        ProtocolError: it holds none.
    """
    if len(line) > MAX_LINE_BYTES:
        raise ProtocolError(f"a line of {len(line)} bytes; at most {MAX_LINE_BYTES} are read")
    try:
        tree = json.loads(line)
        if tree["v"] != VERSION:
            raise ProtocolError(f"version {tree['v']!r}; this program speaks {VERSION}")
        return State(
            at=_finite(tree["at"]),
            devices=tuple(_device(*device) for device in tree["devices"]),
            kept=tuple(_sample(*sample) for sample in tree["kept"]),
            opening_seconds=None if tree["opening"][0] is None else _finite(tree["opening"][0]),
            opening=_text(tree["opening"][1]),
            end=None if tree["end"] is None else _end(*tree["end"]),
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ProtocolError(f"{line[:80]!r} is no state: {error!r}") from error


def _device_tree(device: DeviceState) -> list[object]:
    parts = [
        [part.name, part.taken_at, part.good_for, [_sample_tree(s) for s in part.samples]]
        for part in device.parts
    ]
    return [
        device.index,
        device.labels,
        device.answered_at,
        device.trouble,
        device.trouble_seconds,
        device.message,
        parts,
        device.settled,
    ]


def _sample_tree(sample: Sample) -> list[object]:
    value = sample.value
    if isinstance(value, Distribution):
        return [sample.metric.name, sample.labels, [[n for _, n in value.buckets], value.sum]]
    return [sample.metric.name, sample.labels, value]


def _device(  # noqa: PLR0917 - the order of the line
    index: int,
    labels: list[str],
    answered_at: float | None,
    trouble: Trouble | None,
    trouble_seconds: float,
    message: str,
    parts: list[tuple[str, float, float, list[tuple[str, list[str], object]]]],
    settled: object,
) -> DeviceState:
    if trouble is not None and trouble not in get_args(Trouble):
        raise ValueError(f"trouble {trouble!r}")
    gpu, uuid = labels
    return DeviceState(
        index=int(index),
        labels=(_text(gpu), _text(uuid)),
        answered_at=None if answered_at is None else _finite(answered_at),
        trouble=trouble,
        trouble_seconds=_finite(trouble_seconds),
        message=_text(message),
        parts=tuple(_part(*part) for part in parts),
        settled=settled is True,
    )


def _part(
    name: str, taken_at: float, good_for: float, samples: list[tuple[str, list[str], object]]
) -> Part:
    seen = tuple(_sample(*sample) for sample in samples)
    return Part(_text(name), _finite(taken_at), _finite(good_for), seen)


def _sample(name: str, labels: list[str], value: object) -> Sample:
    metric = _METRICS[name]
    words = tuple(_text(label) for label in labels)
    if not isinstance(value, list):
        return Sample(metric, _finite(value), words)
    counts, total = value
    bounds = (*(metric.buckets or ()), math.inf)
    buckets = zip(bounds, map(_finite, counts), strict=True)
    return Sample(metric, Distribution(tuple(buckets), _finite(total)), words)


def _end(reason: Ending, message: str) -> End:
    if reason not in get_args(Ending):
        raise ValueError(f"end {reason!r}")
    return End(reason, _text(message))


def _finite(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
