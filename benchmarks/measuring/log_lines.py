"""How many lines of an engine's log a second do we turn into counted patterns, on one core?

Ours: bytes to lines, containers and tracebacks, severity, masking, patterns, counting; each round
begins with empty memory, and reads each file once, so that no cache has seen it. Beside it
drain3's own TemplateMiner with masks for numbers, hexadecimal, addresses and identifiers, on the
same lines and the same clock; it mines every line, or, in `worse`, only what we mine: messages of
severity warning and worse, of which a log that is all errors consists.

CPU time of this process, median of rounds, order alternated, warm-up left out.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

from tidegauge.errors.patterns import Patterns
from tidegauge.errors.severity import head_of
from tidegauge.errors.tally import Limits, Tally
from tidegauge.sources.logs.lines import Counts
from tidegauge.sources.logs.stream import Stream

FIXTURES = Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "logs"
GOAL = 20_000
ROUNDS = 9
_MOST = 1_000_000_000
_CHUNK = 64 * 1024
_MINED = ("warning", "error", "fatal")
_MASKS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}", "IP"),
    (r"0x[0-9a-fA-F]+", "HEX"),
    (r"(?<![A-Za-z0-9])[0-9a-f]{8,}(?![A-Za-z0-9])", "ID"),
    (r"(?<![A-Za-z0-9])[-+]?\d+(?:\.\d+)?(?![A-Za-z0-9])", "NUM"),
)


def measure(data: Path = FIXTURES) -> dict[str, dict[str, float | str]]:
    """Print a JSON line per case; the goals. `data` is a log, or a folder of `*.log`.

    Raises:
        FileNotFoundError: there is no log.
    """
    files = [data] if data.is_file() else sorted(data.glob("*.log"))
    if not files:
        raise FileNotFoundError(f"{data}: no log there")
    rates = [_measured(path.name, path.read_bytes()) for path in files]
    goal: dict[str, float | str] = {"value": round(min(rates)), "goal": GOAL, "better": "higher"}
    return {"log_lines_per_second": goal}


def _measured(name: str, body: bytes) -> float:
    lines = body.decode("utf-8", "replace").splitlines()
    worse = [line for line in lines if (head := head_of(line)) and head.level in _MINED]
    worse_body = "".join(f"{line}\n" for line in worse).encode()
    cases: dict[str, Callable[[], Callable[[], int]]] = {
        "ours": lambda: ours(body),
        "drain3": lambda: drain3(lines),
        "ours_worse": lambda: ours(worse_body),
        "drain3_worse": lambda: drain3(worse),
    }
    seconds = _alternated(cases)
    rate = len(lines) / seconds["ours"]
    line = {
        "case": f"log lines, {name}",
        "lines": len(lines),
        "patterns": ours(body)(),
        "lines_per_second": round(rate),
        "drain3_lines_per_second": round(len(lines) / seconds["drain3"]),
        "ratio": round(seconds["drain3"] / seconds["ours"], 2),
        "worse_lines": len(worse),
        "worse_lines_per_second": round(len(worse) / seconds["ours_worse"]) if worse else None,
        "worse_ratio": round(seconds["drain3_worse"] / seconds["ours_worse"], 2),
    }
    print(json.dumps(line), flush=True)
    return rate


def ours(body: bytes) -> Callable[[], int]:
    """Takes all of it, with empty memory, when called; how many patterns it has."""
    stream, patterns = Stream(Counts()), Patterns()
    tally = Tally(Limits(series=50, learning_seconds=0), 0)

    def run() -> int:
        for start in range(0, len(body), _CHUNK):
            for record in stream.feed(body[start : start + _CHUNK], _MOST, 0):
                tally.add(record.level, patterns.of(record), 1)
        for record in stream.end():
            tally.add(record.level, patterns.of(record), 1)
        return len(tally.listed())

    return run


def drain3(lines: Sequence[str]) -> Callable[[], int]:
    """The same by drain3 alone; how many clusters it finds."""
    config = TemplateMinerConfig()
    config.masking_instructions = [MaskingInstruction(mask, name) for mask, name in _MASKS]
    config.drain_max_clusters = 1000
    miner = TemplateMiner(config=config)

    def run() -> int:
        for line in lines:
            miner.add_log_message(line)
        return len(miner.drain.clusters)

    return run


def _alternated(cases: dict[str, Callable[[], Callable[[], int]]]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(ROUNDS + 1):
        for name in sorted(cases, reverse=turn % 2 == 1):
            run = cases[name]()  # with empty memory, each time
            began = time.process_time()
            run()
            if turn:
                times[name].append(max(time.process_time() - began, 1e-9))
    return {name: statistics.median(values) for name, values in times.items()}
