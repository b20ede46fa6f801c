"""The signals that are watched by default: `tidegauge control` and the rules both read this.

One row is one signal, and its expression one of our recording rules (alert-rules/templates/
recording.yml), so that both kinds of band are drawn around the same numbers. Rows are added, never
renamed: the name is a label value that people's queries hold.
"""

from dataclasses import dataclass
from typing import Literal

from tidegauge.catalog.metric import Unit

Direction = Literal["both", "above", "below"]
"""On which side of the band a value is news."""


@dataclass(frozen=True, slots=True)
class DefaultSignal:
    """A PromQL expression under a name, what it is about, and how a panel calls it.

    A change of less than `least`, in the unit of the signal, is no news to the rules, however still
    the signal was: one error where there never was any. A detector learns that by its budget.
    """

    name: str
    expr: str
    direction: Direction
    about: str
    title: str
    unit: Unit | None = None
    least: float = 0.0


DEFAULT_SIGNALS: tuple[DefaultSignal, ...] = (
    DefaultSignal(
        "time_to_first_token_p95",
        "llm:time_to_first_token_seconds:p95",
        "above",
        "95th percentile of the time to the first token, seconds",
        title="Time to first token, p95",
        unit="seconds",
        least=0.05,
    ),
    DefaultSignal(
        "inter_token_p95",
        "llm:inter_chunk_seconds:p95",
        "above",
        "95th percentile of the time between two tokens, seconds",
        title="Time between tokens, p95",
        unit="seconds",
        least=0.005,
    ),
    DefaultSignal(
        "error_ratio",
        "llm:request_errors:ratio",
        "above",
        "share of requests that the service failed",
        title="Requests failed",
        unit="ratio",
        least=0.01,
    ),
    DefaultSignal(
        "queue_time_p95",
        "llm:queue_seconds:p95",
        "above",
        "95th percentile of the time in the engine's queue, seconds",
        title="Time in the queue, p95",
        unit="seconds",
        least=0.05,
    ),
    DefaultSignal(
        "tokens_per_replica",
        "llm:generation_tokens_per_replica:rate",
        "both",
        "tokens generated per second and replica",
        title="Tokens per second and replica",
        least=1.0,
    ),
    DefaultSignal(
        "kv_cache_usage",
        "llm:kv_cache_usage:ratio",
        "above",
        "share of the KV cache in use, mean of the pool's replicas",
        title="KV cache of a pool",
        unit="ratio",
        least=0.05,
    ),
    DefaultSignal(
        "drift_score",
        "llm:drift_psi_of_side:max",
        "above",
        "population stability index of what moved most, of prompts and of answers",
        title="Drift",
        least=0.05,
    ),
    DefaultSignal(
        "feedback_bad_ratio",
        "llm:feedback_bad_of_model:ratio",
        "above",
        "share of judged answers that were judged bad",
        title="Answers disliked",
        unit="ratio",
        least=0.05,
    ),
    DefaultSignal(
        "cost_per_token",
        "llm:cost_per_token",
        "above",
        "price of the GPUs per token generated, in the currency of gpu_hour_price",
        title="Cost per token",
    ),
)
"""`cost_per_token` is absent until alert-rules/parameters.yml has a price of a GPU's hour."""
