"""What `tidegauge control` sees, decides and does."""

from tidegauge.catalog.metric import Metric

_POOL = ("pool",)

DESIRED = Metric(
    "llm_pool_desired_replicas", "gauge", "Replicas that the last decision asks for.", _POOL
)
READY = Metric(
    "llm_pool_ready_replicas", "gauge", "Replicas that are healthy and receive traffic.", _POOL
)
REPLICAS = Metric(
    "llm_pool_replicas",
    "gauge",
    "Replicas by phase (starting, serving, draining, stopping).",
    (*_POOL, "phase"),
)
MINIMUM = Metric("llm_pool_min_replicas", "gauge", "Configured lower bound.", _POOL)
MAXIMUM = Metric("llm_pool_max_replicas", "gauge", "Configured upper bound.", _POOL)
DEMAND = Metric(
    "llm_pool_demand",
    "gauge",
    "Demand as the last query gave it, in the unit of the capacity; absent while unknown.",
    _POOL,
)
CAPACITY = Metric(
    "llm_pool_replica_capacity",
    "gauge",
    "Demand that one replica is configured to carry.",
    _POOL,
)
DECISIONS = Metric(
    "llm_pool_decisions_total",
    "counter",
    "Decisions by direction (up, down, hold) and main reason.",
    (*_POOL, "direction", "reason"),
)
REPLICA_FAILURES = Metric(
    "llm_pool_replica_failures_total",
    "counter",
    "Replicas lost, by reason (died, unhealthy, start_timeout).",
    (*_POOL, "reason"),
)
PART_RESTARTS = Metric(
    "llm_pool_part_restarts_total",
    "counter",
    "Processes started again by themselves while their replica served on, by part.",
    (*_POOL, "part"),
)
ACTION_ERRORS = Metric(
    "llm_pool_action_errors_total",
    "counter",
    "Steps of a resize that failed and are tried again, by step.",
    (*_POOL, "action"),
)
DRY_RUN = Metric(
    "llm_pool_dry_run", "gauge", "1 if decisions for this pool are logged but not acted on.", _POOL
)
QUERY_ERRORS = Metric(
    "tidegauge_query_errors_total",
    "counter",
    "PromQL queries without a usable answer, by reason.",
    (*_POOL, "reason"),
)
LAST_TICK = Metric(
    "tidegauge_control_last_tick_timestamp_seconds",
    "gauge",
    "When the control loop last completed a round for this pool.",
    _POOL,
    "seconds",
)

METRICS = (
    DESIRED,
    READY,
    REPLICAS,
    MINIMUM,
    MAXIMUM,
    DEMAND,
    CAPACITY,
    DECISIONS,
    REPLICA_FAILURES,
    PART_RESTARTS,
    ACTION_ERRORS,
    DRY_RUN,
    QUERY_ERRORS,
    LAST_TICK,
)
