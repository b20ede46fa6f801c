"""Which of an engine's families nobody reads: names that we have yet to learn.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterable

from tidegauge.engines.dialect import Dialect
from tidegauge.engines.exposition import RawFamily


def unmapped(families: Iterable[RawFamily], dialect: Dialect) -> tuple[str, ...]:
    """Names of the engine's own families that no rule reads and the dialect does not ignore."""
    names = {family.name for family in families}
    return tuple(sorted(n for n in names if dialect.writes(n) and not dialect.knows(n)))
