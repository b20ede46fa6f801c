"""Sentry: what its own SDK sends of an error to an ingest endpoint, over HTTP."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
import sentry_sdk
from aiohttp import web

from demo.program import eventually
from tidegauge.errors.event import ErrorEvent
from tidegauge.forwarding.forwarder import Forwarder
from tidegauge.forwarding.gathering import Gathering
from tidegauge.forwarding.sentry import DsnError, Sentry, checked_dsn, only_ours

MARKER = "quixotic-marmalade"
MEMORY = ErrorEvent(
    "exchange", "out_of_memory", "fatal", ("out_of_memory", "chat"), "chat", "v2", count=7
)


@dataclass
class Ingest:
    """An endpoint that takes envelopes as Sentry does."""

    port: int = 0
    status: int = 200
    raw: list[bytes] = field(default_factory=list)

    @property
    def dsn(self) -> str:
        return f"http://{'0' * 32}@127.0.0.1:{self.port}/42"

    @property
    def events(self) -> list[dict[str, object]]:
        """The payload of each envelope, which is of one item."""
        return [json.loads(raw.splitlines()[2]) for raw in self.raw]

    async def take(self, request: web.Request) -> web.Response:
        assert request.path == "/api/42/envelope/"
        body = await request.read()
        self.raw.append(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        return web.json_response({"id": "0" * 32}, status=self.status)

    async def got(self, count: int) -> None:
        async def so() -> bool:
            return len(self.raw) >= count

        await eventually(so, seconds=30, what=f"{count} envelopes")


@asynccontextmanager
async def ingesting() -> AsyncIterator[Ingest]:
    ingest = Ingest()
    app = web.Application()
    app.router.add_post("/{rest:.*}", ingest.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ingest.port = runner.addresses[0][1]
    try:
        yield ingest
    finally:
        await runner.cleanup()


async def test_an_error_arrives_with_our_fingerprint_and_its_count() -> None:
    async with ingesting() as ingest:
        sentry = Sentry(ingest.dsn, environment="staging", sample_ratio=1.0)
        sentry.send(MEMORY)
        await ingest.got(1)
        await asyncio.to_thread(sentry.close)
        (event,) = ingest.events
        assert event["fingerprint"] == ["tidegauge", "exchange", "out_of_memory", "chat"]
        assert event["level"] == "fatal"
        assert event["environment"] == "staging"
        assert event["extra"] == {"count": 7}
        assert event["tags"] == {
            "kind": "exchange",
            "class": "out_of_memory",
            "model": "chat",
            "version": "v2",
        }
        assert sentry.results() == {"accepted": 1, "dropped": 0, "lost": 0}


async def test_nothing_but_what_we_wrote_is_in_the_envelope() -> None:
    """Not what others have told the SDK in this process, nor what it finds out by itself."""
    secret = MARKER  # a local variable, which a stack would show
    with sentry_sdk.isolation_scope() as scope:
        scope.set_user({"id": secret})
        scope.set_tag("prompt", secret)
        scope.set_extra("prompt", secret)
        scope.add_breadcrumb(message=secret)
        async with ingesting() as ingest:
            sentry = Sentry(ingest.dsn, environment="production", sample_ratio=1.0)
            try:
                int(secret)
            except ValueError:
                sentry.send(MEMORY)
            await ingest.got(1)
            await asyncio.to_thread(sentry.close)
            (event,) = ingest.events
            assert MARKER.encode() not in b"".join(ingest.raw)
    known = {
        *("event_id", "timestamp", "platform", "level", "logger", "message", "fingerprint"),
        *("tags", "extra", "environment", "release", "server_name", "sdk"),
    }
    assert set(event) <= known
    assert "stacktrace" not in json.dumps(event)
    assert not sentry_sdk.get_client().is_active()


async def test_a_flood_gives_a_bounded_number_of_events() -> None:
    async with ingesting() as ingest:
        sentry = Sentry(ingest.dsn, environment="production", sample_ratio=1.0)
        forwarder = Forwarder([sentry], Gathering(60), clock=lambda: 0.0)
        for number in range(50_000):
            model = f"m{number % 3}"
            forwarder.tell(replace(MEMORY, fingerprint=("out_of_memory", model), count=1))
            if number % 1000 == 0:
                forwarder.flush()
        await asyncio.to_thread(forwarder.close)
        await ingest.got(6)
        assert len(ingest.raw) == 6
        counts = [event["extra"] for event in ingest.events]
        assert sum(extra["count"] for extra in counts if isinstance(extra, dict)) == 50_000


async def test_an_endpoint_that_refuses_costs_events_and_says_so() -> None:
    async with ingesting() as ingest:
        ingest.status = 403
        sentry = Sentry(ingest.dsn, environment="production", sample_ratio=1.0)
        sentry.send(MEMORY)
        await ingest.got(1)
        await asyncio.to_thread(sentry.close)
        assert sentry.results() == {"accepted": 1, "dropped": 0, "lost": 1}


async def test_an_endpoint_that_is_not_there_blocks_nobody_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sentry = Sentry(f"http://{'0' * 32}@127.0.0.1:9/42", environment="p", sample_ratio=1.0)
    for _ in range(3):
        sentry.send(MEMORY)

    async def lost() -> bool:
        return sentry.results()["lost"] == 3

    await eventually(lost, seconds=30, what="three lost events")
    await asyncio.to_thread(sentry.close)
    assert [record.getMessage() for record in caplog.records] == ["an event did not reach Sentry"]
    assert vars(caplog.records[0])["reason"] == "network"


@pytest.mark.parametrize("text", ["", "no DSN", "http://127.0.0.1/42", "ftp://k@h/1", "://", "\0"])
def test_what_is_no_dsn_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(DsnError) as refused:
        checked_dsn(text)
    assert "DSN" in str(refused.value)
    assert not text or text not in str(refused.value).replace("DSN", "")


def test_the_guard_lets_nothing_of_others_out() -> None:
    others: dict[str, object] = {
        "message": "ours",
        "tags": {"model": "chat", "prompt": MARKER},
        "extra": {"count": 2, "prompt": MARKER},
        "user": {"id": MARKER},
        "request": {"data": MARKER},
        "breadcrumbs": {"values": [{"message": MARKER}]},
        "exception": {"values": [{"stacktrace": {"frames": [{"vars": {"prompt": MARKER}}]}}]},
    }
    left = only_ours(others, {})  # type: ignore[arg-type]  # as the SDK calls it
    assert left == {"message": "ours", "tags": {"model": "chat"}, "extra": {"count": 2}}
