"""What an engine says that its dialect has not learned: names of families that no rule reads.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterable

from tidegauge.engines.dialect import Dialect
from tidegauge.engines.exposition import RawFamily

_ROWS_OF_A_FAMILY = ("_total", "_bucket", "_sum", "_count", "_created", "_info", "_gsum", "_gcount")


def unmapped(families: Iterable[RawFamily], dialect: Dialect) -> tuple[str, ...]:
    """Names of the families under the dialect's prefixes that no rule reads, sorted.

    Families that the dialect ignores on purpose are left out, and `_created` ones, which are
    times and no quantities.
    """
    known = {_stem(name) for rule in dialect.rules for name in (*rule.raw, *rule.rows)}
    known.update(_stem(name) for name in dialect.ignored)
    found = {
        family.name
        for family in families
        if family.name.startswith(dialect.prefixes) and not family.name.endswith("_created")
    }
    return tuple(sorted(name for name in found if _stem(name) not in known))


def _stem(name: str) -> str:
    """A family's name, whichever of its rows it is taken from."""
    for ending in _ROWS_OF_A_FAMILY:
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name
