"""Is tidegauge itself well? When this row is red, trust the rows above less."""

from dashboards.expressions import increase, select
from dashboards.panels import Panel, Query, Row, State
from tidegauge.catalog import control, forwarding, inputs, middleware, otlp, own

_POOL = {"pool": "$pool"}
_LAST_TICK = select(control.LAST_TICK, **_POOL)

_LOST = tuple(
    Query(f"{expression} > 0", legend, needs="failure")
    for expression, legend in (
        (increase(middleware.DROPPED), "middleware: dropped"),
        (increase(middleware.REJECTED, "reason"), "middleware: {{reason}}"),
        (increase(inputs.REJECTED, "input", "reason"), "{{input}}: {{reason}}"),
        (increase(inputs.ITEMS, "input", result="rejected"), "{{input}}: items"),
        (increase(otlp.SPANS, result="rejected"), "otlp: spans"),
        (
            increase(forwarding.EVENTS, "sink", "result", result="lost|dropped"),
            "{{sink}}: {{result}}",
        ),
    )
)

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
            width=6,
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
            width=6,
        ),
        Panel(
            "Lost on the way here",
            "What other programs measured or sent and tidegauge did not count, by step: exchanges "
            "that the middleware dropped, connections and requests that were refused, items and "
            "spans that were wrong; and events that a sink did not get. The rows above are too low "
            "by these.",
            "short",
            "bars",
            _LOST,
            width=6,
        ),
        Panel(
            "Age of the last control round",
            "Since the control loop last completed a round for this pool; more than a few "
            "intervals means that it hangs.",
            "s",
            "lines",
            (Query(f"time() - {_LAST_TICK}", "{{pool}}"),),
            width=6,
        ),
    ),
)
