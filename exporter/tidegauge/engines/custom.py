"""A dialect of the user's own, from a tree of plain values as YAML gives it.

No clock, no network, no logging: same arguments, same answer. A tree says what a Dialect and its
Rules say, under the same names; `raw` may be one name instead of a list, `labels`, `match`,
`constant` and `values` are mappings.
"""

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from tidegauge.catalog import Metric, inference
from tidegauge.engines.dialect import Dialect
from tidegauge.engines.rule import COMMON_LABELS, Join, Rule

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in inference.METRICS
    if metric.labels[: len(COMMON_LABELS)] == COMMON_LABELS
}
"""What a rule may give, by name."""

_Tree = Mapping[str, object]
_Choice = TypeVar("_Choice", bound=str)


class DialectError(ValueError):
    """The tree is no dialect. The message gives key path, bad value and what would be right."""


def custom_dialect(tree: _Tree) -> Dialect:
    """The dialect that the tree describes.

    Raises:
        DialectError: it describes none.
    """
    keys = _Keys(tree, "", _DIALECT_KEYS)
    rules = tuple(
        rule_of(rule, path=f"rules[{number}]") for number, rule in enumerate(keys.trees("rules"))
    )
    if not rules:
        raise DialectError("rules: is empty; give at least one rule, with `metric` and `raw`")
    name = keys.text("name", "custom")
    if not name:
        raise DialectError("name: '' is no value for the label `engine`; write such as 'myengine'")
    prefixes = keys.texts("prefixes")
    if "" in prefixes:
        raise DialectError("prefixes: '' begins every name; write such as 'myengine_'")
    return Dialect(
        name=name,
        title=keys.text("title", ""),
        # What the user pins is never looked for; a dialect has a fingerprint all the same.
        fingerprint=keys.texts("fingerprint") or rules[0].reads[:1],
        rules=rules,
        model_label=keys.text("model_label", "") or None,
        rank_label=keys.text("rank_label", "") or None,
        copies=keys.texts("copies"),
        prefixes=prefixes,
        ignored=keys.texts("ignored"),
        paths=keys.texts("paths") or ("/metrics",),
    )


def rule_of(tree: _Tree, *, path: str = "") -> Rule:
    """The rule that the tree describes; `path` begins the key paths of its errors.

    Raises:
        DialectError: it describes none.
    """
    keys = _Keys(tree, path, _RULE_KEYS)
    absent = keys.number("absent", 0.0) if keys.value("absent") is not None else None
    join: Join | None = None
    if keys.value("join") is not None:
        chosen: Join = keys.choice("join", "sum", "max")
        join = chosen
    try:
        rule = Rule(
            raw=keys.texts("raw"),
            metric=keys.metric(),
            combine=keys.choice("combine", "first", "sum"),
            part=keys.choice("part", "whole", "sum", "count"),
            labels=keys.pairs("labels"),
            match=keys.pairs("match"),
            scale=keys.number("scale", 1.0),
            absent=absent,
            constant=keys.pairs("constant"),
            values=keys.renames("values"),
            split=keys.text("split", ""),
            value_of=keys.texts("value_of"),
            pick=keys.choice("pick", "all", "newest"),
            times=keys.text("times", ""),
            join=join,
        )
    except DialectError:
        raise
    except ValueError as error:
        # What remains is a rule that contradicts its metric.
        problem = str(error).partition(": ")[2]
        raise DialectError(f"{path}.metric: {problem}" if path else f"metric: {problem}") from None
    counts = (rule.metric.kind, rule.part, rule.combine) == ("counter", "whole", "first")
    return replace(rule, raw=_with_totals(rule.raw)) if counts else rule


def _with_totals(raw: tuple[str, ...]) -> tuple[str, ...]:
    """A counter's rows end in `_total` once they are parsed, whether the engine writes that or not.

    Who copies a name from the engine's page may have it either way.
    """
    pairs = ((name,) if name.endswith("_total") else (f"{name}_total", name) for name in raw)
    return tuple(dict.fromkeys(name for names in pairs for name in names))


_RULE_KEYS = (
    *("metric", "raw", "combine", "part", "labels", "match", "scale", "absent", "constant"),
    *("values", "split", "value_of", "pick", "times", "join"),
)
_DIALECT_KEYS = (
    *("name", "title", "fingerprint", "rules", "model_label", "rank_label", "copies"),
    *("prefixes", "ignored", "paths"),
)


class _Keys:
    """A mapping of the tree, read key by key; every method raises DialectError."""

    def __init__(self, tree: object, path: str, known: Sequence[str]) -> None:
        if not isinstance(tree, Mapping):
            raise DialectError(f"{path or 'custom'}: {tree!r} is no mapping of keys")
        self._tree: Mapping[object, object] = tree
        self._path = path
        for key in tree:
            if key not in known:
                close = difflib.get_close_matches(str(key), known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
                raise DialectError(f"{self._at(str(key))}: unknown key; {hint}")

    def value(self, key: str) -> object:
        return self._tree.get(key)

    def text(self, key: str, default: str) -> str:
        value = self._tree.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self._error(key, value, "write a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._tree.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        listed = value if isinstance(value, list | tuple) else [value]
        if not all(isinstance(item, str) for item in listed):
            raise self._error(key, value, "write a text, or a list of texts")
        return tuple(listed)

    def trees(self, key: str) -> Sequence[_Tree]:
        value = self._tree.get(key, ())
        if not isinstance(value, list | tuple):
            raise self._error(key, value, "write a list, each item a mapping of keys")
        return value

    def number(self, key: str, default: float) -> float:
        value = self._tree.get(key, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise self._error(key, value, "write a number such as 0.001")
        return float(value)

    def choice(self, key: str, default: _Choice, *others: _Choice) -> _Choice:
        value = self._tree.get(key, default)
        for choice in (default, *others):
            if value == choice:
                return choice
        raise self._error(key, value, f"write one of {', '.join((default, *others))}")

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        return tuple(
            (theirs, ours)
            for theirs, ours in self._renames(key, lambda v: isinstance(v, str), "a text")
            if ours is not None
        )

    def renames(self, key: str) -> tuple[tuple[str, str | None], ...]:
        return self._renames(
            key, lambda v: v is None or isinstance(v, str), "a text, or null to leave rows out"
        )

    def _renames(
        self, key: str, good: Callable[[object], bool], wanted: str
    ) -> tuple[tuple[str, str | None], ...]:
        value = self._tree.get(key)
        if value is None:
            return ()
        if not isinstance(value, Mapping):
            raise self._error(key, value, "write a mapping such as {their_name: our_name}")
        for theirs, ours in value.items():
            if not isinstance(theirs, str) or not good(ours):
                at = f"{self._at(key)}.{theirs}"
                raise DialectError(f"{at}: {ours!r} is wrong; write {wanted} (quote numbers)")
        return tuple(value.items())

    def metric(self) -> Metric:
        name = self._tree.get("metric")
        if isinstance(name, str) and name in METRICS:
            return METRICS[name]
        close = difflib.get_close_matches(str(name), METRICS, n=1)
        right = f"did you mean {close[0]}?" if close else "docs/metrics.md lists them"
        raise self._error("metric", name, f"write an inference metric of ours; {right}")

    def _error(self, key: str, value: object, right: str) -> DialectError:
        return DialectError(f"{self._at(key)}: {value!r} is wrong; {right}")

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key
