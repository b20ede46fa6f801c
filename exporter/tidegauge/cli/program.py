"""What `serve` and `control` share: flags as Prometheus names them, and running until a signal."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path

from tidegauge import __version__
from tidegauge.cli.systemd import Notifier
from tidegauge.cli.version import add_version_flag
from tidegauge.config import Config, load

logger = logging.getLogger(__name__)


def add_program_flags(parser: argparse.ArgumentParser) -> None:
    """Flags that every long-running command has."""
    add_version_flag(parser)
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
        "--web.listen-address",
        dest="listen_address",
        action="append",
        metavar="HOST:PORT",
        help="where /metrics is served; may be given again for a further address",
    )
    parser.add_argument(
        "--web.config.file",
        dest="web_config_file",
        type=Path,
        metavar="FILE",
        help="TLS, passwords and headers, as Prometheus's exporters take them",
    )
    parser.add_argument(
        "--log.level", dest="log_level", metavar="LEVEL", help="debug, info, warning or error"
    )
    parser.add_argument("--log.format", dest="log_format", metavar="FORMAT", help="logfmt or json")


def configuration(arguments: argparse.Namespace, overrides: Mapping[str, object | None]) -> Config:
    """The configuration with flags laid over it.

    Raises:
        ConfigError: one line per mistake.
    """
    flags = {
        "log.level": arguments.log_level,
        "log.format": arguments.log_format,
        f"{arguments.command}.listen_address": arguments.listen_address,
        **overrides,
    }
    given = {key: value for key, value in flags.items() if value is not None}
    return load(arguments.config_file, overrides=given)


def complain(command: str, *lines: str) -> None:
    """One line per mistake on standard error."""
    for line in lines:
        print(f"tidegauge {command}: error: {line}", file=sys.stderr)


def run_until_signal(command: str, program: Coroutine[None, None, None], notifier: Notifier) -> int:
    """Run `program` until it ends, or SIGINT or SIGTERM cancels it; the exit status."""
    logger.info("starting", extra={"command": command, "version": __version__})
    try:
        asyncio.run(_cancelled_by_signal(program, notifier))
    except OSError as error:
        complain(command, error.strerror or str(error))
        return 1
    return 0


async def _cancelled_by_signal(program: Coroutine[None, None, None], notifier: Notifier) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(program)

    def stop() -> None:
        notifier.tell("stopping")
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    alive = loop.create_task(notifier.keep_alive())
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
    finally:
        alive.cancel()
