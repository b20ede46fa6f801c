"""What `serve` is to run, as data: parts that can be compared with what runs already.

A part is rebuilt when what it was made from has changed, and goes on untouched when not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tidegauge.pipeline import Schedule
from tidegauge.sources.source import Source
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.texts.vector_settings import NO_VECTORS, VectorSettings, VectorTallies
from tidegauge.web import Input, InputRules, Page


class PlanError(Exception):
    """The configuration cannot be run. `lines` holds one line per mistake."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class Around:
    """What a part may lean on.

    `sources` are those of the parts before it, by name; under its own name it is the source that
    it takes the place of, if there is one. `record` tells every part that observes of an exchange
    that came in by this part's door; `arrivals` counts what begins and ends there, `vectors`
    what becomes of the vectors of all doors.
    """

    sources: Mapping[str, Source]
    record: Callable[[Exchange], None]
    arrivals: Arrivals
    vectors: VectorTallies = field(default_factory=VectorTallies)


@dataclass(frozen=True, slots=True)
class Made:
    """A part that runs. `observe` is told of every exchange, whichever door it came by.

    `pages` answer GET, and `inputs` take POST, at paths of the face that are this part's alone. A
    Guard stands before every input, so none has to ask who sends.
    """

    schedule: Schedule
    observe: Callable[[Exchange], None] | None = None
    pages: Mapping[str, Page] = field(default_factory=dict)
    inputs: Mapping[str, Input] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One source: its name, what it is made from (compared with ==), and how to make it.

    A part that looks at the source of another has in its `made_from` what that one is made from,
    and so never holds on to one that is gone.
    """

    name: str
    made_from: object
    make: Callable[[Around], Made]


@dataclass(frozen=True, slots=True)
class TapPlan:
    """Where the tap listens (HOST:PORT) and passes requests on; what becomes labels and vectors."""

    address: str
    upstream: str
    labelling: Labelling
    connect_seconds: float
    vectors: VectorSettings = NO_VECTORS


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
    """The whole of it. `addresses` are where the face listens, `inputs` who may send there."""

    addresses: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    tap: TapPlan | None = None
    probe: ProbePlan | None = None
    inputs: InputRules = field(default_factory=InputRules)
