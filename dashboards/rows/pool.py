"""What does the controller see, decide and do?"""

from dashboards.expressions import increase, rate, select
from dashboards.panels import Panel, Query, Row
from tidegauge.catalog import Metric, control

_POOL = {"pool": "$pool"}


def _measured(metric: Metric, legend: str) -> Query:
    return Query(select(metric, **_POOL), f"{{{{pool}}}} {legend}")


def _configured(metric: Metric, legend: str) -> Query:
    return Query(select(metric, **_POOL), f"{{{{pool}}}} {legend}", look="configured")


_CARRIED = f"{select(control.READY, **_POOL)} * {select(control.CAPACITY, **_POOL)}"

ROW = Row(
    "What does the controller do?",
    (
        Panel(
            "Replicas over time",
            "Desired and ready replicas between the configured bounds.",
            "short",
            "lines",
            (
                _measured(control.DESIRED, "desired"),
                _measured(control.READY, "ready"),
                _configured(control.MINIMUM, "min"),
                _configured(control.MAXIMUM, "max"),
            ),
            width=12,
            decimals=0,
        ),
        Panel(
            "Demand and capacity",
            "Demand as the controller's query answered it, and what the ready replicas are "
            "configured to carry, in the pool's own unit. A gap in demand: it is unknown, "
            "and the pool holds.",
            "short",
            "lines",
            (
                _measured(control.DEMAND, "demand"),
                Query(_CARRIED, "{{pool}} capacity of ready replicas", look="configured"),
            ),
            width=12,
        ),
        Panel(
            "Replicas by phase",
            "Starting, serving, draining, stopping. A phase that stays is a replica that is stuck.",
            "short",
            "stacked",
            (Query(select(control.REPLICAS, **_POOL), "{{pool}} {{phase}}"),),
            width=8,
            decimals=0,
        ),
        Panel(
            "Resizes",
            "Decisions to grow or shrink in the last few scrapes, by main reason. Each one is a "
            "log line of the controller as well.",
            "short",
            "bars",
            (
                Query(
                    increase(
                        control.DECISIONS,
                        "pool",
                        "direction",
                        "reason",
                        **_POOL,
                        direction="up|down",
                    ),
                    "{{pool}} {{direction}}: {{reason}}",
                ),
            ),
            width=8,
        ),
        Panel(
            "Why the pool holds",
            "Decisions per second to change nothing, by main reason. Demand unknown or stale "
            "here means that the controller can not see.",
            "short",
            "stacked",
            (
                Query(
                    rate(control.DECISIONS, "pool", "reason", **_POOL, direction="hold"),
                    "{{pool}} {{reason}}",
                ),
            ),
            width=8,
        ),
        Panel(
            "Replicas lost, steps failed",
            "Replicas that died, fell ill or never became ready, and steps of a resize that "
            "failed and are tried again, in the last few scrapes.",
            "short",
            "bars",
            (
                Query(
                    increase(control.REPLICA_FAILURES, "pool", "reason", **_POOL),
                    "{{pool}} lost: {{reason}}",
                    needs="failure",
                ),
                Query(
                    increase(control.ACTION_ERRORS, "pool", "action", **_POOL),
                    "{{pool}} failed: {{action}}",
                    needs="failure",
                ),
            ),
            width=12,
        ),
        Panel(
            "HAProxy's view",
            "Servers that HAProxy sends requests to, and requests that wait in HAProxy for one. "
            "Servers other than the ready replicas above: the route is out of step.",
            "short",
            "lines",
            (
                Query("haproxy_backend_active_servers", "{{proxy}} servers"),
                Query("haproxy_backend_current_queue", "{{proxy}} queued"),
            ),
            width=12,
            decimals=0,
        ),
    ),
)
