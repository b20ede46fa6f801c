"""Writes the dashboards' JSON, or checks that it is in step.

python dashboards/build.py [--profile production] [--out dashboards] [--check]
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that it runs as a script, from anywhere

from dashboards import overview  # noqa: E402
from dashboards.settings import load_objectives, load_refresh  # noqa: E402

_SPANS = {"demo": "15m"}
"""The time range that a dashboard opens with where an hour is too long: the demo takes minutes."""


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0, or 1 if a file is out of step or the profile unknown."""
    options = _parser().parse_args(arguments)
    try:
        texts = generate(options.profile)
    except ValueError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    return _check(texts, options.out) if options.check else _write(texts, options.out)


def generate(profile: str) -> dict[str, str]:
    """File name to JSON text; keys sorted, so that the same input gives the same bytes.

    Raises:
        ValueError: there is no such profile.
    """
    board = overview.overview(
        load_objectives(), refresh=load_refresh(profile), span=_SPANS.get(profile, "1h")
    ).build()
    text = json.dumps(board, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
    return {"overview.json": text + "\n"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profile", default="production", help="in alert-rules/profiles.yml")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="output folder")
    parser.add_argument("--check", action="store_true", help="write nothing, name what differs")
    return parser


def _check(texts: dict[str, str], folder: Path) -> int:
    stale = [name for name, text in texts.items() if _content(folder / name) != text]
    for name in stale:
        print(f"{folder / name}: out of step; run dashboards/build.py", file=sys.stderr)
    return 1 if stale else 0


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _write(texts: dict[str, str], folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
