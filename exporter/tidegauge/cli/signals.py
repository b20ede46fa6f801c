"""`tidegauge signals`: what each signal's budget would have fired on its history, as a table."""

import argparse
import asyncio
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from tidegauge.cli import log
from tidegauge.cli.program import complain
from tidegauge.cli.prometheus import access
from tidegauge.cli.watching import signals, watching
from tidegauge.config import ConfigError, ControlConfig, load
from tidegauge.control.signals.followed import Verdict
from tidegauge.control.signals.keyed import Key
from tidegauge.control.signals.loop import SignalLoop
from tidegauge.promql.client import Prometheus
from tidegauge.thresholds.budget import WEEK_SECONDS
from tidegauge.thresholds.tracker import Judged

NAME = "signals"
_HEAD = ("SIGNAL", "SERIES", "HISTORY", "BUDGET", "WOULD HAVE FIRED", "THRESHOLD", "NOW", "BAND")
_DAY_SECONDS = 86_400.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's flags."""
    parser = subparsers.add_parser(
        NAME,
        help="show what each signal would have fired",
        description="Reads the history of the signals of control.signals from Prometheus once, and "
        "prints what their budget would have fired on it, and their band now. Changes nothing.",
    )
    parser.add_argument(
        "--config.file",
        dest="config_file",
        type=Path,
        required=True,
        metavar="FILE",
        help="tidegauge.yml",
    )
    parser.add_argument(
        "--budget", metavar="BUDGET", help='another budget for all, such as "1 per day"'
    )
    parser.add_argument(
        "signals", nargs="*", metavar="SIGNAL", help="names of signals; all of them if none"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit status 0, 1 if a signal had no answer, 2 on a mistake in the configuration."""
    override = {"control.signals.budget": arguments.budget} if arguments.budget else {}
    try:
        config = load(arguments.config_file, overrides=override).control
    except ConfigError as error:
        complain(NAME, *error.lines)
        return 2
    if config is None or config.signals is None:
        complain(NAME, "control.signals: is missing; write `signals: {}` for the default ones")
        return 2
    known = [each.name for each in signals(config.signals)]
    if unknown := [name for name in arguments.signals if name not in known]:
        complain(NAME, f"{unknown[0]!r} is no signal of it; there are {', '.join(known)}")
        return 2
    log.configure("warning", "logfmt")
    loops = asyncio.run(_learned(config, arguments.signals))
    for row in _table([_HEAD, *(row for loop in loops for row in _rows(loop))]):
        print(row)
    return 0 if all(loop.learned for loop in loops) else 1


async def _learned(config: ControlConfig, names: Sequence[str]) -> list[SignalLoop]:
    prometheus = Prometheus(access(config.prometheus))
    watched = watching(config, prometheus)
    if watched is None:
        return []
    loops = [loop for loop in watched.signals.loops if not names or loop.signal.name in names]
    try:
        await asyncio.gather(*(loop.backfill() for loop in loops))
    finally:
        await watched.close()
        await prometheus.close()
    return loops


def _rows(loop: SignalLoop) -> Iterator[tuple[str, ...]]:
    if not loop.learned:
        yield (loop.signal.name, "no answer", *[""] * 6)
    elif not loop.verdicts:
        yield (loop.signal.name, "no values now", *[""] * 6)
    else:
        for key, verdict in sorted(loop.verdicts.items()):
            yield (loop.signal.name, _series(key), *_row(loop, verdict))


def _series(key: Key) -> str:
    """One line, whatever a label's value is."""
    words = (word if word.isprintable() else repr(word) for word in key if word)
    return ",".join(words) or "-"


def _row(loop: SignalLoop, verdict: Verdict) -> Iterator[str]:
    known = verdict.calibration
    decided = known is not None and math.isfinite(known.threshold)
    yield _duration(known.weeks * WEEK_SECONDS) if known else ""
    yield f"{loop.signal.settings.alarms_per_week:g}/w"
    yield str(known.fired) if known and decided else ""
    yield f"{known.threshold:.3g}" if known and decided else ""
    yield f"{verdict.value:.4g}"
    yield _band(verdict.judged) if verdict.judged and decided else "not yet"


def _duration(seconds: float) -> str:
    days = seconds / _DAY_SECONDS
    return f"{days:.1f}d" if days >= 1 else f"{24 * days:.1f}h"


def _band(judged: Judged) -> str:
    match math.isfinite(judged.lower), math.isfinite(judged.upper):
        case True, True:
            return f"{judged.lower:.4g} to {judged.upper:.4g}"
        case True, False:
            return f"from {judged.lower:.4g}"
        case False, True:
            return f"up to {judged.upper:.4g}"
        case _:
            return "any value"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
