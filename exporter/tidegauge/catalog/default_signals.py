"""The signals that are watched without being asked for: `tidegauge control` and the rules read this.

One row is one signal, and its expression one of our recording rules (alert-rules/templates/
recording.yml), so that both kinds of band are drawn around the same numbers. Rows are added, never
renamed: the name is a label value that people's queries hold.
"""

from dataclasses import dataclass
from typing import Literal

Direction = Literal["both", "above", "below"]
"""On which side of the band a value is news."""


@dataclass(frozen=True, slots=True)
class DefaultSignal:
    """A PromQL expression under a name. `about` completes "… of" for an alert and a page."""

    name: str
    expr: str
    direction: Direction
    about: str


DEFAULT_SIGNALS: tuple[DefaultSignal, ...] = (
    DefaultSignal(
        "time_to_first_token_p95",
        "llm:time_to_first_token_seconds:p95",
        "above",
        "95th percentile of the time to the first token, seconds",
    ),
    DefaultSignal(
        "inter_token_p95",
        "llm:inter_chunk_seconds:p95",
        "above",
        "95th percentile of the time between two tokens, seconds",
    ),
    DefaultSignal(
        "error_ratio",
        "llm:request_errors:ratio",
        "above",
        "share of requests that the service failed",
    ),
    DefaultSignal(
        "queue_time_p95",
        "llm:queue_seconds:p95",
        "above",
        "95th percentile of the time in the engine's queue, seconds",
    ),
    DefaultSignal(
        "tokens_per_replica",
        "llm:generation_tokens_per_replica:rate",
        "both",
        "tokens generated per second and replica",
    ),
    DefaultSignal(
        "kv_cache_usage",
        "llm:kv_cache_usage:ratio",
        "above",
        "share of the KV cache in use, mean of the pool's replicas",
    ),
    DefaultSignal(
        "drift_score",
        "llm:drift_psi",
        "above",
        "population stability index of requests against the reference",
    ),
    DefaultSignal(
        "feedback_bad_ratio",
        "llm:feedback_bad_of_model:ratio",
        "above",
        "share of judged answers that were judged bad",
    ),
    DefaultSignal(
        "cost_per_token",
        "llm:cost_per_token",
        "above",
        "price of the GPUs per token generated, in the currency of gpu_hour_price",
    ),
)
"""`cost_per_token` is absent until alert-rules/parameters.yml has a price of a GPU's hour."""
