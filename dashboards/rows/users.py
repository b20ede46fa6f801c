"""How do users feel? Measured at the traffic tap, whatever the engine says of itself."""

from dashboards.expressions import quantile, rate, select
from dashboards.panels import Panel, Query, Row, Step
from dashboards.settings import Objectives
from tidegauge.catalog import Metric, traffic

_MODEL = {"model": "$model"}
_OUTCOMES = (
    ("ok", "green"),
    ("client_error", "blue"),
    ("aborted", "purple"),
    ("server_error", "red"),
    ("cut", "dark-red"),
    ("unreachable", "orange"),
)


def _quantiles(metric: Metric, *levels: float) -> tuple[Query, ...]:
    return tuple(
        Query(quantile(level, metric, **_MODEL), f"{{{{model}}}} p{level * 100:.0f}")
        for level in levels
    )


def row(objectives: Objectives) -> Row:
    return Row(
        "How do users feel?",
        (
            Panel(
                "Requests by outcome",
                "Requests ended per second, by outcome. client_error and aborted are the "
                "client's doing; server_error, cut and unreachable are ours.",
                "reqps",
                "stacked",
                (Query(rate(traffic.REQUESTS, "outcome", **_MODEL), "{{outcome}}"),),
                width=8,
                colors=_OUTCOMES,
            ),
            Panel(
                "Failed requests",
                "Share of ended requests that failed for a reason on our side. The dashed line is "
                "the share that the objective allows.",
                "percentunit",
                "lines",
                (Query('llm:request_errors:ratio{model=~"$model"}', "{{model}}"),),
                width=8,
                steps=(Step(None, "green"), Step(objectives.error_ratio, "red")),
            ),
            Panel(
                "Time to first token",
                "From arrival at the tap to the first content of a streamed answer, median and "
                "95th percentile over all replicas of a model. The dashed line is the objective.",
                "s",
                "lines",
                _quantiles(traffic.TIME_TO_FIRST_TOKEN, 0.5, 0.95),
                width=8,
                steps=(Step(None, "green"), Step(objectives.ttft_bound, "red")),
            ),
            Panel(
                "Time between chunks",
                "Between two content chunks of a streamed answer (one token each on most engines).",
                "s",
                "lines",
                _quantiles(traffic.INTER_CHUNK, 0.5, 0.95),
                width=8,
            ),
            Panel(
                "Request duration",
                "From arrival at the tap to the last byte of the answer.",
                "s",
                "lines",
                _quantiles(traffic.DURATION, 0.5, 0.95),
                width=8,
            ),
            Panel(
                "In flight",
                "Requests begun and not yet ended, queued ones included, all models, by replica.",
                "short",
                "stacked",
                (
                    Query(
                        f"sum by (pool, replica) ({select(traffic.IN_FLIGHT, pool='$pool')})",
                        "{{pool}} {{replica}}",
                    ),
                ),
                width=8,
            ),
        ),
    )
