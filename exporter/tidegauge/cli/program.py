"""What `serve` and `control` share: flags for the configuration, and running until a signal."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path

from tidegauge.cli import log
from tidegauge.config import Config, ConfigError, load


def add_config_flags(parser: argparse.ArgumentParser) -> None:
    """Flags that every long-running command has."""
    parser.add_argument(
        "--config.file", dest="config_file", type=Path, metavar="FILE", help="tidegauge.yml"
    )
    parser.add_argument(
        "--config.check",
        dest="config_check",
        action="store_true",
        help="check the configuration, say what is wrong, and exit",
    )
    parser.add_argument(
        "--log.level", dest="log_level", metavar="LEVEL", help="overrides log.level"
    )


def configured(arguments: argparse.Namespace, overrides: Mapping[str, str | None]) -> Config | None:
    """The configuration with flags laid over it, or None when its mistakes have been printed."""
    given = {key: value for key, value in overrides.items() if value is not None}
    if arguments.log_level is not None:
        given["log.level"] = arguments.log_level
    try:
        config = load(arguments.config_file, overrides=given)
    except ConfigError as error:
        complain(arguments.command, *error.lines)
        return None
    log.configure(config.log.level, config.log.format)
    return config


def complain(command: str, *lines: str) -> None:
    """One line per mistake on standard error."""
    for line in lines:
        print(f"tidegauge {command}: error: {line}", file=sys.stderr)


def run_until_signal(command: str, program: Coroutine[None, None, None]) -> int:
    """Run `program` until it ends, or SIGINT or SIGTERM cancels it; the exit status."""
    try:
        asyncio.run(_cancelled_by_signal(program))
    except OSError as error:
        complain(command, error.strerror or str(error))
        return 1
    return 0


async def _cancelled_by_signal(program: Coroutine[None, None, None]) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(program)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
