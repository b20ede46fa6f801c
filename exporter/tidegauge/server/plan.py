"""What `serve` is to run, as data: parts that can be compared with what runs already.

A part is rebuilt when what it was made from has changed, and goes on untouched when not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tidegauge.pipeline import Schedule
from tidegauge.sources.source import Source
from tidegauge.traffic.exchange import Exchange


class PlanError(Exception):
    """The configuration cannot be run. `lines` holds one line per mistake."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class Made:
    """A part that runs. `observe` is told of every exchange that passed the tap."""

    schedule: Schedule
    observe: Callable[[Exchange], None] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One source: its name, what it is made from (compared with ==), and how to make it.

    `make` is given the sources of the parts before it, by name. A part that looks at one of them
    has in its `made_from` what that one is made from, and so never holds on to one that is gone.
    Under its own name it is given the source that it takes the place of, if there is one.
    """

    name: str
    made_from: object
    make: Callable[[Mapping[str, Source]], Made]


@dataclass(frozen=True, slots=True)
class TapPlan:
    """Where the tap listens (HOST:PORT), where it passes requests on, what it tells apart."""

    address: str
    upstream: str
    models: tuple[str, ...]
    connect_seconds: float


@dataclass(frozen=True, slots=True)
class ProbeModule:
    """How a kind of target is read: a source for its URL, and when to give up."""

    make: Callable[[str], Source]
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """What /probe may be asked for. Equal `made_from`, equal plan."""

    made_from: object
    targets: frozenset[str] = field(compare=False)
    modules: Mapping[str, ProbeModule] = field(compare=False)
    default_module: str = field(compare=False)
    max_reads: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole of it. `addresses` are where the face listens."""

    addresses: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    tap: TapPlan | None = None
    probe: ProbePlan | None = None
