"""Errors that are handed on: gathered by kind, as ECS lines, and without anybody waiting."""

import fcntl
import json
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.program import eventually
from tidegauge.cli.errors import errors
from tidegauge.config.errors import ErrorsConfig
from tidegauge.config.forwarding import ForwardingConfig
from tidegauge.errors.event import ErrorEvent
from tidegauge.forwarding.ecs import ecs_line
from tidegauge.forwarding.forwarder import Forwarder
from tidegauge.forwarding.gathering import KINDS_MAX, Gathering
from tidegauge.forwarding.of_exchange import event_of
from tidegauge.forwarding.standard_output import StandardOutput
from tidegauge.server import Around
from tidegauge.sources.forwarding import ForwardingSource
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.exchange import NO_GAPS, Exchange

MARKER = "quixotic-marmalade"

LIMITED = ErrorEvent("exchange", "rate_limited", "warning", ("rate_limited", "chat"), "chat", "v2")
NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
FAILED = Exchange(
    model="chat",
    streamed=False,
    outcome="client_error",
    status=429,
    finish_reason=None,
    duration_seconds=0.1,
    first_token_seconds=None,
    gaps=NO_GAPS,
    prompt_tokens=None,
    generation_tokens=None,
    features=None,
    version="v2",
    error="rate_limited",
)


class Kept:
    """A sink that keeps what it is sent."""

    name = "kept"

    def __init__(self) -> None:
        self.events: list[ErrorEvent] = []
        self.closed = False

    def send(self, event: ErrorEvent) -> None:
        self.events.append(event)

    def results(self) -> dict[str, int]:
        return {"accepted": len(self.events)}

    def close(self) -> None:
        self.closed = True


def pattern(number: int) -> ErrorEvent:
    return ErrorEvent("pattern", "unknown", "error", ("unknown", f"p{number}"))


@pytest.mark.parametrize(
    "changes, severity",
    [
        ({}, "warning"),
        ({"error": "internal", "outcome": "server_error"}, "error"),
        ({"error": "out_of_memory", "outcome": "server_error"}, "fatal"),
        ({"error": "unreachable", "outcome": "unreachable"}, "error"),
        ({"error": None, "outcome": "ok"}, None),
        ({"error": None, "outcome": "aborted"}, None),
        ({"outcome": "aborted"}, None),
        ({"error": None}, "warning"),
    ],
)
def test_a_request_that_failed_is_an_event(
    changes: dict[str, str | None], severity: str | None
) -> None:
    event = event_of(replace(FAILED, **changes))  # type: ignore[arg-type]  # fields by name
    assert (event.severity if event else None) == severity
    if not changes:
        assert event == LIMITED


def test_a_flood_leaves_one_event_at_once_and_one_per_interval_with_counts() -> None:
    kept, now = Kept(), [0.0]
    forwarder = Forwarder([kept], Gathering(60), clock=lambda: now[0])
    for second in range(121):
        now[0] = float(second)
        for _ in range(100):
            forwarder.observe(FAILED)
        forwarder.flush()
    assert [event.count for event in kept.events] == [100, 6000, 6000]
    assert {replace(event, count=1) for event in kept.events} == {LIMITED}
    forwarder.tell(LIMITED)
    forwarder.close()
    assert kept.events[-1].count == 1
    assert kept.closed


def test_kinds_without_end_become_one() -> None:
    gathering = Gathering(60)
    for number in range(10 * KINDS_MAX):
        gathering.add(pattern(number))
    due = gathering.due(0)
    assert len(due) == KINDS_MAX + 1
    assert sum(event.count for event in due) == 10 * KINDS_MAX
    assert [event.count for event in due if event.cls == "other"] == [9 * KINDS_MAX]


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 5), st.floats(0, 20)), min_size=1, max_size=60
    )
)
def test_nothing_is_lost_and_never_too_much_leaves(steps: list[tuple[int, int, float]]) -> None:
    gathering, now = Gathering(30, limit=10), 0.0
    left: list[tuple[float, ErrorEvent]] = []
    for number, count, pause in steps:
        gathering.add(replace(pattern(number), count=count))
        now += pause
        left.extend((now, event) for event in gathering.due(now))
    total = sum(event.count for _, event in left) + sum(e.count for e in gathering.rest())
    assert total == sum(count for _, count, _ in steps)
    for at, event in left:
        kind = replace(event, count=1)
        again = [t for t, other in left if replace(other, count=1) == kind and at < t < at + 30]
        assert not again
        assert len([t for t, _ in left if at <= t < at + 30]) <= 2 * 11


def test_an_ecs_line_has_the_schemas_names_and_no_text() -> None:
    line = ecs_line(replace(LIMITED, count=3), "2026-01-02T03:04:05.678Z")
    assert line.endswith(b"\n")
    told = json.loads(line)
    assert told.pop("service.version")
    assert told == {
        "@timestamp": "2026-01-02T03:04:05.678Z",
        "log.level": "warning",
        "message": "rate_limited of exchange, 3 times",
        "ecs.version": "8.11.0",
        "event.kind": "event",
        "event.category": ["web"],
        "event.type": ["error"],
        "event.outcome": "failure",
        "event.dataset": "tidegauge.errors",
        "error.type": "rate_limited",
        "service.name": "tidegauge",
        "service.type": "tidegauge",
        "tidegauge.error.kind": "exchange",
        "tidegauge.error.count": 3,
        "labels.model": "chat",
        "labels.version": "v2",
        "labels.fingerprint": "rate_limited/chat",
    }
    assert "labels.model" not in json.loads(ecs_line(pattern(1), "then"))


async def test_lines_are_written_whole_and_in_order() -> None:
    read, write = os.pipe()
    output = StandardOutput(write, lambda: NOW)
    for number in range(50):
        output.send(pattern(number))
    output.close()
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        lines = pipe.read().splitlines()
    found = [json.loads(line)["labels.fingerprint"] for line in lines]
    assert found == [f"unknown/p{number}" for number in range(50)]
    assert json.loads(lines[0])["@timestamp"] == "2026-01-02T03:04:05.678Z"
    assert output.results() == {"accepted": 50, "dropped": 0, "lost": 0}


async def test_a_full_pipe_blocks_nobody_and_what_it_costs_is_counted() -> None:
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    output = StandardOutput(write, lambda: NOW, lines_max=5)
    sent = 1000
    thread = threading.Thread(target=lambda: [output.send(pattern(n)) for n in range(sent)])
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    results = output.results()
    assert results["dropped"] > sent / 2
    assert results["accepted"] + results["dropped"] == sent
    os.set_blocking(read, False)

    async def drained() -> bool:
        try:
            return not os.read(read, 1 << 20)
        except BlockingIOError:
            return output._lines.empty()  # all that was accepted is out

    await eventually(drained, seconds=30, what="what was accepted is written")
    output.close()
    os.close(write)
    os.close(read)


async def test_a_reader_that_has_gone_costs_lines_and_nothing_else() -> None:
    read, write = os.pipe()
    os.close(read)
    output = StandardOutput(write, lambda: NOW)
    output.send(LIMITED)
    output.close()
    os.close(write)
    assert output.results() == {"accepted": 1, "dropped": 0, "lost": 1}


async def test_patterns_of_an_engines_log_are_handed_on_by_their_ids(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text(f"ERROR torch.OutOfMemoryError: CUDA out of memory. {MARKER}\n" * 3)
    kept = Kept()
    forwarder = Forwarder([kept], Gathering(60), clock=lambda: 0.0)
    around = Around({"forwarding": ForwardingSource(forwarder)}, print, Arrivals())
    config = ErrorsConfig.model_validate({"logs": [{"path": str(log)}], "from_start": True})
    source = errors(config, ForwardingConfig(ecs=True)).make(around).schedule.source

    async def told() -> bool:
        await source.read()
        forwarder.flush()
        return bool(kept.events)

    try:
        await eventually(told, seconds=30, what="an event of a pattern")
    finally:
        await source.close()
    (event,) = kept.events
    assert (event.kind, event.cls) == ("pattern", "memory")
    assert MARKER not in repr(kept.events)
