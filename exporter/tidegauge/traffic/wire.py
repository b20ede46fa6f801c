"""One request and its answer, heard as their bytes pass: bytes in, an `Ended` out.

No clock, no network, no logging: same arguments, same answer. Nothing that a client or an engine
sends makes this raise: what cannot be read is not measured, and is passed on all the same
(docs/adr/0020). Bodies are copied up to LIMIT_BYTES and let go at their end.
"""

from tidegauge.traffic import ollama, openai
from tidegauge.traffic.document import Copy, WireError, read_object
from tidegauge.traffic.ended import Ended, Texts
from tidegauge.traffic.exchange import ErrorClass, Exchange, Outcome
from tidegauge.traffic.hearing import DocumentHearing, Hearing, NoHearing, StreamHearing
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.ndjson import NdjsonDecoder
from tidegauge.traffic.outcome import End, error_of, outcome_of
from tidegauge.traffic.prompt import Asked, asked
from tidegauge.traffic.routes import OLLAMA, is_measured, route_of
from tidegauge.traffic.sse import EventDecoder
from tidegauge.traffic.told import Told

__all__ = ["LIMIT_BYTES", "End", "Wire", "is_measured"]

LIMIT_BYTES = 4 << 20

_STREAMS = {
    "text/event-stream": EventDecoder,
    "application/x-ndjson": NdjsonDecoder,
    "application/ndjson": NdjsonDecoder,
}


class Wire:
    """Hears one request and its answer. `now` and `begun` come from one monotonic clock.

    `path` is the request's, without its query; `is_measured` says which are worth a wire.
    `client` is what `labelling.client` makes of the request's header, "" for none.
    """

    def __init__(self, *, labelling: Labelling, begun: float, path: str, client: str = "") -> None:
        self._labelling = labelling
        self._client = client
        self._begun = begun
        self._route = route_of(path)
        self._body = Copy(LIMIT_BYTES)
        self._asked = Asked()
        self._is_asked = False
        self._status: int | None = None
        self._streamed: bool | None = None
        self._hearing: Hearing = NoHearing(Told())

    @property
    def streamed(self) -> bool | None:
        """Whether the answer is a stream, or, before it begins, was asked for as one.

        None until either is known.
        """
        if self._streamed is None and self._is_asked:
            return self._asked.streamed
        return self._streamed

    def request_piece(self, piece: bytes) -> None:
        self._body.piece(piece)

    def request_end(self) -> None:
        """The request's body is whole: read it, and let all but the text of its prompt go."""
        self._is_asked = True
        raw = self._body.taken()
        if raw is None:
            return
        try:
            document = read_object(raw)
        except WireError:
            return  # the engine will say so
        self._asked = asked(document, self._route)
        self._client = self._client or self._labelling.client_in(document)

    def answer_head(self, status: int, *, content_type: str, content_encoding: str) -> None:
        """The answer has begun; both headers as they came, "" where absent."""
        self._status = status
        kind = content_type.partition(";")[0].strip().lower()
        self._streamed = kind in _STREAMS
        told = Told(status)
        api = ollama if self._route in OLLAMA else openai
        if content_encoding.strip().lower() not in ("", "identity"):
            self._hearing = NoHearing(told)
        elif self._streamed:
            self._hearing = StreamHearing(_STREAMS[kind](), api.read_chunk, told)
        else:
            self._hearing = DocumentHearing(
                LIMIT_BYTES, api.read_whole, told, says_json=kind == "application/json"
            )

    def answer_piece(self, piece: bytes, now: float) -> None:
        self._hearing.piece(piece, now)

    def end(self, how: End, now: float) -> Ended:
        """What was measured; the wire is spent."""
        told = self._hearing.told
        said_end = told.ended
        self._hearing.end(now)
        outcome = outcome_of(how, self._status, told, said_end=said_end)
        error = error_of(outcome, how, self._status, told)
        return Ended(self._exchange(told, outcome, error, now), self._texts(told))

    def _exchange(
        self, told: Told, outcome: Outcome, error: ErrorClass | None, now: float
    ) -> Exchange:
        model = self._labelling.model(self._asked.model)
        tokens = told.usage.tokens(self._asked.choices_per_prompt)
        generation = told.generation_tokens if tokens.generation is None else tokens.generation
        prompt = self._estimated_prompt_tokens() if tokens.prompt is None else tokens.prompt
        return Exchange(
            model=model,
            streamed=bool(self.streamed),
            outcome=outcome,
            status=self._status,
            finish_reason=told.finish_reason,
            duration_seconds=now - self._begun,
            first_token_seconds=None if told.first_at is None else told.first_at - self._begun,
            gaps=told.gaps.gaps(),
            prompt_tokens=prompt,
            generation_tokens=generation,
            features=None,
            version=self._labelling.version(model),
            route=self._route,
            error=error,
            client=self._client,
            answer_key=told.key,
            prompt_tokens_estimated=prompt is not None and tokens.prompt is None,
            generation_tokens_estimated=generation is not None and tokens.generation is None,
        )

    def _estimated_prompt_tokens(self) -> int | None:
        """Of prompts that an engine took; it does no work for one that it refuses."""
        taken = self._status is not None and self._status < 400  # noqa: PLR2004
        return self._asked.prompt_tokens if taken else None

    def _texts(self, told: Told) -> Texts:
        answer, answer_chars = told.text.text(), told.text.chars
        prompt = self._asked.prompt
        if self._asked.is_echoed and prompt and answer.startswith(prompt):
            answer = answer.removeprefix(prompt)
            answer_chars -= len(prompt)
        return Texts(prompt, answer, self._asked.prompt_chars, answer_chars)
