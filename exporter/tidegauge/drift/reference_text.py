"""A reference as JSON text, checked on the way in: whatever is wrong is one line, with the value.

No clock, no network, no logging: same arguments, same answer. The head is for people; the bulk is
base64 of zlib of reference_bulk.py's bytes. A digest of the content is in it, so that a file that
was cut, edited or mixed up is refused instead of scored against.
"""

import json
import zlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from tidegauge.drift import reference_bulk as bulk
from tidegauge.drift.cells import VERSION
from tidegauge.drift.reference import DriftReferenceError, DriftVersionError, Reference

FORMAT = 2
MAX_TEXT_BYTES = 48 << 20
"""Of a reference's file. The largest that a sketch can make is smaller, whatever is in it."""

_SHOWN_CHARACTERS = 60
_LAST_SECOND = 253_402_300_799  # the year 9999, which is what can be shown
_EXACT = ConfigDict(extra="forbid", strict=True)
_LEVEL = 1  # zlib's: 6 takes five times as long and saves a tenth

_Moment = Annotated[float, Field(ge=0, le=_LAST_SECOND, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class _Document:
    __pydantic_config__: ClassVar[ConfigDict] = _EXACT

    format: Literal[2]
    model: Annotated[str, Field(min_length=1)]
    features: str
    made_by: Annotated[str, Field(max_length=64)]
    semantic: Annotated[str, Field(max_length=4096)]
    begin: _Moment
    end: _Moment
    requests: Annotated[int, Field(ge=1, lt=1 << 40)]
    block_seconds: Annotated[float, Field(ge=1e-3, le=1e10, allow_inf_nan=False)]
    digest: str
    blocks: str
    moments: str
    sample: str


@dataclass(frozen=True, slots=True)
class _Version:
    """What says whether the rest can be read."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="ignore", strict=True)

    format: int
    features: str


_DOCUMENT = TypeAdapter(_Document)
_VERSION = TypeAdapter(_Version)


def dump(reference: Reference) -> str:
    """JSON text, a field a line; times are in Unix seconds."""
    sketch = reference.sketch
    blocks, moments, sample = map(_packed, bulk.content(sketch))
    fields: dict[str, str | float | None] = {
        "format": FORMAT,
        "model": reference.model,
        "features": reference.features,
        "made_by": reference.made_by,
        "semantic": reference.semantic,
        "begin": sketch.begin,
        "end": sketch.end,
        "requests": sketch.requests,
        "block_seconds": sketch.block_seconds,
        "digest": reference.digest,
        "blocks": blocks,
        "moments": moments,
        "sample": sample,
    }
    lines = ",\n ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fields.items())
    return f"{{{lines}}}\n"


def load(text: str | bytes) -> Reference:
    """The reference that `dump` wrote.

    Raises:
        DriftReferenceError: it is none, or it was altered; a DriftVersionError, where another
            tidegauge made it.
    """
    if len(text) > MAX_TEXT_BYTES:
        raise DriftReferenceError(f"{len(text)} bytes: a reference has at most {MAX_TEXT_BYTES}")
    document = _parsed(text)
    told = bulk.Told(
        model=document.model,
        begin=document.begin,
        end=document.end,
        requests=document.requests,
        block_seconds=document.block_seconds,
    )
    if document.begin > document.end:
        raise DriftReferenceError(f"begin: {document.begin!r} is after end ({document.end!r})")
    try:
        sketch = bulk.sketch_of(
            told,
            _unpacked("blocks", document.blocks, bulk.MAX_BLOCKS_BYTES),
            _unpacked("moments", document.moments, bulk.MAX_MOMENTS_BYTES),
            _unpacked("sample", document.sample, bulk.MAX_SAMPLE_BYTES),
        )
    except ValueError as error:
        raise DriftReferenceError(f"{error}; {_ALTERED}") from None
    reference = Reference.of(sketch, made_by=document.made_by, semantic=document.semantic)
    if reference.digest != document.digest:
        raise DriftReferenceError(
            f"digest: {document.digest[:_SHOWN_CHARACTERS]!r} does not match the content "
            f"({reference.digest!r}); {_ALTERED}"
        )
    return reference


_ALTERED = "the file was altered or cut, build the reference again"


def _packed(raw: bytes) -> str:
    return b64encode(zlib.compress(raw, _LEVEL)).decode()


def _unpacked(name: str, text: str, most: int) -> bytes:
    """At most so many bytes, however much it would become.

    Raises:
        ValueError: it is not packed, or more.
    """
    inflating = zlib.decompressobj()
    try:
        raw = inflating.decompress(b64decode(text, validate=True), most)
    except Base64Error as error:
        raise ValueError(f"{name}: is no base64 ({error})") from None
    except zlib.error as error:
        raise ValueError(f"{name}: {error}") from None
    if inflating.unconsumed_tail:
        raise ValueError(f"{name}: holds more than {most} bytes")
    if not inflating.eof or inflating.unused_data:
        raise ValueError(f"{name}: is cut, or something follows it")
    return raw


def _parsed(text: str | bytes) -> _Document:
    try:
        _check(_VERSION.validate_json(text))
        return _DOCUMENT.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    path = ".".join(map(str, first["loc"]))[:_SHOWN_CHARACTERS]
    if not path:
        raise DriftReferenceError(f"no reference: {first['msg']}")
    if not path.isprintable():
        path = repr(path)
    if first["type"] == "missing":
        raise DriftReferenceError(f"{path}: is missing")
    shown = repr(first["input"])[:_SHOWN_CHARACTERS]
    raise DriftReferenceError(f"{path}: {first['msg']}, not {shown}")


def _check(version: _Version) -> None:
    if version.format != FORMAT:
        raise DriftVersionError(
            f"format: {version.format} is not that of this tidegauge ({FORMAT}); "
            "build the reference again"
        )
    if version.features != VERSION:
        raise DriftVersionError(
            f"features: {version.features[:_SHOWN_CHARACTERS]!r} is not the version of this "
            f"tidegauge ({VERSION!r}); build the reference again"
        )
