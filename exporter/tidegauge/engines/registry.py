"""The engines that we know, and which of them an exposition comes from.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterable

from tidegauge.engines.dialect import Dialect
from tidegauge.engines.llamacpp import LLAMACPP
from tidegauge.engines.lmdeploy import LMDEPLOY
from tidegauge.engines.nim import NIM
from tidegauge.engines.ray import RAY
from tidegauge.engines.sglang import SGLANG
from tidegauge.engines.tgi import TGI
from tidegauge.engines.triton import TRITON
from tidegauge.engines.trtllm import TRTLLM
from tidegauge.engines.vllm import VLLM

ENGINES: tuple[Dialect, ...] = (
    LLAMACPP,
    LMDEPLOY,
    NIM,
    RAY,
    SGLANG,
    TGI,
    TRITON,
    TRTLLM,
    VLLM,
)


def detect(names: Iterable[str]) -> Dialect | None:
    """The engine that writes rows of these names; None for an engine we don't know.

    By fingerprint; failing that (a release may rename even those rows), the engine that most of
    the names can only be from: what it still says under names that we know is better than silence.
    """
    present = frozenset(names)
    for dialect in ENGINES:
        if dialect.recognises(present):
            return dialect
    likely = [dialect for dialect in ENGINES if present.isdisjoint(dialect.impostors)]
    best = max(likely, key=lambda dialect: _count(dialect, present), default=None)
    return best if best and _count(best, present) else None


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


def _count(dialect: Dialect, names: frozenset[str]) -> int:
    return sum(map(dialect.writes, names))
