"""One line of an exposition, read with care: names, labels, escapes, the value, metadata.

No clock, no network, no logging. Every pattern is possessive: a line costs its length, whatever
it holds. ValueError is the only error, and has no message: the caller names the line.
"""

import re
from typing import NamedTuple

Labels = tuple[tuple[str, str], ...]

_QUOTED = r'"((?:[^"\\]++|\\.)*+)"'
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*+")
_FIRST_COMMA = re.compile(r"\s*+,?+\s*+")
_SPACE = re.compile(r"\s*+")
# A label, or the name of the metric in quotes; then what follows it.
_TERM = re.compile(
    rf"\s*+(?:({_NAME.pattern})|{_QUOTED})\s*+(?:(=)\s*+{_QUOTED}\s*+)?+(?:(,)\s*+)?+(?=(\}})|.)"
)
_METADATA = re.compile(
    r"#[ \t\r\v\f]++(HELP|TYPE)(?![^ \t\r\v\f])"
    rf"(?:[ \t\r\v\f]++({_QUOTED}|[^ \t\r\v\f]++)(?:[ \t\r\v\f]++(.*+))?+)?+"
)
_ESCAPE = re.compile(r'\\[\\n"]')
_ESCAPED = {r"\\": "\\", r"\n": "\n", r"\"": '"'}


class Head(NamedTuple):
    """A row up to its value: `end` is where the rest of the line begins."""

    name: str
    labels: Labels
    end: int


class Metadata(NamedTuple):
    """A HELP or TYPE line; `kind` is the type, None in a HELP line."""

    name: str
    kind: str | None


def is_name(text: str) -> bool:
    """Whether `text` is a metric name that needs no quotes.

    >>> is_name("vllm:x_1"), is_name("1x"), is_name("x y"), is_name("é")
    (True, False, False, False)
    """
    # Three times as fast as the pattern, and this is asked of every new name.
    return text.isascii() and text.replace(":", "_").isidentifier()


def head(line: str) -> Head:
    """The name and labels at the start of a stripped line.

    Raises:
        ValueError: it starts with no name, or with labels that are none.
    """
    found = _NAME.match(line)
    name, at = (found[0], found.end()) if found else ("", 0)
    opened = _end(_SPACE, line, at)
    if line[opened : opened + 1] != "{":
        if not name or line[at : at + 1] not in {" ", "\t"}:
            raise ValueError
        return Head(name, (), at)
    return _labelled(name, line, opened + 1)


def value(rest: str) -> float:
    """The value in what follows a row's head; a timestamp or an exemplar is left out.

    Raises:
        ValueError: there is none, or the line ends in something that is no number.
    """
    rest = rest.strip()
    words = map(str.strip, rest.split(" " if " " in rest else "\t"))
    numbers = [word for word in words if word]
    if not numbers or (len(numbers) > 2 and "#" not in numbers[1:3]):  # noqa: PLR2004 -- and a time
        raise ValueError
    number(numbers[-1])
    return number(numbers[0])


def number(text: str) -> float:
    """A number as expositions write it, which is Python's without underscores.

    Raises:
        ValueError: it is none.
    """
    if "_" in text:
        raise ValueError
    return float(text)


def metadata(line: str) -> Metadata | None:
    """What a stripped line that starts with "#" says; None for a comment.

    Raises:
        ValueError: the name is none.
    """
    found = _METADATA.match(line)
    if found is None:
        return None
    if found.end() != len(line):
        raise ValueError
    keyword, name, quoted, text = found.groups()
    if quoted is not None:
        name = _unescaped(quoted)
    elif name is not None and not is_name(name):
        raise ValueError
    return Metadata(name or "", text or "" if keyword == "TYPE" else None)


def _labelled(name: str, line: str, at: int) -> Head:
    names: list[str] = [name] if name else []
    labels: dict[str, str] = {}
    at = _end(_FIRST_COMMA, line, at)
    ended = line[at : at + 1] == "}"
    while not ended:
        term = _TERM.match(line, at)
        if term is None:
            raise ValueError
        plain, quoted, equals, text, comma, brace = term.groups()
        key = plain if quoted is None else _unescaped(quoted)
        if equals:
            _add(labels, key, _unescaped(text), names)
        elif quoted is not None:
            names.append(key)
        else:
            raise ValueError
        if not comma and not brace:
            raise ValueError
        at, ended = term.end(), brace is not None
    if len(names) != 1 or not names[0]:
        raise ValueError
    return Head(names[0], tuple(labels.items()), at + 1)


def _add(labels: dict[str, str], key: str, text: str, names: list[str]) -> None:
    if key == "__name__":
        names.append(text)
    elif key in labels or key.startswith("__"):
        raise ValueError
    else:
        labels[key] = text


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED[found[0]], text) if "\\" in text else text


def _end(pattern: re.Pattern[str], line: str, at: int) -> int:
    found = pattern.match(line, at)
    return found.end() if found else at
