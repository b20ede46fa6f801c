"""Every row of KNOWN: found by what engines write, on any level, and by nothing else's example."""

import pytest

from tidegauge.errors.known import KNOWN
from tidegauge.errors.known_pattern import CLASSES, Known
from tidegauge.errors.patterns import Pattern, Patterns
from tidegauge.sources.logs.lines import Counts
from tidegauge.sources.logs.stream import Stream

EXAMPLES = [(known, line) for known in KNOWN for line in known.examples]


def patterns_of(*lines: str) -> list[Pattern | None]:
    stream, patterns = Stream(Counts()), Patterns()
    body = "".join(f"{line}\n" for line in lines).encode()
    return [patterns.of(record) for record in (*stream.feed(body, 100, 0), *stream.end())]


@pytest.mark.parametrize("known,line", EXAMPLES, ids=[f"{k.name}: {e[:40]}" for k, e in EXAMPLES])
def test_an_example_is_found(known: Known, line: str) -> None:
    wrapped = f"2026-07-11T12:00:00.123456789Z stderr F {line}"
    below = ("INFO:     fine", "Traceback (most recent call last):", "  File", line)
    (bare,), (in_container,) = patterns_of(line), patterns_of(wrapped)
    *_, last = patterns_of(*below)  # an exception's line, or a record of its own
    for found in (bare, in_container, last):
        assert found
        assert (found.id, found.shows, found.severity) == (known.name, known.shows, known.severity)


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_a_row_is_complete(known: Known) -> None:
    assert known.cls in CLASSES
    assert known.examples
    assert known.phrases
    assert all(part == part.lower() and len(part) > 3 for each in known.phrases for part in each)
    assert known.meaning.endswith(".")
    assert known.action.endswith(".")


def test_names_are_unique_and_no_id_of_a_found_pattern() -> None:
    names = [known.name for known in KNOWN]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name == name.lower() for name in names)
    assert "other" not in names
