"""vLLM: the V1 engine's names (0.32), and before them those of 0.8.5 and later. Data only.

Where a release has both the new and the old name (0.9 to 0.11), the new one alone is read.
`_created` rows are times, not quantities: no rule names them. `iteration_tokens_total` is a
histogram in spite of its name and is not read. Clients that went away are counted nowhere.
"""

from tidegauge.catalog import inference as ours
from tidegauge.engines.dialect import Dialect
from tidegauge.engines.http import STATUS_CLASSES
from tidegauge.engines.rule import Rule

_CACHE = ("vllm:cache_config_info",)
_LORA = ("vllm:lora_requests_info",)

VLLM = Dialect(
    name="vllm",
    title="vLLM",
    fingerprint=("vllm:num_requests_running", "vllm:generation_tokens_total"),
    model_label="model_name",
    rank_label="engine",
    prefixes=("vllm:",),
    # vLLM's router repeats gauges of its backends under the same names.
    impostors=("vllm:current_qps", "vllm:avg_decoding_length", "vllm:healthy_pods_total"),
    rules=(
        Rule(("vllm:num_requests_running",), ours.REQUESTS_RUNNING),
        # `_by_reason` splits the same requests up.
        Rule(
            ("vllm:num_requests_waiting", "vllm:num_requests_waiting_by_reason"),
            ours.REQUESTS_WAITING,
        ),
        Rule(("vllm:num_requests_swapped",), ours.REQUESTS_PAUSED),
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
        Rule(("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"), ours.KV_CACHE_USAGE),
        Rule(_CACHE, ours.KV_CACHE_CAPACITY_TOKENS, value_of=("kv_cache_size_tokens",)),
        # Before 0.20 or so only the factors were told.
        Rule(_CACHE, ours.KV_CACHE_CAPACITY_TOKENS, value_of=("num_gpu_blocks", "block_size")),
        Rule(_CACHE, ours.KV_CACHE_CAPACITY_BLOCKS, value_of=("num_gpu_blocks",)),
        Rule(_CACHE, ours.KV_CACHE_BLOCK_TOKENS, value_of=("block_size",), join="max"),
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
        Rule(
            ("http_requests_total",),
            ours.REQUEST_ERRORS,
            labels=(("status", "class"),),
            values=STATUS_CLASSES,
        ),
        Rule(
            ("vllm:admission_rejections_total",),
            ours.REQUEST_ERRORS,
            constant=(("class", "rejected"),),
        ),
        Rule(("vllm:spec_decode_num_draft_tokens_total",), ours.SPEC_DECODE_DRAFT),
        Rule(("vllm:spec_decode_num_accepted_tokens_total",), ours.SPEC_DECODE_ACCEPTED),
        Rule(("vllm:spec_decode_draft_acceptance_rate",), ours.SPEC_DECODE_ACCEPTANCE),
        # Its value is when it was written, and rows of earlier states stay: the newest is true.
        Rule(
            _LORA,
            ours.LORA_ADAPTER,
            pick="newest",
            labels=(("running_lora_adapters", "adapter"),),
            constant=(("state", "running"),),
            split="running_lora_adapters",
        ),
        Rule(
            _LORA,
            ours.LORA_ADAPTER,
            pick="newest",
            labels=(("waiting_lora_adapters", "adapter"),),
            constant=(("state", "waiting"),),
            split="waiting_lora_adapters",
        ),
        Rule(_LORA, ours.LORA_SLOTS, pick="newest", value_of=("max_lora",)),
    ),
    ignored=(
        "vllm:avg_generation_throughput_toks_per_s",
        "vllm:avg_prompt_throughput_toks_per_s",
        "vllm:corrupted_requests",
        "vllm:cpu_cache_usage_perc",
        "vllm:cpu_prefix_cache_hit_rate",
        "vllm:diffusion_*",
        "vllm:engine_sleep_state",
        "vllm:estimated_flops_per_gpu",
        "vllm:estimated_read_bytes_per_gpu",
        "vllm:estimated_write_bytes_per_gpu",
        "vllm:external_prefix_cache_hits",
        "vllm:external_prefix_cache_queries",
        "vllm:gpu_prefix_cache_hit_rate",
        "vllm:iteration_tokens",
        "vllm:kv_block_*",
        "vllm:kv_offload_*",
        "vllm:mm_cache_hits",
        "vllm:mm_cache_queries",
        "vllm:model_execute_time_milliseconds",
        "vllm:model_forward_time_milliseconds",
        "vllm:mooncake_*",
        "vllm:nixl_*",
        "vllm:num_requests_kv_fetch_by_stage",
        "vllm:prompt_tokens_by_source",
        "vllm:prompt_tokens_cached",
        "vllm:prompt_tokens_cached_by_source",
        "vllm:prompt_tokens_recomputed",
        "vllm:request_inference_time_seconds",
        "vllm:request_max_num_generation_tokens",
        "vllm:request_num_preemptions",
        "vllm:request_params_best_of",
        "vllm:request_params_max_tokens",
        "vllm:request_params_n",
        "vllm:request_prefill_kv_computed_tokens",
        "vllm:spec_decode_efficiency",
        "vllm:spec_decode_num_accepted_tokens_per_pos",
        "vllm:spec_decode_num_drafts",
        "vllm:spec_decode_num_emitted_tokens",
        "vllm:tokens",  # 0.8's sum of prompt and generation tokens
        "vllm:tool_call",
        "vllm:watermark_requests",
    ),
)
