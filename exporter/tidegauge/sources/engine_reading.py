"""An engine's answer, understood: exposition in, samples in our vocabulary or a SourceError out.

No clock, no network, no logging: it may run in a thread.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tidegauge.engines import Dialect, RawFamily, detect, translate
from tidegauge.engines.continuity import Continuity, continued
from tidegauge.engines.unmapped import unmapped
from tidegauge.samples import Sample
from tidegauge.sources.engine_http import Answer
from tidegauge.sources.engine_text import ExpositionParser
from tidegauge.sources.source import SourceError

# A vLLM has some forty for each of its ranks, of which a large one has 64, behind one endpoint; but
# labels that grow without end must not swamp Prometheus.
MAX_SERIES = 5000

_NAMES_SHOWN = 5
_EVERYBODYS = ("python_", "process_", "http_")


@dataclass(frozen=True, slots=True)
class Understood:
    """One reading: whose it is, what it says, which names we don't know, what to remember."""

    dialect: Dialect
    samples: tuple[Sample, ...]
    unmapped: tuple[str, ...]
    continuity: Continuity


def understand(
    answer: Answer,
    *,
    parser: ExpositionParser,
    pinned: Dialect | None,
    model: str,
    before: Continuity,
    stopped: Callable[[], bool],
) -> Understood:
    """What an exposition says, read by the `pinned` dialect or by the one that recognises it.

    Raises:
        SourceError: "parse", "unknown_engine", "too_large", or "timeout" when `stopped`.
    """
    families = parser.parse(answer.body, stopped=stopped, content_type=answer.content_type)
    dialect = pinned or detect({row.name for family in families for row in family.series})
    if dialect is None:
        raise _unknown(families, "no known engine has these series")
    families, after = continued(families, dialect, before)
    samples = translate(families, dialect, model=model)
    if not samples:
        raise _unknown(families, f"none of the series of {dialect.name}")
    if len(samples) > MAX_SERIES:
        message = f"{len(samples)} series, more than {MAX_SERIES}; see its labels"
        raise SourceError("too_large", message)
    return Understood(dialect, samples, unmapped(families, dialect), after)


def _unknown(families: Iterable[RawFamily], problem: str) -> SourceError:
    names = sorted({family.name for family in families})
    telling = [name for name in names if not name.startswith(_EVERYBODYS)] or names
    more = ", …" if len(telling) > _NAMES_SHOWN else ""
    seen = ", ".join(telling[:_NAMES_SHOWN]) or "nothing"
    return SourceError("unknown_engine", f"{problem}; saw {seen}{more}")
