"""NVIDIA NIM for language models: the names of an early vLLM without its prefix. Data only.

Later images write vLLM's own names, and are read as vLLM. Nothing tells these names apart from
another program's but that all of the fingerprint is there.
"""

from tidegauge.catalog import inference as ours
from tidegauge.engines.dialect import Dialect
from tidegauge.engines.rule import Rule

NIM = Dialect(
    name="nim",
    title="NVIDIA NIM",
    fingerprint=("num_requests_running", "num_requests_waiting", "generation_tokens_total"),
    model_label="model_name",
    paths=("/v1/metrics", "/metrics"),
    prefixes=("num_request_", "num_requests_", "gpu_cache_usage_"),
    rules=(
        Rule(("num_requests_running",), ours.REQUESTS_RUNNING),
        Rule(("num_requests_waiting",), ours.REQUESTS_WAITING),
        Rule(("time_to_first_token_seconds",), ours.TIME_TO_FIRST_TOKEN),
        # As in the vLLM of its time: every gap, not a request's mean.
        Rule(("time_per_output_token_seconds",), ours.INTER_TOKEN_LATENCY),
        Rule(("e2e_request_latency_seconds",), ours.REQUEST_DURATION),
        Rule(("request_prompt_tokens",), ours.REQUEST_PROMPT_TOKENS),
        Rule(("request_generation_tokens",), ours.REQUEST_GENERATION_TOKENS),
        Rule(("prompt_tokens_total",), ours.PROMPT_TOKENS),
        Rule(("generation_tokens_total",), ours.GENERATION_TOKENS),
        Rule(("gpu_cache_usage_perc",), ours.KV_CACHE_USAGE),
        Rule(
            ("request_finish_total",),
            ours.REQUESTS_FINISHED,
            labels=(("finished_reason", "reason"),),
        ),
        Rule(("request_failure_total",), ours.REQUEST_ERRORS, constant=(("class", "failed"),)),
    ),
    ignored=("num_request_max", "request_success"),
)
