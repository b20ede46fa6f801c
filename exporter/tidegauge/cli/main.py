"""`tidegauge`: one command per program."""

import argparse
import sys
from collections.abc import Callable, Sequence

from tidegauge.cli import control, inject, reference, serve
from tidegauge.cli.version import add_version_flag

_COMMANDS = (serve, control, inject, reference)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; the exit status."""
    parser = argparse.ArgumentParser(
        prog="tidegauge",
        description="Watches large language models in production and keeps them healthy.",
    )
    add_version_flag(parser)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(subparsers)
    parsed = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = parsed.run
    return run(parsed)


if __name__ == "__main__":
    sys.exit(main())
