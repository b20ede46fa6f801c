"""Are today's requests still those that the model was chosen for?"""

from dashboards.expressions import select
from dashboards.panels import Panel, Query, Row, Step
from dashboards.settings import Objectives
from tidegauge.catalog import drift

_MODEL = {"model": "$model"}


def row(objectives: Objectives) -> Row:
    steps = (Step(None, "green"), Step(objectives.drift_psi, "red"))
    return Row(
        "Has the traffic drifted?",
        (
            Panel(
                "Drift per model",
                "Population stability index of all replicas' recent requests against the "
                "reference, by channel. The dashed line is the alert's threshold, by convention "
                "the index from which a shift matters. Absent while there are too few requests.",
                "none",
                "lines",
                (Query('llm:drift_psi{model=~"$model"}', "{{model}} {{channel}}"),),
                width=12,
                steps=steps,
                decimals=2,
            ),
            Panel(
                "Requests scored",
                "Requests behind the score per model, and in each replica's own sliding window; "
                "the channel with the fewest. Below a minimum there is no score.",
                "short",
                "lines",
                (
                    Query('min by (model) (llm:drift_requests{model=~"$model"})', "{{model}} all"),
                    Query(
                        f"min by (model, replica) ({select(drift.WINDOW_REQUESTS, **_MODEL)})",
                        "{{model}} {{replica}}",
                    ),
                ),
                width=6,
            ),
            Panel(
                "Drift per replica",
                "Each replica's own score, worst channel. One replica apart from the others is "
                "routing, not drift; the alert uses the score per model.",
                "none",
                "lines",
                (
                    Query(
                        f"max by (model, replica) ({select(drift.SCORE, **_MODEL)})",
                        "{{model}} {{replica}}",
                    ),
                ),
                width=6,
                steps=steps,
                decimals=2,
            ),
        ),
    )
