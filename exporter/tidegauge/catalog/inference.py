"""What an inference engine says of itself, in one vocabulary whatever the engine."""

from tidegauge.catalog.metric import Metric

_SERIES = ("model", "engine", "rank")

ENGINE_UP = Metric(
    "llm_engine_up",
    "gauge",
    "1 if the engine's metrics could be read and understood at the last attempt, else 0.",
    ("engine",),
)
ENGINE_INFO = Metric(
    "llm_engine_info", "gauge", "The dialect that reads the engine; always 1.", ("engine",), "info"
)
REQUESTS_RUNNING = Metric(
    "llm_requests_running", "gauge", "Requests that the engine is working on now.", _SERIES
)
REQUESTS_WAITING = Metric(
    "llm_requests_waiting", "gauge", "Requests that the engine has accepted but not begun.", _SERIES
)
REQUESTS_PAUSED = Metric(
    "llm_requests_paused",
    "gauge",
    "Requests that were begun and are put aside, swapped out or paused, for want of KV cache.",
    _SERIES,
)
TIME_TO_FIRST_TOKEN = Metric(
    "llm_time_to_first_token_seconds",
    "histogram",
    "Time from arrival to the first generated token, as the engine measures it.",
    _SERIES,
    "seconds",
)
INTER_TOKEN_LATENCY = Metric(
    "llm_inter_token_latency_seconds",
    "histogram",
    "Time between two tokens of one request, as the engine measures it.",
    _SERIES,
    "seconds",
)
TIME_PER_OUTPUT_TOKEN = Metric(
    "llm_time_per_output_token_seconds",
    "histogram",
    "Mean time per generated token of one request, the first token left out.",
    _SERIES,
    "seconds",
)
REQUEST_DURATION = Metric(
    "llm_request_duration_seconds",
    "histogram",
    "Time from arrival to the last token, as the engine measures it.",
    _SERIES,
    "seconds",
)
QUEUE_DURATION = Metric(
    "llm_queue_duration_seconds",
    "histogram",
    "Time that a request waited in the engine before it was begun.",
    _SERIES,
    "seconds",
)
PREFILL_DURATION = Metric(
    "llm_prefill_duration_seconds",
    "histogram",
    "Time that the engine spent on a request's prompt.",
    _SERIES,
    "seconds",
)
DECODE_DURATION = Metric(
    "llm_decode_duration_seconds",
    "histogram",
    "Time that the engine spent on generating a request's answer.",
    _SERIES,
    "seconds",
)
REQUEST_PROMPT_TOKENS = Metric(
    "llm_request_prompt_tokens",
    "histogram",
    "Prompt tokens per request, as the engine counts them.",
    _SERIES,
    "tokens",
)
REQUEST_GENERATION_TOKENS = Metric(
    "llm_request_generation_tokens",
    "histogram",
    "Generated tokens per request, as the engine counts them.",
    _SERIES,
    "tokens",
)
PROMPT_TOKENS = Metric(
    "llm_prompt_tokens_total",
    "counter",
    "Prompt tokens of the requests served, those found in a cache included (but not of a llama.cpp "
    "that does not count those).",
    _SERIES,
    "tokens",
)
GENERATION_TOKENS = Metric(
    "llm_generation_tokens_total", "counter", "Tokens generated.", _SERIES, "tokens"
)
PROMPT_SECONDS = Metric(
    "llm_prompt_processing_seconds_total",
    "counter",
    "Time that the engine has spent on prompts, summed over requests.",
    _SERIES,
    "seconds",
)
GENERATION_SECONDS = Metric(
    "llm_generation_seconds_total",
    "counter",
    "Time that the engine has spent on generating, summed over requests.",
    _SERIES,
    "seconds",
)
REQUEST_SECONDS = Metric(
    "llm_request_seconds_total",
    "counter",
    "Time that requests have spent in an engine that keeps no histogram of it, summed over them.",
    _SERIES,
    "seconds",
)
QUEUE_SECONDS = Metric(
    "llm_queue_seconds_total",
    "counter",
    "Time that requests have waited in an engine that keeps no histogram of it, summed over them.",
    _SERIES,
    "seconds",
)
KV_CACHE_USAGE = Metric(
    "llm_kv_cache_usage_ratio", "gauge", "Share of the KV cache in use, 0 to 1.", _SERIES, "ratio"
)
KV_CACHE_CAPACITY_TOKENS = Metric(
    "llm_kv_cache_capacity_tokens", "gauge", "Tokens that the KV cache holds.", _SERIES, "tokens"
)
KV_CACHE_USED_TOKENS = Metric(
    "llm_kv_cache_used_tokens",
    "gauge",
    "Tokens in the KV cache that running requests hold on to.",
    _SERIES,
    "tokens",
)
KV_CACHE_CAPACITY_BLOCKS = Metric(
    "llm_kv_cache_capacity_blocks", "gauge", "Blocks (pages) that the KV cache has.", _SERIES
)
KV_CACHE_USED_BLOCKS = Metric(
    "llm_kv_cache_used_blocks", "gauge", "Blocks (pages) of the KV cache in use.", _SERIES
)
KV_CACHE_BLOCK_TOKENS = Metric(
    "llm_kv_cache_block_tokens",
    "gauge",
    "Tokens in a block (page) of the KV cache.",
    _SERIES,
    "tokens",
)
PREFIX_CACHE_QUERIED = Metric(
    "llm_prefix_cache_queried_tokens_total",
    "counter",
    "Prompt tokens looked up in the prefix cache.",
    _SERIES,
    "tokens",
)
PREFIX_CACHE_HIT = Metric(
    "llm_prefix_cache_hit_tokens_total",
    "counter",
    "Prompt tokens found in the prefix cache.",
    _SERIES,
    "tokens",
)
PREEMPTIONS = Metric(
    "llm_preemptions_total",
    "counter",
    "Requests put back into the queue for want of KV cache.",
    _SERIES,
)
REQUESTS_FINISHED = Metric(
    "llm_requests_finished_total",
    "counter",
    "Requests finished, by the engine's reason (stop, length, abort, error …; unknown where it "
    "gives none).",
    (*_SERIES, "reason"),
)
REQUEST_ERRORS = Metric(
    "llm_request_errors_total",
    "counter",
    "Requests that failed, by class: an HTTP status (4xx, 5xx) or the engine's own word for it "
    "(rejected, aborted …). A request can be in several classes: don't add them up.",
    (*_SERIES, "class"),
)
SPEC_DECODE_DRAFT = Metric(
    "llm_spec_decode_draft_tokens_total",
    "counter",
    "Tokens proposed by speculative decoding.",
    _SERIES,
    "tokens",
)
SPEC_DECODE_ACCEPTED = Metric(
    "llm_spec_decode_accepted_tokens_total",
    "counter",
    "Proposed tokens that the model accepted.",
    _SERIES,
    "tokens",
)
SPEC_DECODE_ACCEPTANCE = Metric(
    "llm_spec_decode_acceptance_ratio",
    "gauge",
    "Share of proposed tokens that the model accepted lately, of engines that don't count them.",
    _SERIES,
    "ratio",
)
SPEC_DECODE_STEP_TOKENS = Metric(
    "llm_spec_decode_step_tokens",
    "gauge",
    "Mean tokens that a step of speculative decoding yields, of engines that don't count them.",
    _SERIES,
    "tokens",
)
LORA_ADAPTER = Metric(
    "llm_lora_adapter_info",
    "gauge",
    "A LoRA adapter with requests running or waiting, by state; always 1.",
    (*_SERIES, "adapter", "state"),
    "info",
)
LORA_SLOTS = Metric(
    "llm_lora_slots", "gauge", "LoRA adapters that the engine can serve at a time.", _SERIES
)
LORA_SLOTS_USED = Metric(
    "llm_lora_slots_used", "gauge", "LoRA adapters that the engine has loaded.", _SERIES
)

METRICS = (
    ENGINE_UP,
    ENGINE_INFO,
    REQUESTS_RUNNING,
    REQUESTS_WAITING,
    REQUESTS_PAUSED,
    TIME_TO_FIRST_TOKEN,
    INTER_TOKEN_LATENCY,
    TIME_PER_OUTPUT_TOKEN,
    REQUEST_DURATION,
    QUEUE_DURATION,
    PREFILL_DURATION,
    DECODE_DURATION,
    REQUEST_PROMPT_TOKENS,
    REQUEST_GENERATION_TOKENS,
    PROMPT_TOKENS,
    GENERATION_TOKENS,
    PROMPT_SECONDS,
    GENERATION_SECONDS,
    REQUEST_SECONDS,
    QUEUE_SECONDS,
    KV_CACHE_USAGE,
    KV_CACHE_CAPACITY_TOKENS,
    KV_CACHE_USED_TOKENS,
    KV_CACHE_CAPACITY_BLOCKS,
    KV_CACHE_USED_BLOCKS,
    KV_CACHE_BLOCK_TOKENS,
    PREFIX_CACHE_QUERIED,
    PREFIX_CACHE_HIT,
    PREEMPTIONS,
    REQUESTS_FINISHED,
    REQUEST_ERRORS,
    SPEC_DECODE_DRAFT,
    SPEC_DECODE_ACCEPTED,
    SPEC_DECODE_ACCEPTANCE,
    SPEC_DECODE_STEP_TOKENS,
    LORA_ADAPTER,
    LORA_SLOTS,
    LORA_SLOTS_USED,
)
