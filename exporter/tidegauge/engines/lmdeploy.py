"""LMDeploy 0.18 (PyTorch and TurboMind), and the fewer names of 0.9. Data only.

Its finish reasons are names of an enumeration, and its count of successes has the errors as well.
What failed it keeps in a gauge that only grows.
"""

from tidegauge.catalog import inference as ours
from tidegauge.engines.dialect import Dialect
from tidegauge.engines.rule import Rule

LMDEPLOY = Dialect(
    name="lmdeploy",
    title="LMDeploy",
    fingerprint=("lmdeploy:num_requests_running", "lmdeploy:generation_tokens_total"),
    model_label="model_name",
    rank_label="engine",
    prefixes=("lmdeploy:",),
    rules=(
        Rule(("lmdeploy:num_requests_running",), ours.REQUESTS_RUNNING),
        # In the engine, and before it for a handle; 0.9 knows the engine's queue alone.
        Rule(
            ("lmdeploy:num_requests_waiting", "lmdeploy:num_api_requests_waiting"),
            ours.REQUESTS_WAITING,
            combine="sum",
        ),
        Rule(("lmdeploy:num_requests_waiting",), ours.REQUESTS_WAITING),
        Rule(("lmdeploy:time_to_first_token_seconds",), ours.TIME_TO_FIRST_TOKEN),
        Rule(("lmdeploy:iter_token_latency",), ours.INTER_TOKEN_LATENCY),
        Rule(("lmdeploy:time_per_output_token_seconds",), ours.TIME_PER_OUTPUT_TOKEN),
        Rule(("lmdeploy:e2e_request_latency_seconds",), ours.REQUEST_DURATION),
        Rule(("lmdeploy:request_queue_time_seconds",), ours.QUEUE_DURATION),
        Rule(("lmdeploy:request_prefill_time_seconds",), ours.PREFILL_DURATION),
        Rule(("lmdeploy:request_decode_time_seconds",), ours.DECODE_DURATION),
        Rule(("lmdeploy:request_prefill_time_seconds",), ours.PROMPT_SECONDS, part="sum"),
        Rule(("lmdeploy:request_decode_time_seconds",), ours.GENERATION_SECONDS, part="sum"),
        Rule(("lmdeploy:request_prompt_tokens",), ours.REQUEST_PROMPT_TOKENS),
        Rule(("lmdeploy:request_generation_tokens",), ours.REQUEST_GENERATION_TOKENS),
        Rule(("lmdeploy:prompt_tokens_total",), ours.PROMPT_TOKENS),
        Rule(("lmdeploy:generation_tokens_total",), ours.GENERATION_TOKENS),
        Rule(("lmdeploy:gpu_cache_usage_perc",), ours.KV_CACHE_USAGE),
        # Its own ratios divide by all prompt tokens.
        Rule(("lmdeploy:prompt_tokens_total",), ours.PREFIX_CACHE_QUERIED),
        Rule(("lmdeploy:cached_tokens_total",), ours.PREFIX_CACHE_HIT),
        Rule(
            ("lmdeploy:request_success_total",),
            ours.REQUESTS_FINISHED,
            labels=(("finished_reason", "reason"),),
            values=(
                ("ResponseType.SUCCESS", None),  # an answer that goes on
                ("ResponseType.FINISH", "finish"),  # whether by stop or by length
                ("ResponseType.CANCEL", "abort"),
                ("ResponseType.*", "error"),
            ),
        ),
        Rule(
            ("lmdeploy:num_requests_failed",), ours.REQUEST_ERRORS, constant=(("class", "failed"),)
        ),
        Rule(("lmdeploy:spec_decode_num_draft_tokens_total",), ours.SPEC_DECODE_DRAFT),
        Rule(("lmdeploy:spec_decode_num_accepted_tokens_total",), ours.SPEC_DECODE_ACCEPTED),
    ),
    ignored=(
        "lmdeploy:backend_config",
        "lmdeploy:iteration_tokens",
        "lmdeploy:multimodal_*",
        "lmdeploy:num_api_requests_routed",
        "lmdeploy:num_requests_succeeded",
        "lmdeploy:prefix_cache_hit_rate",
        "lmdeploy:request_cache_hit_ratio",
        "lmdeploy:request_cached_tokens",
        "lmdeploy:request_inference_time_seconds",
        "lmdeploy:request_max_num_generation_tokens",
        "lmdeploy:request_params_max_tokens",
        "lmdeploy:request_params_n",
        "lmdeploy:spec_decode_mean_accept_length",
        "lmdeploy:spec_decode_mean_accept_rate",
        "lmdeploy:spec_decode_num_accepted_tokens_per_pos",
        "lmdeploy:spec_decode_num_drafts",
        "lmdeploy:spec_decode_per_position_accept_rate",
    ),
)
