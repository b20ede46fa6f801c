"""Is tidegauge itself well? When this row is red, trust the rows above less."""

from dashboards.expressions import increase, select
from dashboards.panels import Panel, Query, Row, State
from tidegauge.catalog import control, own

_POOL = {"pool": "$pool"}
_LAST_TICK = select(control.LAST_TICK, **_POOL)

ROW = Row(
    "Is tidegauge itself well?",
    (
        Panel(
            "Scrapes",
            "Whether Prometheus could scrape each target. Replicas come and go with the pool.",
            "short",
            "timeline",
            (Query("min by (job, instance) (up)", "{{job}} {{instance}}"),),
            width=12,
            states=(State(1, "up", "green"), State(0, "down", "red")),
        ),
        Panel(
            "Source read time",
            "How long each source's last read took, worst replica. A scrape never waits for it.",
            "s",
            "lines",
            (Query(f"max by (source) ({own.SOURCE_READ_SECONDS.name})", "{{source}}"),),
            width=12,
        ),
        Panel(
            "Source errors",
            "Reads that failed over the last few scrapes, by source and reason.",
            "short",
            "bars",
            (
                Query(
                    increase(own.SOURCE_ERRORS, "source", "reason"),
                    "{{source}}: {{reason}}",
                    needs="failure",
                ),
            ),
            width=8,
        ),
        Panel(
            "Query errors",
            "PromQL queries of the controller without a usable answer. While they fail, the pool "
            "holds its size.",
            "short",
            "bars",
            (
                Query(
                    increase(control.QUERY_ERRORS, "pool", "reason", **_POOL),
                    "{{pool}}: {{reason}}",
                    needs="failure",
                ),
            ),
            width=8,
        ),
        Panel(
            "Age of the last control round",
            "Since the control loop last completed a round for this pool; more than a few "
            "intervals means that it hangs.",
            "s",
            "lines",
            (Query(f"time() - {_LAST_TICK}", "{{pool}}"),),
            width=8,
        ),
    ),
)
