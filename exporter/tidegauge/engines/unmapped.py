"""Which of an engine's families nobody reads: names that we have yet to learn.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterable

from tidegauge.engines.dialect import Dialect
from tidegauge.engines.exposition import RawFamily

# What a client library adds to a metric's name; which of them end up in the family's name depends
# on whether the engine said the type, and `_created` is often a family of its own.
_SUFFIXES = ("_total", "_created", "_bucket", "_sum", "_count", "_info")


def unmapped(families: Iterable[RawFamily], dialect: Dialect) -> tuple[str, ...]:
    """Names of the engine's own families that no rule reads and the dialect does not ignore."""
    own = {family.name for family in families if dialect.writes(family.name)}
    if not own:
        return ()
    known = {_stem(raw) for rule in dialect.rules for raw in (*rule.raw, rule.times)}
    known.update(_stem(name) for name in dialect.ignored if not name.endswith("*"))
    groups = tuple(name.removesuffix("*") for name in dialect.ignored if name.endswith("*"))
    return tuple(
        sorted(name for name in own if _stem(name) not in known and not name.startswith(groups))
    )


def _stem(name: str) -> str:
    """A family's name however it was written.

    >>> _stem("prompt_tokens_total_created"), _stem("ttft_seconds_bucket")
    ('prompt_tokens', 'ttft_seconds')
    """
    while (shorter := _shortened(name)) != name:
        name = shorter
    return name


def _shortened(name: str) -> str:
    return next((name.removesuffix(s) for s in _SUFFIXES if name.endswith(s)), name)
