"""`trtllm-serve`, TensorRT-LLM's own server. Data only.

Its /metrics is JSON; the exposition is at /prometheus/metrics, and says most of this only with
`return_perf_metrics` and `enable_iter_perf_stats`. It counts the prefix cache in blocks.
"""

from tidegauge.catalog import inference as ours
from tidegauge.engines.dialect import Dialect
from tidegauge.engines.http import STATUS_CLASSES
from tidegauge.engines.rule import Rule

_BLOCK = "trtllm_kv_cache_tokens_per_block"

TRTLLM = Dialect(
    name="trtllm",
    title="trtllm-serve",
    fingerprint=("trtllm_num_requests_running", "trtllm_num_requests_waiting"),
    model_label="model_name",
    paths=("/prometheus/metrics",),
    prefixes=("trtllm_",),
    rules=(
        Rule(("trtllm_num_requests_running",), ours.REQUESTS_RUNNING),
        Rule(("trtllm_num_requests_waiting",), ours.REQUESTS_WAITING),
        # A state, not a count of how often: no preemptions can be told from it.
        Rule(("trtllm_num_paused_requests",), ours.REQUESTS_PAUSED),
        Rule(("trtllm_time_to_first_token_seconds",), ours.TIME_TO_FIRST_TOKEN),
        # Observed once a request, when it ends: a mean, unlike vLLM's row of that name.
        Rule(("trtllm_time_per_output_token_seconds",), ours.TIME_PER_OUTPUT_TOKEN),
        Rule(("trtllm_e2e_request_latency_seconds",), ours.REQUEST_DURATION),
        Rule(("trtllm_request_queue_time_seconds",), ours.QUEUE_DURATION),
        Rule(("trtllm_request_prefill_time_seconds",), ours.PREFILL_DURATION),
        Rule(("trtllm_request_decode_time_seconds",), ours.DECODE_DURATION),
        Rule(("trtllm_request_prefill_time_seconds",), ours.PROMPT_SECONDS, part="sum"),
        Rule(("trtllm_request_decode_time_seconds",), ours.GENERATION_SECONDS, part="sum"),
        Rule(("trtllm_prompt_tokens_total",), ours.PROMPT_TOKENS),
        Rule(("trtllm_generation_tokens_total",), ours.GENERATION_TOKENS),
        Rule(("trtllm_kv_cache_utilization",), ours.KV_CACHE_USAGE),
        Rule(("trtllm_kv_cache_max_blocks",), ours.KV_CACHE_CAPACITY_TOKENS, times=_BLOCK),
        Rule(("trtllm_kv_cache_used_blocks",), ours.KV_CACHE_USED_TOKENS, times=_BLOCK),
        Rule(("trtllm_kv_cache_max_blocks",), ours.KV_CACHE_CAPACITY_BLOCKS),
        Rule(("trtllm_kv_cache_used_blocks",), ours.KV_CACHE_USED_BLOCKS),
        Rule((_BLOCK,), ours.KV_CACHE_BLOCK_TOKENS, join="max"),
        Rule(
            ("trtllm_kv_cache_reused_blocks_total", "trtllm_kv_cache_missed_blocks_total"),
            ours.PREFIX_CACHE_QUERIED,
            combine="sum",
            times=_BLOCK,
        ),
        Rule(("trtllm_kv_cache_reused_blocks_total",), ours.PREFIX_CACHE_HIT, times=_BLOCK),
        Rule(("trtllm_prompt_cached_tokens_total",), ours.PREFIX_CACHE_HIT),
        Rule(
            ("trtllm_request_success_total",),
            ours.REQUESTS_FINISHED,
            labels=(("finished_reason", "reason"),),
        ),
        Rule(
            ("trtllm_request_error_total",),
            ours.REQUEST_ERRORS,
            labels=(("http_code", "class"),),
            values=STATUS_CLASSES,
        ),
        Rule(("trtllm_spec_decode_num_draft_tokens_total",), ours.SPEC_DECODE_DRAFT),
        Rule(("trtllm_spec_decode_num_accepted_tokens_total",), ours.SPEC_DECODE_ACCEPTED),
        Rule(("trtllm_spec_decode_acceptance_length",), ours.SPEC_DECODE_STEP_TOKENS, join="max"),
    ),
    ignored=(
        "trtllm_avg_decoded_tokens_per_iter",
        "trtllm_cpu_memory_usage_bytes",
        "trtllm_ep_*",  # health of expert-parallel ranks
        "trtllm_generation_perplexity",
        "trtllm_gpu_memory_usage_bytes",
        "trtllm_iteration_latency_seconds",
        "trtllm_kv_cache_config_info",
        "trtllm_kv_cache_disk_prefetch_blocks",
        "trtllm_kv_cache_free_blocks",
        "trtllm_kv_cache_gen_alloc_blocks",
        "trtllm_kv_cache_hit_rate",
        "trtllm_kv_cache_host_utilization",
        "trtllm_kv_cache_intra_device_copy_bytes",
        "trtllm_kv_cache_iter_*",
        "trtllm_kv_cache_offload_bytes",
        "trtllm_kv_cache_onboard_bytes",
        "trtllm_max_batch_size_runtime",
        "trtllm_max_batch_size_static",
        "trtllm_max_num_active_requests",
        "trtllm_max_num_tokens_runtime",
        "trtllm_model_config_info",
        "trtllm_num_context_requests",
        "trtllm_num_generation_requests",
        "trtllm_num_requests_completed",
        "trtllm_num_scheduled_requests",
        "trtllm_parallel_config_info",
        "trtllm_pinned_memory_usage_bytes",
        "trtllm_prefill_batch_occupancy",
        "trtllm_prefill_batch_tokens",
        "trtllm_prefill_perplexity",
        "trtllm_prompt_cache_hit_tokens",
        "trtllm_prompt_cached_tokens_per_request",
        "trtllm_request_inference_time_seconds",
        "trtllm_scheduled_batch_size",
        "trtllm_spec_decode_accepted_tokens",  # by position
        "trtllm_spec_decode_draft_overhead",
        "trtllm_spec_decode_drafted_tokens",  # by position
        "trtllm_speculative_config_info",
        "trtllm_total_context_tokens",
    ),
)
