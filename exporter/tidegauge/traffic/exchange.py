"""One request and its answer as numbers and closed vocabularies: what the tap hands on.

No clock, no network, no logging: same arguments, same answer. No field may hold free text: a
model name has passed the allow-list, a finish reason is one of FINISH_REASONS.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from tidegauge.catalog import traffic
from tidegauge.traffic.features import Features

Outcome = Literal["ok", "client_error", "server_error", "aborted", "cut", "unreachable"]
"""ok: answered in full, status below 400; client_error: 4xx; server_error: 5xx; aborted: the
client went away; cut: the upstream ended in the middle, or streamed an error, or a stream lacked
its end marker; unreachable: no connection to the upstream."""
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

Route = Literal["chat", "completions", "ollama_chat", "ollama_generate", "other"]
"""What was asked for: OpenAI's chat or text completions, Ollama's, or, told by others, anything."""
ROUTES: tuple[Route, ...] = get_args(Route)

ErrorClass = Literal[
    "bad_request",
    "context_length",
    "auth",
    "not_found",
    "too_large",
    "rate_limited",
    "overloaded",
    "timeout",
    "content_filter",
    "out_of_memory",
    "internal",
    "stream_error",
    "malformed",
    "cut",
    "unreachable",
    "other",
]
"""Why a request failed. stream_error: the engine said so in the middle of a stream; malformed: its
answer could not be read; cut and unreachable: as the outcomes of that name."""
ERROR_CLASSES: tuple[ErrorClass, ...] = get_args(ErrorClass)

OTHER = "other"
FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "error", OTHER)


GAP_BOUNDS_SECONDS = traffic.INTER_CHUNK.buckets or ()


@dataclass(frozen=True, slots=True)
class Gaps:
    """Gaps between two content chunks of the same choice, counted as they are exported.

    Attributes:
        counts: per bucket of `traffic.INTER_CHUNK` (its bound included), one more for beyond.
        seconds: their sum.
    """

    counts: tuple[int, ...]
    seconds: float


NO_GAPS = Gaps((0,) * (len(GAP_BOUNDS_SECONDS) + 1), 0.0)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was measured; None is always "not known", never zero.

    Attributes:
        model: a configured name, "other", or "" where the request named none.
        streamed: the answer came as an event stream (before any answer: was asked for as one).
        outcome: how it ended.
        status: the upstream's HTTP status; None if none came.
        finish_reason: one of FINISH_REASONS; of several choices, that of the last to finish.
        duration_seconds: from the request's arrival at the tap to its end.
        first_token_seconds: from arrival to the first content; only of streamed answers.
        gaps: between content chunks; NO_GAPS where there were none.
        prompt_tokens: as the engine said, tokens found in a cache included.
        generation_tokens: as the engine said, else the number of content chunks.
        features: of the prompt; None if it was empty, not text or too large to read.
        version: which the model runs in, as configured; "" where none is.
        route: what was asked for.
        error: why it failed; None where it did not, or its client left.
        client: whose it was, as a keyed hash in hexadecimal; "" where nobody asked to know.
        answer_key: `answer_key` of the answer's id, by which feedback finds it.
        prompt_tokens_estimated: the engine did not say them.
        generation_tokens_estimated: the engine did not say them.
    """

    model: str
    streamed: bool
    outcome: Outcome
    status: int | None
    finish_reason: str | None
    duration_seconds: float
    first_token_seconds: float | None
    gaps: Gaps
    prompt_tokens: int | None
    generation_tokens: int | None
    features: Features | None
    version: str = ""
    route: Route = "other"
    error: ErrorClass | None = None
    client: str = ""
    answer_key: int | None = None
    prompt_tokens_estimated: bool = False
    generation_tokens_estimated: bool = False
