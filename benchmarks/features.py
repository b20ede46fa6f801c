"""What do the features of an exchange of 1,000 tokens cost, and its vectors beside them?

Texts are cut to 2,000 bytes a prompt and as many an answer, 4 bytes a token; fifty different
exchanges, so that no cache helps. CPU time of this thread, median of 40 rounds whose order turns,
warm-up left out. Per case and exchange, in microseconds:

- `features`: everything that comes from the texts (the goal is the worst case of this);
- `measuring`: the same through the seam, with the row that drift gets;
- `style`, `semantic`: the vectors' own costs, which are off by default;
- `zlib`: both texts compressed by zlib as it is by default, as a floor;
- `per_character`: seven shares of characters in plain Python, as text descriptors are made. Ours
  have to be equal before anything is timed.

    .venv/bin/python benchmarks/features.py [--text FILE.jsonl [--answers FILE.jsonl]] [--log LOG]

`--text` holds prompts, a JSON object with `text` a line; `--answers` the same for answers, by
default the prompts again. `--log` is an engine's log, or a folder of them, for what is said in
measuring/log_lines.py. Exit status: 1 if results differ, 2 if there is nothing to measure.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.measuring import features_cost  # noqa: E402 - not installed
from benchmarks.measuring.exchanges import (  # noqa: E402
    NoTextError,
    TextPair,
    built_in,
    of_files,
)

GOAL_US = 250
LOG_LINES = "benchmarks.measuring.log_lines"


def main() -> int:
    """Print a JSON line per case, and the goals' line last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, metavar="FILE.jsonl")
    parser.add_argument("--answers", type=Path, metavar="FILE.jsonl")
    parser.add_argument("--log", type=Path)
    arguments = parser.parse_args()
    try:
        found = [
            features_cost.measure(name, pairs)
            for name, pairs in _cases(arguments.text, arguments.answers)
        ]
        goals = {
            "features_us": {"value": round(max(found), 1), "goal": GOAL_US, "better": "lower"},
            **_log_lines(arguments.log),
        }
    except (NoTextError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    except features_cost.DifferError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({"benchmark": "features", "goals": goals}))
    return 0


class LogLines(Protocol):
    """The half that is about logs, in a module of its own that has needs of its own."""

    FIXTURES: Path

    def measure(self, data: Path) -> Mapping[str, Mapping[str, float | str]]:
        """Print a JSON line per case; the goals."""


def _log_lines(log: Path | None) -> Mapping[str, Mapping[str, float | str]]:
    if find_spec(LOG_LINES) is None:
        return {}
    half: LogLines = import_module(LOG_LINES)
    return half.measure(log or half.FIXTURES)


def _cases(text: Path | None, answers: Path | None) -> Iterator[tuple[str, Sequence[TextPair]]]:
    if text is None:
        yield "built in, English", built_in()
        yield "built in, Chinese", built_in(chinese=True)
    else:
        yield f"{text.name}, {(answers or text).name}", of_files(text, answers or text)


if __name__ == "__main__":
    sys.exit(main())
