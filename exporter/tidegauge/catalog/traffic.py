"""What is measured of each request, by whichever door it came, whatever the engine says of itself.

docs/traffic-series.md says of each what it counts and what it does not.
"""

from tidegauge.catalog.metric import Metric

_LATENCY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
# A percentile stays where it is while it moves within one bucket. Streams of 20 to 100 tokens per
# second have gaps of 10 to 50 ms: there a step is a third at most.
_GAPS = (
    *(0.001, 0.0025, 0.005),
    *(0.01, 0.0125, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075),
    *(0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_TOKENS = (1, 4, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)
_SPEEDS = (1, 2, 5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000)

_MODEL = ("model", "version")

REQUESTS = Metric(
    "llm_traffic_requests_total",
    "counter",
    "Requests ended, by outcome.",
    (*_MODEL, "outcome"),
)
RESPONSES = Metric(
    "llm_traffic_responses_total",
    "counter",
    "Requests ended that the engine had begun to answer, by HTTP status "
    "(2xx, 4xx and the like for those without a series of their own).",
    (*_MODEL, "code"),
)
ABORTED = Metric(
    "llm_traffic_aborted_total",
    "counter",
    "Requests that the client gave up: while it waited for the first content, "
    "or while the answer was streaming.",
    (*_MODEL, "phase"),
)
ERRORS = Metric(
    "llm_traffic_errors_total",
    "counter",
    "Requests that failed, by class of error, the client's own mistakes included.",
    (*_MODEL, "class"),
)
FINISHED = Metric(
    "llm_traffic_finished_total",
    "counter",
    "Answers completed, by the finish reason that the engine gave.",
    (*_MODEL, "reason"),
)
ROUTES = Metric(
    "llm_traffic_route_requests_total",
    "counter",
    "Requests ended, by what was asked for, all models.",
    ("route", "outcome"),
)
STARTED = Metric(
    "llm_traffic_requests_started_total",
    "counter",
    "Chat and text completions begun, ended or not: what is asked for, "
    "whether or not the engine keeps up.",
)
IN_FLIGHT = Metric(
    "llm_traffic_requests_in_flight",
    "gauge",
    "Requests begun and not yet ended, queued ones included.",
)
STREAMS_IN_FLIGHT = Metric(
    "llm_traffic_streams_in_flight",
    "gauge",
    "Answers that are being streamed: begun and not yet ended.",
)
TIME_TO_FIRST_TOKEN = Metric(
    "llm_traffic_time_to_first_token_seconds",
    "histogram",
    "Time from arrival at the tap to the first content of a streamed answer.",
    _MODEL,
    "seconds",
    _LATENCY,
)
INTER_CHUNK = Metric(
    "llm_traffic_inter_chunk_seconds",
    "histogram",
    "Time between two content chunks of a streamed answer (one token each on most engines).",
    _MODEL,
    "seconds",
    _GAPS,
)
DURATION = Metric(
    "llm_traffic_request_duration_seconds",
    "histogram",
    "Time from arrival at the tap to the last byte of the answer, of requests with outcome ok.",
    _MODEL,
    "seconds",
    _LATENCY,
)
PROMPT_TOKENS = Metric(
    "llm_traffic_prompt_tokens",
    "histogram",
    "Prompt tokens per request, by source: usage, as the engine counted them, or estimate.",
    (*_MODEL, "source"),
    "tokens",
    _TOKENS,
)
GENERATION_TOKENS = Metric(
    "llm_traffic_generation_tokens",
    "histogram",
    "Generated tokens per request, by source: usage, as the engine counted them, or estimate, "
    "such as the number of content chunks.",
    (*_MODEL, "source"),
    "tokens",
    _TOKENS,
)
TOKENS_PER_SECOND = Metric(
    "llm_traffic_generation_tokens_per_second",
    "histogram",
    "Tokens after the first, divided by the time from the first content to the end, of each "
    "streamed answer with outcome ok; by the source of the number of tokens.",
    (*_MODEL, "source"),
    "tokens",
    _SPEEDS,
)
CLIENT_REQUESTS = Metric(
    "llm_traffic_client_requests_total",
    "counter",
    "Requests ended, by client: a keyed hash for those who ask most, other for the rest, "
    "empty where no client was named.",
    ("client",),
)
CLIENT_TOKENS = Metric(
    "llm_traffic_client_tokens_total",
    "counter",
    "Tokens of prompts and answers, as far as they are known, by client: a keyed hash for those "
    "who use most, other for the rest, empty where no client was named.",
    ("client",),
    "tokens",
)

METRICS = (
    REQUESTS,
    RESPONSES,
    ABORTED,
    ERRORS,
    FINISHED,
    ROUTES,
    STARTED,
    IN_FLIGHT,
    STREAMS_IN_FLIGHT,
    TIME_TO_FIRST_TOKEN,
    INTER_CHUNK,
    DURATION,
    PROMPT_TOKENS,
    GENERATION_TOKENS,
    TOKENS_PER_SECOND,
    CLIENT_REQUESTS,
    CLIENT_TOKENS,
)
