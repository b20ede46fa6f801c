"""llama.cpp's HTTP server (`--metrics`), build b11434, and the cache gauges of 2024's. Data only.

It names no model and has no histograms: latencies come from the traffic tap. `n_tokens_max` is
typed counter but is a high-water mark, and the `*_tokens_seconds` gauges start again at every
scrape: neither is read.
"""

from tidegauge.catalog import inference as ours
from tidegauge.engines.dialect import Dialect
from tidegauge.engines.rule import Rule

LLAMACPP = Dialect(
    name="llamacpp",
    title="llama.cpp",
    fingerprint=("llamacpp:requests_processing", "llamacpp:requests_deferred"),
    prefixes=("llamacpp:",),
    rules=(
        Rule(("llamacpp:requests_processing",), ours.REQUESTS_RUNNING),
        Rule(("llamacpp:requests_deferred",), ours.REQUESTS_WAITING),
        # llama.cpp leaves cached tokens out of its prompt tokens; everybody else counts them in.
        Rule(
            ("llamacpp:prompt_tokens_total", "llamacpp:prompt_tokens_cached_total"),
            ours.PROMPT_TOKENS,
            combine="sum",
        ),
        # Builds of 2025 and before don't count the cached ones: what they computed is all there is.
        Rule(("llamacpp:prompt_tokens_total",), ours.PROMPT_TOKENS),
        # Every prompt token is compared with the slot's cache, and is one or the other.
        Rule(
            ("llamacpp:prompt_tokens_total", "llamacpp:prompt_tokens_cached_total"),
            ours.PREFIX_CACHE_QUERIED,
            combine="sum",
        ),
        Rule(("llamacpp:prompt_tokens_cached_total",), ours.PREFIX_CACHE_HIT),
        Rule(("llamacpp:prompt_seconds_total",), ours.PROMPT_SECONDS),
        Rule(("llamacpp:tokens_predicted_total",), ours.GENERATION_TOKENS),
        Rule(("llamacpp:tokens_predicted_seconds_total",), ours.GENERATION_SECONDS),
        Rule(("llamacpp:kv_cache_usage_ratio",), ours.KV_CACHE_USAGE),
        Rule(("llamacpp:kv_cache_tokens",), ours.KV_CACHE_USED_TOKENS),
        Rule(("llamacpp:spec_decode_num_draft_tokens_total",), ours.SPEC_DECODE_DRAFT),
        Rule(("llamacpp:spec_decode_num_accepted_tokens_total",), ours.SPEC_DECODE_ACCEPTED),
    ),
    ignored=(
        "llamacpp:n_busy_slots_per_decode",
        "llamacpp:n_decode",
        "llamacpp:n_past_max",  # what n_tokens_max was called before
        "llamacpp:n_tokens_max",
        "llamacpp:predicted_tokens_seconds",
        "llamacpp:prompt_tokens_seconds",
        "llamacpp:spec_decode_num_drafts",
    ),
)
