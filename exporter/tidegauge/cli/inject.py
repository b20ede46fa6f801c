"""`tidegauge inject`: open-loop load on an OpenAI-compatible server, and what became of it."""

import argparse
import asyncio
import contextlib
import json
import math
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import repeat
from pathlib import Path
from typing import TextIO

import aiohttp
import numpy as np
from pydantic import JsonValue, TypeAdapter, ValidationError

from tidegauge.cli.program import complain
from tidegauge.inject.arrivals import RateSchedule, parse_rates, poisson, replayed
from tidegauge.inject.client import Client, Target, fresh_connections, is_http, is_loopback
from tidegauge.inject.openloop import Limits, OpenLoop
from tidegauge.inject.plan import Planned, plan, users_by_rank
from tidegauge.inject.prompts import PROMPT_KINDS, PromptSchedule, parse_kinds
from tidegauge.inject.result import Result
from tidegauge.inject.schedule import ScheduleError, duration_seconds
from tidegauge.inject.summary import Summary, Tally
from tidegauge.inject.trace import TraceError, read_trace

_PROGRESS_SECONDS = 5.0
_GRACE_SECONDS = 5.0
_BODY: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


class _UsageError(Exception):
    """Arguments that do not go together, or that say nothing that can be sent."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`tidegauge inject`."""
    parser = subparsers.add_parser(
        "inject",
        help="send load that does not wait for answers",
        description=f"{__doc__} Ends with a JSON summary on standard output; the exit status is 0 "
        "if every arrival was sent and none failed, 1 if not, 2 for a mistake in the arguments.",
    )
    parser.add_argument("--url", help="base URL, such as http://127.0.0.1:8000")
    parser.add_argument("--model", default="", metavar="NAME", help="model to ask for")
    parser.add_argument("--endpoint", choices=("chat", "completions"), default="chat")
    _add_plan_arguments(parser)
    _add_client_arguments(parser)
    writing = parser.add_argument_group("instead of sending")
    writing.add_argument(
        "--write-prompts",
        type=Path,
        metavar="FILE",
        help="write prompts for `tidegauge reference build`, with completion_tokens if the body "
        "says ignore_eos, since an answer is then as long as was asked for",
    )
    writing.add_argument("--count", type=int, default=1000, metavar="N", help="how many prompts")
    parser.set_defaults(run=run)


def _add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is sent, and when")
    when = group.add_mutually_exclusive_group()
    when.add_argument("--rate", help="requests a second, linear in between: 0s:2,60s:2,90s:8")
    when.add_argument(
        "--trace", type=Path, metavar="FILE", help="CSV with TIMESTAMP, or t_s and req_per_s"
    )
    group.add_argument(
        "--speed", type=float, default=1.0, metavar="F", help="play it F times faster"
    )
    group.add_argument(
        "--rate-factor", type=float, default=1.0, metavar="F", help="scale the rate (a trace: thin)"
    )
    group.add_argument("--duration", metavar="TIME", help="end by then (default: the schedule's)")
    group.add_argument(
        "--prompts",
        default="chat",
        help=f"0s:chat,80s:code; kinds: {', '.join(PROMPT_KINDS)} (default: chat)",
    )
    group.add_argument("--stream-share", type=float, default=1.0, metavar="SHARE")
    group.add_argument(
        "--users",
        type=int,
        default=0,
        metavar="N",
        help="as whom: the field user is one of N, the first most often (default: as nobody)",
    )
    group.add_argument("--seed", type=int, default=None, help="the same seed, the same plan")


def _add_client_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it is sent")
    group.add_argument(
        "--body", default="{}", metavar="JSON", help='more fields, such as {"ignore_eos": true}'
    )
    group.add_argument("--timeout", default="120s", metavar="TIME", help="for a whole answer")
    group.add_argument(
        "--max-in-flight", type=int, default=256, metavar="N", help="beyond it arrivals are shed"
    )
    group.add_argument(
        "--results", type=Path, metavar="FILE", help="a JSON line per request, without text"
    )
    group.add_argument(
        "--allow-remote", action="store_true", help="let --url be another machine than this one"
    )


def run(arguments: argparse.Namespace) -> int:
    """The exit status: 0 all sent and none failed, 1 not so, 2 mistaken arguments."""
    try:
        if arguments.write_prompts is not None:
            return _write_prompts(arguments)
        target, limits = _target(arguments), _limits(arguments)
        planned = _planned(arguments)
        with _results_file(arguments.results) as results:
            summary = asyncio.run(_inject(planned, target, limits=limits, results=results))
    except (_UsageError, ScheduleError, TraceError) as error:
        complain("inject", str(error))
        return 2
    except OSError as error:
        complain("inject", f"{error.filename}: {error.strerror}")
        return 2
    print(json.dumps(asdict(summary)))
    return 0 if summary.all_ok else 1


def _write_prompts(arguments: argparse.Namespace) -> int:
    kinds = parse_kinds(arguments.prompts)
    if len(kinds.points) > 1:
        raise _UsageError(f"--prompts {arguments.prompts}: --write-prompts takes a single kind")
    _require("--count", arguments.count, "at least 1", holds=arguments.count >= 1)
    full_length = _body(arguments.body).get("ignore_eos") is True
    rng = np.random.default_rng(arguments.seed)
    kind = PROMPT_KINDS[kinds.kind(0.0)]
    with arguments.write_prompts.open("w", encoding="utf-8") as file:
        for prompt in (kind(rng) for _ in range(arguments.count)):
            tokens = {"completion_tokens": prompt.max_tokens} if full_length else {}
            print(json.dumps({"prompt": prompt.text, **tokens}, ensure_ascii=False), file=file)
    return 0


def _target(arguments: argparse.Namespace) -> Target:
    holds = arguments.url is not None and is_http(arguments.url)
    _require("--url", arguments.url, "http://HOST:PORT or https://HOST:PORT", holds=holds)
    if not (arguments.allow_remote or is_loopback(arguments.url)):
        raise _UsageError(
            f"--url {arguments.url}: is not this machine; --allow-remote if load is welcome there"
        )
    timeout = duration_seconds(arguments.timeout)
    _require("--timeout", arguments.timeout, "above 0", holds=timeout > 0)
    return Target(
        arguments.url,
        arguments.model,
        endpoint=arguments.endpoint,
        body=_body(arguments.body),
        timeout_seconds=timeout,
    )


def _limits(arguments: argparse.Namespace) -> Limits:
    _require(
        "--max-in-flight", arguments.max_in_flight, "at least 1", holds=arguments.max_in_flight >= 1
    )
    return Limits(arguments.max_in_flight, grace_seconds=_GRACE_SECONDS)


def _body(text: str) -> dict[str, JsonValue]:
    try:
        body = _BODY.validate_json(text)
    except ValidationError:
        raise _UsageError(f"--body {text}: is no JSON object") from None
    _require("--body", text, "without stream; that is --stream-share", holds="stream" not in body)
    return body


def _planned(arguments: argparse.Namespace) -> Iterator[Planned]:
    share = arguments.stream_share
    _require("--stream-share", share, "0 to 1", holds=0 <= share <= 1)
    kinds: PromptSchedule = parse_kinds(arguments.prompts)
    _require("--users", arguments.users, "0 or more", holds=arguments.users >= 0)
    # Children of one seed: which prompts are drawn does not change when arrivals do.
    seeds = np.random.SeedSequence(arguments.seed).spawn(3)
    when, what, who = (np.random.default_rng(seed) for seed in seeds)
    users = users_by_rank(arguments.users, who) if arguments.users else repeat(None)
    return plan(_arrivals(arguments, when), kinds, rng=what, stream_share=share, users=users)


def _arrivals(arguments: argparse.Namespace, rng: np.random.Generator) -> Iterator[float]:
    speed, factor = arguments.speed, arguments.rate_factor
    _require("--speed", speed, "above 0", holds=0 < speed < math.inf)
    _require("--rate-factor", factor, "above 0", holds=0 < factor < math.inf)
    until = None if arguments.duration is None else duration_seconds(arguments.duration)
    source = _rates_or_moments(arguments)
    if isinstance(source, RateSchedule):
        schedule = source.played(speed=speed, rate_factor=factor)
        end = schedule.end_seconds if until is None else until
        _require(
            "--duration", arguments.duration, "given, since the rate never ends", holds=end > 0
        )
        return poisson(schedule, rng, until=end)
    _require("--rate-factor", factor, "at most 1 with a trace of requests", holds=factor <= 1)
    return replayed(
        source, rng, speed=speed, keep=factor, until=math.inf if until is None else until
    )


def _rates_or_moments(arguments: argparse.Namespace) -> RateSchedule | tuple[float, ...]:
    if arguments.trace is not None:
        try:
            with arguments.trace.open(encoding="utf-8", newline="") as lines:
                return read_trace(lines)
        except (TraceError, UnicodeDecodeError) as error:
            raise _UsageError(f"{arguments.trace}: {error}") from None
    if arguments.rate is None:
        raise _UsageError("--rate or --trace is needed")
    return parse_rates(arguments.rate)


def _require(flag: str, value: object, right: str, *, holds: bool) -> None:
    if not holds:
        raise _UsageError(f"{flag} {value}: must be {right}")


@contextlib.contextmanager
def _results_file(path: Path | None) -> Iterator[TextIO | None]:
    if path is None:
        yield None
        return
    with path.open("w", encoding="utf-8", buffering=1) as file:
        yield file


async def _inject(
    planned: Iterator[Planned], target: Target, *, limits: Limits, results: TextIO | None
) -> Summary:
    tally = Tally()

    def report(result: Result) -> None:
        tally.add(result)
        if results is not None:
            print(json.dumps(asdict(result)), file=results)

    clock = asyncio.get_running_loop().time
    started = clock()
    no_timeout = aiohttp.ClientTimeout(total=None)  # Target.timeout_seconds rules
    async with aiohttp.ClientSession(connector=fresh_connections(), timeout=no_timeout) as session:
        client = Client(session, target, clock=clock, started=started)
        loop = OpenLoop(client.send, report, limits=limits, clock=clock, started=started)
        progress = asyncio.create_task(_progress(tally, loop))
        try:
            await loop.run(planned, stop=_stop_on_signal())
        finally:
            progress.cancel()
    return tally.summary()


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _progress(tally: Tally, loop: OpenLoop) -> None:
    while True:
        await asyncio.sleep(_PROGRESS_SECONDS)
        so_far = tally.summary()
        failed = sum(so_far.failed.values())
        print(
            f"tidegauge inject: {so_far.ok} ok, {failed} failed, {so_far.shed} shed, "
            f"{loop.in_flight} in flight",
            file=sys.stderr,
        )
