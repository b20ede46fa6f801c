"""Stands before every input: who sends, how often, how much, how fast; and counts what came of it.

It outlives every change of the configuration, and so do its counts.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable

from aiohttp import web

from tidegauge.catalog import Metric, inputs
from tidegauge.samples import Sample
from tidegauge.web.face import Page
from tidegauge.web.gate import AUTHENTICATED
from tidegauge.web.inputs import REASONS, Input, InputError, InputRules
from tidegauge.web.inputs_body import read_body
from tidegauge.web.inputs_peer import is_local
from tidegauge.web.inputs_tokens import Tokens
from tidegauge.web.rate import TokenBucket

_EXPECTED = (200, 400, 401, 403, 408, 413, 415, 429)
TOKEN_HEADER = "X-Tidegauge-Token"  # noqa: S105  # a header's name

_UNKNOWN = "send a token of serve.inputs.token_file as `Authorization: Bearer TOKEN`"
_NOTHING = (
    "requests from other machines, or for others, are not accepted; set serve.inputs.token_file, "
    "or basic_auth_users or client certificates in the file of --web.config.file"
)


class Guard:
    """Makes pages of inputs. `clock` is monotonic."""

    def __init__(
        self, rules: InputRules | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._rules = rules or InputRules()
        self._tokens = self._of_file()
        self._buckets: dict[str, TokenBucket] = {}
        self._under_way: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Lock] = {}
        self._answered: Counter[tuple[str, str]] = Counter()
        self._rejected: Counter[tuple[str, str]] = Counter()
        self._bytes: Counter[str] = Counter()

    def adopt(self, rules: InputRules) -> None:
        """Go by other rules from now on."""
        before, self._rules = self._rules, rules
        if rules.token_file != before.token_file:
            self._tokens = self._of_file()
        if rules.per_second != before.per_second:
            self._buckets = {}

    def page(self, guarded: Input) -> Page:
        """`guarded`, with this before it."""
        self._open(guarded.name)

        async def answer(request: web.Request) -> web.Response:
            status = 500
            try:
                response = await self._take(guarded, request)
                status = response.status
            except InputError as error:
                self._rejected[guarded.name, error.reason] += 1
                response, status = _refusal(guarded, request, error), error.status
            finally:
                self._answered[guarded.name, str(status)] += 1
            return response

        return answer

    def samples(self) -> tuple[Sample, ...]:
        """The series of every input that there was since the start."""
        return (
            *_samples(inputs.REQUESTS, self._answered.items()),
            *(Sample(inputs.BYTES, n, (name,)) for name, n in self._bytes.items()),
            *_samples(inputs.REJECTED, self._rejected.items()),
        )

    async def _take(self, guarded: Input, request: web.Request) -> web.Response:
        rules, name = self._rules, guarded.name
        if guarded.signed is None:
            await self._admit(request)
        if not self._bucket(name).take(self._clock()):
            raise InputError(429, "rate", f"more than {rules.per_second} requests a second")
        if self._under_way[name] >= rules.max_requests:
            raise InputError(429, "busy", f"{rules.max_requests} requests are under way already")
        self._under_way[name] += 1
        try:
            if request.content_type.lower() not in guarded.types:
                raise InputError(415, "content_type", f"send {' or '.join(guarded.types)}")
            limit = rules.max_bytes if guarded.max_bytes is None else guarded.max_bytes
            body = await read_body(request, max_bytes=limit, seconds=rules.body_seconds)
            self._bytes[name] += len(body)
            if guarded.signed is not None and not guarded.signed(request, body):
                raise InputError(401, "signature", "the body's signature is missing or wrong")
            # Many at once would each have a turn of the event loop before a scrape has its next.
            async with self._turns.setdefault(name, asyncio.Lock()):
                return await guarded.take(request, body)
        finally:
            self._under_way[name] -= 1

    async def _admit(self, request: web.Request) -> None:
        if request.get(AUTHENTICATED) or (self._rules.trust_loopback and is_local(request)):
            return
        if self._tokens is None:
            raise InputError(403, "not_configured", _NOTHING)
        token = _token(request)
        if token is None or not await self._tokens.right(token):
            raise InputError(401, "unauthenticated", _UNKNOWN)

    def _bucket(self, name: str) -> TokenBucket:
        if name not in self._buckets:
            per_second = self._rules.per_second
            self._buckets[name] = TokenBucket(1 / per_second, 2 * per_second)
        return self._buckets[name]

    def _of_file(self) -> Tokens | None:
        path = self._rules.token_file
        return Tokens(path, clock=self._clock) if path else None

    def _open(self, name: str) -> None:
        self._answered.update({(name, str(code)): 0 for code in _EXPECTED})
        self._rejected.update({(name, reason): 0 for reason in REASONS})
        self._bytes[name] += 0


def _samples(metric: Metric, counts: Iterable[tuple[tuple[str, str], int]]) -> Iterable[Sample]:
    return (Sample(metric, n, labels) for labels, n in counts)


def _token(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.headers.get(TOKEN_HEADER)


def _refusal(guarded: Input, request: web.Request, error: InputError) -> web.Response:
    headers = {}
    if error.reason == "unauthenticated":
        headers["WWW-Authenticate"] = 'Bearer realm="tidegauge"'
    if error.reason in ("rate", "busy"):
        headers["Retry-After"] = "1"
    if guarded.refusal:
        response = guarded.refusal(request, error.status, str(error))
        response.headers.update(headers)
    elif _reads_json(request):
        document = error.document or {"error": {"message": str(error), "type": error.reason}}
        response = web.json_response(document, status=error.status, headers=headers)
    else:
        response = web.Response(status=error.status, text=f"{error}\n", headers=headers)
    if error.reason in ("too_large", "slow", "unreadable"):
        response.force_close()  # what is still to come of the body is not worth reading
    return response


def _reads_json(request: web.Request) -> bool:
    said = f"{request.headers.get('Accept', '')},{request.content_type}"
    return "json" in said.lower()
