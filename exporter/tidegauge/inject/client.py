"""One request to one OpenAI-compatible endpoint, and how it went."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
from pydantic import JsonValue

from tidegauge.inject.answer import AnswerError, StreamedAnswer, whole_answer_tokens
from tidegauge.inject.plan import Planned
from tidegauge.inject.result import Outcome, Result

Endpoint = Literal["chat", "completions"]

_PATHS: Mapping[Endpoint, str] = {
    "chat": "/v1/chat/completions",
    "completions": "/v1/completions",
}
_OK = 200


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go. `body` is laid over every request's own fields, and wins."""

    url: str
    model: str
    endpoint: Endpoint = "chat"
    body: Mapping[str, JsonValue] = field(default_factory=dict)
    timeout_seconds: float = 120.0

    @property
    def address(self) -> str:
        return self.url.rstrip("/") + _PATHS[self.endpoint]


def is_http(url: str) -> bool:
    """Whether a URL names a host to speak HTTP to."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as a port that is no number
        return False


def is_loopback(url: str) -> bool:
    """Whether a URL can only mean this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def fresh_connections() -> aiohttp.TCPConnector:
    """A connector without reuse: every request is a client of its own, as users are.

    Reuse would also make the injector fail where engines close connections unasked.
    """
    return aiohttp.TCPConnector(limit=0, force_close=True)


@dataclass(slots=True)
class _Progress:
    """What is known of an answer so far; kept apart, since it may break off at any point."""

    status: int | None = None
    first_token_seconds: float | None = None
    tokens: int | None = None


class Client:
    """Sends planned requests. `clock` is in seconds; `started` is its value at the plan's 0."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        target: Target,
        *,
        clock: Callable[[], float],
        started: float,
    ) -> None:
        self._session = session
        self._target = target
        self._clock = clock
        self._started = started

    async def send(self, planned: Planned) -> Result:
        """Send one request and read its answer to the end. Never raises for what a server does."""
        progress = _Progress()
        outcome = await self._outcome(planned, progress)
        return Result(
            planned.at_seconds,
            planned.kind,
            stream=planned.stream,
            outcome=outcome,
            duration_seconds=self._since_due(planned),
            status=progress.status,
            first_token_seconds=progress.first_token_seconds,
            tokens=progress.tokens,
        )

    async def _outcome(self, planned: Planned, progress: _Progress) -> Outcome:
        try:
            async with asyncio.timeout(self._target.timeout_seconds):
                return await self._exchange(planned, progress)
        except TimeoutError:
            return "timeout"
        except aiohttp.ClientConnectorError:
            return "unreachable"
        except (aiohttp.ClientError, AnswerError, OSError):
            return "cut"

    async def _exchange(self, planned: Planned, progress: _Progress) -> Outcome:
        request = self._session.post(
            self._target.address,
            json=_body(self._target, planned),
            allow_redirects=False,  # a redirect could leave this machine
        )
        async with request as response:
            progress.status = response.status
            if response.status != _OK:
                return "http_error"
            if planned.stream:
                return await self._stream(planned, progress, response=response)
            progress.tokens = whole_answer_tokens(await response.read())
            return "ok"

    async def _stream(
        self, planned: Planned, progress: _Progress, *, response: aiohttp.ClientResponse
    ) -> Outcome:
        answer = StreamedAnswer()
        pending = b""
        async for block in response.content.iter_any():
            *lines, pending = (pending + block).split(b"\n")
            for line in lines:
                answer.feed(line)
            progress.tokens = answer.tokens
            if answer.content_chunks and progress.first_token_seconds is None:
                progress.first_token_seconds = self._since_due(planned)
            if answer.done:
                return "ok"
        return "cut"

    def _since_due(self, planned: Planned) -> float:
        return self._clock() - self._started - planned.at_seconds


def _body(target: Target, planned: Planned) -> dict[str, JsonValue]:
    asked: dict[str, JsonValue] = {
        "model": target.model,
        "max_tokens": planned.prompt.max_tokens,
        "stream": planned.stream,
    }
    if target.endpoint == "chat":
        asked["messages"] = [{"role": "user", "content": planned.prompt.text}]
    else:
        asked["prompt"] = planned.prompt.text
    if planned.stream:
        asked["stream_options"] = {"include_usage": True}
    if planned.user is not None:
        asked["user"] = planned.user
    return {**asked, **target.body}
