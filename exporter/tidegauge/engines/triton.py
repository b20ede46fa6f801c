"""NVIDIA Triton with the TensorRT-LLM backend. Data only.

The backend tells many quantities by one name and a label; the server around it counts for each
model of a pipeline, in microseconds. Its histogram is the time to the first answer of a stream: a
chunk, which holds one token as a rule; it is off by default.
"""

from tidegauge.catalog import inference as ours
from tidegauge.engines.dialect import Dialect
from tidegauge.engines.rule import Rule

_BLOCKS = ("nv_trt_llm_kv_cache_block_metrics",)
_MICROSECONDS = 1e-6
_MILLISECONDS = 1e-3

TRITON = Dialect(
    name="triton",
    title="Triton with TensorRT-LLM",
    fingerprint=("nv_trt_llm_request_metrics",),
    model_label="model",
    prefixes=("nv_",),
    rules=(
        # "active" counts requests that wait for a place in the batch as well.
        Rule(
            ("nv_trt_llm_request_metrics",),
            ours.REQUESTS_RUNNING,
            match=(("request_type", "scheduled"),),
        ),
        Rule(
            ("nv_trt_llm_request_metrics",),
            ours.REQUESTS_WAITING,
            match=(("request_type", "waiting"),),
        ),
        Rule(
            ("nv_inference_first_response_histogram_ms",),
            ours.TIME_TO_FIRST_TOKEN,
            scale=_MILLISECONDS,
        ),
        Rule(
            ("nv_inference_request_duration_us_total",), ours.REQUEST_SECONDS, scale=_MICROSECONDS
        ),
        Rule(("nv_inference_queue_duration_us_total",), ours.QUEUE_SECONDS, scale=_MICROSECONDS),
        Rule(_BLOCKS, ours.KV_CACHE_USAGE, match=(("kv_cache_block_type", "fraction"),)),
        Rule(_BLOCKS, ours.KV_CACHE_CAPACITY_BLOCKS, match=(("kv_cache_block_type", "max"),)),
        Rule(_BLOCKS, ours.KV_CACHE_USED_BLOCKS, match=(("kv_cache_block_type", "used"),)),
        Rule(
            _BLOCKS,
            ours.KV_CACHE_BLOCK_TOKENS,
            match=(("kv_cache_block_type", "tokens_per"),),
            join="max",
        ),
        Rule(
            ("nv_inference_request_success_total",),
            ours.REQUESTS_FINISHED,
            constant=(("reason", "unknown"),),
        ),
        # Since 24.03 with a reason.
        Rule(
            ("nv_inference_request_failure_total",),
            ours.REQUEST_ERRORS,
            labels=(("reason", "class"),),
            values=(
                ("REJECTED", "rejected"),
                ("CANCELED", "aborted"),
                ("BACKEND", "backend"),
                ("OTHER", "other"),
                ("", "failed"),
            ),
        ),
    ),
    ignored=(
        "nv_cache_*",
        "nv_cpu_*",
        "nv_energy_consumption",
        "nv_gpu_*",
        "nv_inference_compute_infer_duration_us",
        "nv_inference_compute_infer_summary_us",
        "nv_inference_compute_input_duration_us",
        "nv_inference_compute_input_summary_us",
        "nv_inference_compute_output_duration_us",
        "nv_inference_compute_output_summary_us",
        "nv_inference_count",
        "nv_inference_exec_count",
        "nv_inference_pending_request_count",
        "nv_inference_queue_summary_us",
        "nv_inference_request_summary_us",
        "nv_model_load_duration_secs",
        "nv_pinned_memory_pool_*",
        "nv_response_cache_*",
        "nv_trt_llm_disaggregated_serving_metrics",
        "nv_trt_llm_general_metrics",
        "nv_trt_llm_inflight_batcher_metrics",
        "nv_trt_llm_runtime_memory_metrics",
        "nv_trt_llm_v1_metrics",
    ),
)
