"""The page on known patterns of an engine's log, written from their table."""

from collections.abc import Iterator

from tidegauge.errors.known import KNOWN
from tidegauge.errors.known_pattern import CLASSES, Known

_HEAD = """\
# Known errors

Generated from `exporter/tidegauge/errors/known_*.py` by `python docs/build.py`. What
`tidegauge serve` finds in an engine's log by name ([errors.md](errors.md)): the name is the label
`pattern` of `llm_error_patterns_total`, the class that of `llm_error_pattern_info`. Severity fatal
raises LLMEngineFatalError.

| pattern | class | severity | is shown as |
|---|---|---|---|
"""


def known_errors() -> str:
    """A table of all, then a section for each: its meaning, and what to do."""
    rows = [
        f"| [{known.name}](#{known.name}) | {known.cls} | {known.severity} | {known.shows} |"
        for known in KNOWN
    ]
    sections = [line for cls in CLASSES for line in _of_class(cls)]
    return _HEAD + "\n".join([*rows, *sections]) + "\n"


def _of_class(cls: str) -> Iterator[str]:
    yield from ("", f"## Class {cls}")
    for known in KNOWN:
        if known.cls == cls:
            yield from _section(known)


def _section(known: Known) -> Iterator[str]:
    yield from ("", f"### {known.name}", "", known.meaning, "", f"What to do: {known.action}", "")
    yield from ("Such as:", "", "```text", *(_short(example) for example in known.examples), "```")


def _short(example: str) -> str:
    return example if len(example) <= 120 else f"{example[:117]}..."  # noqa: PLR2004 - a line
