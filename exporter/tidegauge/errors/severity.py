"""How bad a line of an engine's log is, and where its message begins: one row per format.

No clock, no network, no logging: same arguments, same answer. Whoever adds a format adds an
example of it to tests/unit/test_errors_severity.py.
"""

import json
import re
from dataclasses import dataclass
from typing import Literal, get_args

Level = Literal["debug", "info", "warning", "error", "fatal", "unknown"]
LEVELS: tuple[Level, ...] = get_args(Level)

MESSAGE_CHARACTERS = 4000  # of a message, and of a traceback's last line; what follows is not read

_NAMES: dict[str, Level] = {
    "trace": "debug",
    "verbose": "debug",
    "v": "debug",
    "debug": "debug",
    "d": "debug",
    "info": "info",
    "i": "info",
    "notice": "info",
    "warn": "warning",
    "warning": "warning",
    "w": "warning",
    "err": "error",
    "error": "error",
    "e": "error",
    "exception": "error",
    "severe": "error",
    "fatal": "fatal",
    "f": "fatal",
    "critical": "fatal",
    "crit": "fatal",
    "panic": "fatal",
    "alert": "fatal",
    "emerg": "fatal",
}
_LEVEL = r"(?P<level>TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|CRITICAL|FATAL)"

# Anchored, every repetition bounded, and none that can share its characters with the next in many
# ways: a line is outside bytes, and a bad one must not cost seconds.
_FORMATS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern)
    for pattern in (
        # llama.cpp: 0.00.017.911 W srv  init: …
        r"\d{1,9}\.\d\d\.\d{3}\.\d{3} (?P<level>[DIWEF]) +",
        # vLLM: (EngineCore pid=7) ERROR 08-11 12:00:00 [core.py:700] …
        r"(?:\([^()]{1,80}\) ){0,3}" + _LEVEL + r" \d\d-\d\d \d\d:\d\d:\d\d \[[^\]]{1,120}\] ?",
        # uvicorn, Python's logging: WARNING:  …, ERROR:module:…
        _LEVEL + r":(?: {1,9}|[\w.]{1,80}:)",
        # Triton, glog: E0711 12:34:56.123456 123 model.cc:12] …
        r"(?P<level>[IWEF])\d{4} \d\d:\d\d:\d\d(?:\.\d{1,9})? +\d{1,9} [^\]]{1,80}\] ?",
        # PyTorch's C++: [rank1]:[E1017 12:00:00.1 ProcessGroupNCCL.cpp:607] …
        r"(?:\[rank\d{1,5}\]:? ?)?\[(?P<level>[IWEF])(?:\d{4})? [^\]]{1,120}\] ?",
        # TensorRT-LLM: [07/11/2026-12:00:00] [TRT-LLM] [E] …
        r"(?:\[[\d/:-]{1,40}\] ?)?\[T[\w-]{1,20}\] ?\[(?P<level>[A-Z]{1,8})\] ?",
        # NCCL: host:123:456 [0] transport.cc:1 NCCL WARN …
        (
            r"(?:\[[\d: -]{1,40}\] )?[\w.-]{1,80}:\d{1,9}:\d{1,9} \[\d{1,3}\] "
            r"(?:[\w./]{1,80}:\d{1,6} )?"
            r"NCCL (?P<level>WARN|INFO|TRACE) ?"
        ),
        # SGLang, gunicorn, Rust's tracing, Python's logging with a date: a level among what follows
        # a date, or none.
        r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d[^\s\]]{0,16}(?: [^\s\]]{1,24}){0,4}\]?"
        r"(?:[ |-]{1,3}[\[(]?[\w./:]{1,64}[\])]?){0,4}?[ |:-]{1,4}[\[(]?" + _LEVEL + r"[\])]?"
        r"(?:[\s:|-]{1,16}|$)",
        r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^\s\]]{0,16}(?: [^\s\]]{1,24}){0,4}\] ?",
    )
)
_KERNEL = re.compile(r"[^\n]{0,120}?(?=NVRM: Xid )")
_COLOURS = re.compile(r"\x1b\[[0-9;]{0,12}m")
_LOGFMT = re.compile(r"(?:\w{1,20}=\S{1,60} ){0,4}level=\"?(?P<level>\w{1,10})\"?")
_LOGFMT_MESSAGE = re.compile(r' msg=(?:"((?:[^"\\]|\\.){0,4000})"?|(\S{1,4000}))')
_SAYS_BADNESS = re.compile(
    r"(?P<fatal>fatal|segmentation fault|terminate called|panicked at)"
    r"|(?P<error>error|exception|traceback|failed|failure|out of memory|timed out|xid)"
    r"|(?P<warning>warn|deprecat)",
    re.IGNORECASE,
)
_SAID_EARLY = 80  # characters in which a line that names no level says that it is an error


@dataclass(frozen=True, slots=True)
class Head:
    """A line that begins a record. `stamp` is what stands before the message.

    Its text stays in memory while the record is joined, and never in a repr.
    """

    level: Level
    stamp: str
    message: str
    ending: str = ""  # the last line of a traceback that a JSON line holds

    def __repr__(self) -> str:
        return f"Head({self.level})"


def head_of(line: str) -> Head | None:
    """The head of a line that begins a record; None for one that says neither time nor level."""
    if "\x1b" in line:
        line = _COLOURS.sub("", line)
    if line.startswith("{"):
        return _json_head(line)
    if "level=" in line[:200] and (found := _LOGFMT.match(line)):
        return _logfmt_head(line, found["level"])
    for pattern in _FORMATS:
        if found := pattern.match(line):
            level = found.groupdict().get("level")
            message = _unquoted(line[found.end() : found.end() + MESSAGE_CHARACTERS])
            return Head(_level(level) if level else guessed(message), found[0], message)
    if "NVRM: Xid " in line and (found := _KERNEL.match(line)):
        return Head("error", "", line[found.end() : found.end() + MESSAGE_CHARACTERS])
    return None


def guessed(message: str) -> Level:
    """How bad a message is that comes without a level, by how it begins."""
    found = _SAYS_BADNESS.search(message, 0, _SAID_EARLY)
    if found is None:
        return "unknown"
    return "fatal" if found["fatal"] else "error" if found["error"] else "warning"


def _level(name: str) -> Level:
    return _NAMES.get(name.lower(), "unknown")


def _unquoted(message: str) -> str:
    """Triton puts the whole message between quotation marks."""
    whole = len(message) > 1 and message[0] == message[-1] == '"' and '"' not in message[1:-1]
    return message[1:-1] if whole else message


def _logfmt_head(line: str, level: str) -> Head:
    found = _LOGFMT_MESSAGE.search(line)
    message = (found[1] or found[2] or "") if found else ""
    return Head(_level(level), "", message)


def _json_head(line: str) -> Head | None:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    inner = said["fields"] if isinstance(said.get("fields"), dict) else said
    level = _first(said, ("level", "levelname", "severity", "lvl", "log.level"))
    message = _first(inner, ("message", "msg", "event", "text"))
    if not level and not message:
        return None
    raised = _first(said, ("exc_info", "exception", "traceback", "stack_info", "error.stack_trace"))
    known = _level(level) if level else guessed(message)
    lines = message.splitlines() or [""]
    ending = last_line(raised or ("\n".join(lines[1:]) if "Traceback" in message else ""))
    return Head(known, "", lines[0][:MESSAGE_CHARACTERS], ending)


def last_line(traceback: str) -> str:
    """The line that names the exception: the last that is neither blank nor indented."""
    lines = traceback.rstrip().splitlines()
    ends = (line for line in reversed(lines[-50:]) if line.strip() and not line[0].isspace())
    return next(ends, "")[:MESSAGE_CHARACTERS]


def _first(mapping: dict[str, object], keys: tuple[str, ...]) -> str:
    texts = (mapping.get(key) for key in keys)
    return next((text for text in texts if isinstance(text, str) and text), "")
