"""What the traffic tap measures of each request, whatever the engine says of itself."""

from tidegauge.catalog.metric import Metric

_LATENCY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_GAPS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_TOKENS = (1, 4, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)

REQUESTS = Metric(
    "llm_traffic_requests_total",
    "counter",
    "Requests ended, by outcome and HTTP status (code is empty when no answer came).",
    ("model", "outcome", "code"),
)
FINISHED = Metric(
    "llm_traffic_finished_total",
    "counter",
    "Answers completed, by the finish reason that the engine gave.",
    ("model", "reason"),
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
TIME_TO_FIRST_TOKEN = Metric(
    "llm_traffic_time_to_first_token_seconds",
    "histogram",
    "Time from arrival at the tap to the first content of a streamed answer.",
    ("model",),
    "seconds",
    _LATENCY,
)
INTER_CHUNK = Metric(
    "llm_traffic_inter_chunk_seconds",
    "histogram",
    "Time between two content chunks of a streamed answer (one token each on most engines).",
    ("model",),
    "seconds",
    _GAPS,
)
DURATION = Metric(
    "llm_traffic_request_duration_seconds",
    "histogram",
    "Time from arrival at the tap to the last byte of the answer, of requests with outcome ok.",
    ("model",),
    "seconds",
    _LATENCY,
)
PROMPT_TOKENS = Metric(
    "llm_traffic_prompt_tokens",
    "histogram",
    "Prompt tokens per request, where the engine's answer says them.",
    ("model",),
    "tokens",
    _TOKENS,
)
GENERATION_TOKENS = Metric(
    "llm_traffic_generation_tokens",
    "histogram",
    "Generated tokens per request, from the engine's usage, else the number of content chunks.",
    ("model",),
    "tokens",
    _TOKENS,
)

METRICS = (
    REQUESTS,
    FINISHED,
    STARTED,
    IN_FLIGHT,
    TIME_TO_FIRST_TOKEN,
    INTER_CHUNK,
    DURATION,
    PROMPT_TOKENS,
    GENERATION_TOKENS,
)
