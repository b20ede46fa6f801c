"""The datum that requests are compared with: the sketch of an ordinary period, and of what it is.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from tidegauge.drift.cells import VERSION
from tidegauge.drift.reference_bulk import content
from tidegauge.drift.sketch import Sketch

MIN_REFERENCE_REQUESTS = 100
UNTIMED_BEGIN = 0.0
"""When a reference begins whose requests had no times: they are laid one a second from here on."""

_DIGEST_DIGITS = 16


class DriftReferenceError(Exception):
    """A reference that can't be built or used; the message gives the bad value in one line."""


class DriftVersionError(DriftReferenceError):
    """It was made by another tidegauge, whose features or file are not ours; else it is sound."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What is ordinary for one model. Made by `of`; nothing may be added to its sketch afterwards.

    Attributes:
        sketch: the requests.
        features: cells.VERSION of when they were counted.
        made_by: the version of tidegauge that made it.
        semantic: which embedding its semantic vectors are of; "" where it has none.
        digest: hexadecimal, of all of it but `made_by`: equal content has an equal digest,
            whichever replica counted or merged what.
    """

    sketch: Sketch = field(compare=False, repr=False)
    features: str
    made_by: str
    semantic: str
    digest: str

    @classmethod
    def of(cls, sketch: Sketch, *, made_by: str, semantic: str = "") -> "Reference":
        """The reference that a sketch is.

        Raises:
            DriftReferenceError: it has no requests, or its model no name.
        """
        if not sketch.model:
            raise DriftReferenceError("model '': a reference needs the name of its model")
        if not sketch.requests:
            raise DriftReferenceError(f"model {sketch.model!r}: a reference of no requests is none")
        return cls(sketch, VERSION, made_by, semantic, _digest(sketch, semantic))

    @property
    def model(self) -> str:
        """Whose requests they are."""
        return self.sketch.model

    @property
    def timed(self) -> bool:
        """Whether it is known when its requests came, and so how traffic wanders with time."""
        return self.sketch.begin != UNTIMED_BEGIN


def merged(references: Sequence[Reference], *, made_by: str) -> Reference:
    """What one sidecar would have learned that had seen all requests; at least one reference.

    Raises:
        DriftReferenceError: they are not of one model, their vectors not of one embedding, or
            their blocks do not fit.
    """
    first, *others = references
    # From an empty sketch, since joining changes the one that it is done to.
    narrowest = min(reference.sketch.block_seconds for reference in references)
    whole, semantic = Sketch(first.model, block_seconds=narrowest), first.semantic
    whole.join(first.sketch)
    for other in others:
        semantic = _common(semantic, other.semantic)
        if other.timed != first.timed:
            raise DriftReferenceError("begin: the requests of only one of the two have times")
        if not (other.sketch.block_seconds / narrowest).hex().startswith("0x1.0000000000000p"):
            raise DriftReferenceError(
                f"block_seconds: {other.sketch.block_seconds:g} s is not {narrowest:g} s doubled "
                "so and so often; references merge whose blocks were equally wide at first"
            )
        _join(whole, other)
    return Reference.of(whole, made_by=made_by, semantic=semantic)


def _join(whole: Sketch, other: Reference) -> None:
    try:
        whole.join(other.sketch)
    except ValueError as error:
        raise DriftReferenceError(str(error)) from None


def _common(semantic: str, other: str) -> str:
    if semantic and other and semantic != other:
        raise DriftReferenceError(
            f"semantic: vectors of {other!r} cannot be added to those of {semantic!r}"
        )
    return semantic or other


def _digest(sketch: Sketch, semantic: str) -> str:
    head = (sketch.model, VERSION, semantic, sketch.requests)
    times = (float(sketch.begin or 0), float(sketch.end or 0), float(sketch.block_seconds))
    whole = sha256(repr((head, times)).encode("utf-8", "surrogatepass"))
    for part in content(sketch):
        whole.update(part)
    return whole.hexdigest()[:_DIGEST_DIGITS]
