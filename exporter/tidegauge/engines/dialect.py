"""How one engine's rows become our metrics, as data: a Dialect is a table of Rules.

No clock, no network, no logging: same arguments, same answer. An engine's peculiarity is a field
here and a line in its table, never a branch in `translate`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tidegauge.engines.rule import Rule
from tidegauge.engines.stem import stem


@dataclass(frozen=True, slots=True)
class Dialect:
    """One engine's vocabulary.

    `fingerprint` are row names that this engine always has, from its first second, and that no
    other engine has all of. `model_label` and `rank_label` name the raw labels that carry the
    model and the data-parallel rank; None where the engine has none. `copies` name raw labels
    by which workers repeat one fact (tensor-parallel ranks): of rows that differ in these alone,
    the largest counts. `prefixes` begin the names that only this engine writes: what begins so,
    is read by no rule and is not in `ignored` (families that we know and leave alone on purpose,
    without `_total`; a `*` at the end stands for any rest) is a name that we have yet to learn.
    `impostors` are rows by which a program that borrows the engine's names, such as a router,
    gives itself away. `paths` are where the engine serves its metrics, the usual one first.
    `title` is what its makers call it.

    Raises:
        ValueError: there is nothing to recognise or to translate.
    """

    name: str
    fingerprint: tuple[str, ...]
    rules: tuple[Rule, ...]
    model_label: str | None = None
    rank_label: str | None = None
    copies: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    impostors: tuple[str, ...] = ()
    paths: tuple[str, ...] = ("/metrics",)
    title: str = ""
    reads: frozenset[str] = field(init=False, repr=False, compare=False)
    """Names of all rows that a rule reads."""
    _stems: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.name or not self.fingerprint or not self.rules:
            message = f"dialect {self.name!r}: name, fingerprint and rules must not be empty"
            raise ValueError(message)
        reads = frozenset(row for rule in self.rules for row in rule.reads)
        object.__setattr__(self, "reads", reads)
        known = (*self.ignored, *(raw for rule in self.rules for raw in (*rule.raw, rule.times)))
        object.__setattr__(self, "_stems", frozenset(map(stem, known)))

    def recognises(self, names: frozenset[str]) -> bool:
        """Whether an exposition with rows of these names comes from this engine."""
        return names.issuperset(self.fingerprint) and names.isdisjoint(self.impostors)

    def writes(self, name: str) -> bool:
        """Whether a name is one that only this engine would use."""
        return name.startswith(self.prefixes)

    def knows(self, family: str) -> bool:
        """Whether a family of that name is read, or left alone on purpose."""
        if stem(family) in self._stems:
            return True
        groups = (name for name in self.ignored if name.endswith("*"))
        return any(family.startswith(name[:-1]) for name in groups)


def under(prefixes: tuple[str, ...], rules: Iterable[Rule], *, once: str) -> tuple[Rule, ...]:
    """The same rules for a program that passes an engine's rows on under other prefixes.

    `once` is the prefix that the rules' names have now; a rule that reads other names is left out.

    >>> from tidegauge.catalog.inference import REQUESTS_RUNNING
    >>> (rule,) = under(("a:", "a_"), (Rule(("x:n",), REQUESTS_RUNNING),), once="x:")
    >>> rule.raw
    ('a:n', 'a_n')
    """
    return tuple(
        replace(rule, raw=tuple(p + name.removeprefix(once) for name in rule.raw for p in prefixes))
        for rule in rules
        if all(name.startswith(once) for name in rule.raw)
    )
