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

    .venv/bin/python benchmarks/features.py [--text FILE.jsonl [--answers FILE.jsonl]]

`--text` holds prompts, a JSON object with `text` a line; `--answers` the same for answers, by
default the prompts again. Exit status: 1 if results differ, 2 if there is no text.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

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


def main() -> int:
    """Print a JSON line per case, and the goals' line last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, metavar="FILE.jsonl")
    parser.add_argument("--answers", type=Path, metavar="FILE.jsonl")
    arguments = parser.parse_args()
    try:
        found = [
            features_cost.measure(name, pairs)
            for name, pairs in _cases(arguments.text, arguments.answers)
        ]
    except NoTextError as error:
        print(error, file=sys.stderr)
        return 2
    except features_cost.DifferError as error:
        print(error, file=sys.stderr)
        return 1
    goals = {"features_us": {"value": round(max(found), 1), "goal": GOAL_US, "better": "lower"}}
    print(json.dumps({"benchmark": "features", "goals": goals}))
    return 0


def _cases(text: Path | None, answers: Path | None) -> Iterator[tuple[str, Sequence[TextPair]]]:
    if text is None:
        yield "built in, English", built_in()
        yield "built in, Chinese", built_in(chinese=True)
    else:
        yield f"{text.name}, {(answers or text).name}", of_files(text, answers or text)


if __name__ == "__main__":
    sys.exit(main())
