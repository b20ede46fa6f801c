"""`tidegauge`: one command per program."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from tidegauge.cli.version import add_version_flag

_COMMANDS = ("serve", "control", "signals", "inject", "reference")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; the exit status."""
    parser = argparse.ArgumentParser(
        prog="tidegauge",
        description="Watches large language models in production and keeps them healthy.",
    )
    add_version_flag(parser)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    first = (sys.argv[1:] if arguments is None else list(arguments))[:1]
    if first == ["serve"]:
        # Before numpy is imported. Drift's matrices are small: threads wait for each other, three
        # times the CPU for a reference. Not for `control`, whose engines would inherit it.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A command of no concern costs nothing: numpy and what `inject` does with it are 19 MiB.
    for command in [name for name in _COMMANDS if [name] == first] or _COMMANDS:
        importlib.import_module(f"tidegauge.cli.{command}").add_parser(subparsers)
    parsed = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = parsed.run
    return run(parsed)


if __name__ == "__main__":
    sys.exit(main())
