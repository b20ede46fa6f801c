"""vLLM: the V1 engine's names (0.32), and before them those of 0.8.5 and later. Data only.

Where a release has both the new and the old name (0.9 to 0.11), the new one alone is read.
`_created` rows are times, not quantities: no rule names them. `iteration_tokens_total` is a
histogram in spite of its name and is not read.
"""

from tidegauge.catalog import inference as ours
from tidegauge.engines.dialect import Dialect, Rule

VLLM = Dialect(
    name="vllm",
    # vLLM's router repeats the first of these for its backends, but not the second.
    fingerprint=("vllm:num_requests_running", "vllm:generation_tokens_total"),
    model_label="model_name",
    rank_label="engine",
    rules=(
        Rule(("vllm:num_requests_running",), ours.REQUESTS_RUNNING),
        # Not `_by_reason`, which splits the same requests up.
        Rule(("vllm:num_requests_waiting",), ours.REQUESTS_WAITING),
        Rule(("vllm:time_to_first_token_seconds",), ours.TIME_TO_FIRST_TOKEN),
        # The old name promised a request's mean and measured every gap.
        Rule(
            ("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"),
            ours.INTER_TOKEN_LATENCY,
        ),
        Rule(("vllm:request_time_per_output_token_seconds",), ours.TIME_PER_OUTPUT_TOKEN),
        Rule(("vllm:e2e_request_latency_seconds",), ours.REQUEST_DURATION),
        Rule(
            ("vllm:request_queue_time_seconds", "vllm:time_in_queue_requests"), ours.QUEUE_DURATION
        ),
        Rule(("vllm:request_prefill_time_seconds",), ours.PREFILL_DURATION),
        Rule(("vllm:request_decode_time_seconds",), ours.DECODE_DURATION),
        Rule(("vllm:request_prefill_time_seconds",), ours.PROMPT_SECONDS, part="sum"),
        Rule(("vllm:request_decode_time_seconds",), ours.GENERATION_SECONDS, part="sum"),
        Rule(("vllm:request_prompt_tokens",), ours.REQUEST_PROMPT_TOKENS),
        Rule(("vllm:request_generation_tokens",), ours.REQUEST_GENERATION_TOKENS),
        Rule(("vllm:prompt_tokens_total",), ours.PROMPT_TOKENS),
        Rule(("vllm:generation_tokens_total",), ours.GENERATION_TOKENS),
        # V0 wrote -1 into its cache gauges while it did not know.
        Rule(
            ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),
            ours.KV_CACHE_USAGE,
            absent=-1.0,
        ),
        Rule(
            ("vllm:prefix_cache_queries_total", "vllm:gpu_prefix_cache_queries_total"),
            ours.PREFIX_CACHE_QUERIED,
        ),
        Rule(
            ("vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total"),
            ours.PREFIX_CACHE_HIT,
        ),
        Rule(("vllm:num_preemptions_total",), ours.PREEMPTIONS),
        Rule(
            ("vllm:request_success_total",),
            ours.REQUESTS_FINISHED,
            labels=(("finished_reason", "reason"),),
        ),
        Rule(("vllm:spec_decode_num_draft_tokens_total",), ours.SPEC_DECODE_DRAFT),
        Rule(("vllm:spec_decode_num_accepted_tokens_total",), ours.SPEC_DECODE_ACCEPTED),
    ),
)
