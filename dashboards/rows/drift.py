"""Are today's requests still those that the model was chosen for?"""

from dashboards.expressions import select
from dashboards.panels import Panel, Query, Row, Step
from tidegauge.catalog import Metric, drift

_MODEL = 'model=~"$model"'
_SIDES = 'channel=~"inputs|outputs"'
_CHANNELS = 'channel!~"inputs|outputs"'
_THRESHOLD = (Step(None, "green"), Step(1, "red"))
_BY_SIDE = "{{model}} {{side}}"
_BY_CHANNEL = "{{model}} {{channel}}"


def _of(metric: Metric, how: str, *by: str) -> str:
    """The metric of the models chosen, all replicas as one."""
    return f"{how} by ({', '.join(('model', *by))}) ({select(metric, model='$model')})"


_ALARM = (
    Panel(
        "Drift: evidence by threshold",
        "How unusual prompts (inputs) and answers (outputs) are, divided by what is reached by "
        "chance as seldom as the budget of false alarms says; mean of the replicas. From 1 on it "
        "is a shift, and an alert.",
        "none",
        "lines",
        (Query(f"llm:drift_ratio{{{_MODEL}, {_SIDES}}}", _BY_CHANNEL),),
        width=12,
        steps=_THRESHOLD,
        decimals=1,
    ),
    Panel(
        "Drift: replicas",
        "The same of each replica. One that is apart from the others has other requests or another "
        "engine: routing, a canary, a fault.",
        "none",
        "lines",
        (
            Query(
                f"max by (model, replica, channel) "
                f"({select(drift.RATIO, model='$model', channel='inputs|outputs')})",
                "{{model}} {{replica}} {{channel}}",
            ),
        ),
        width=6,
        steps=_THRESHOLD,
        decimals=1,
    ),
    Panel(
        "Unlike the reference",
        "Share of recent requests that are further from the reference than all but 1 % of it: the "
        "dashed line is what is to be expected. A small new kind of use shows here first.",
        "percentunit",
        "lines",
        (Query(_of(drift.OUTSIDE_RATIO, "avg", "side"), _BY_SIDE),),
        width=6,
        steps=(Step(None, "green"), Step(0.01, "orange")),
        decimals=1,
    ),
)
_MOVED = (
    Panel(
        "What moved most",
        "The channel that moved most of each side, and whether it is higher or lower than in the "
        "reference; with how many replicas say so. It names one even where nothing has shifted.",
        "none",
        "table",
        (Query(_of(drift.TOP_CHANNEL, "count", "side", "channel", "direction"), ""),),
        width=10,
        value="replicas",
    ),
    Panel(
        "Channels by their thresholds",
        "Evidence by threshold of each channel alone, highest first; above 1 it has moved by "
        "itself. Many channels are looked at, so these say what moved and are no alarm.",
        "none",
        "table",
        (Query(f"sort_desc(llm:drift_ratio{{{_MODEL}, {_CHANNELS}}})", ""),),
        width=7,
        value="ratio",
        decimals=2,
    ),
    Panel(
        "Effect: score above chance",
        "How far the last window is from the reference, by the configured test, less what chance "
        "alone scores. It says how large a shift is, not whether it is one.",
        "none",
        "table",
        (
            Query(
                f"sort_desc({_of(drift.SCORE, 'avg', 'channel')} "
                f"- {_of(drift.SCORE_BY_CHANCE, 'avg', 'channel')})",
                "",
            ),
        ),
        width=7,
        value="score",
        decimals=2,
    ),
)
_FLEET = (
    Panel(
        "Population stability index",
        "Of all replicas' requests as one, by bins of the reference: the channel with the highest, "
        "of prompts and of answers. For comparison with other tools; bursts of ordinary traffic "
        "raise it, too.",
        "none",
        "lines",
        (Query(f"llm:drift_psi_of_side:max{{{_MODEL}}}", _BY_CHANNEL),),
        width=8,
        decimals=2,
    ),
    Panel(
        "Requests scored",
        "Requests behind the index per model, and in each replica's own sliding window; the "
        "channel with the most. Below a minimum there is no score.",
        "short",
        "lines",
        (
            Query(f"max by (model) (llm:drift_requests{{{_MODEL}}})", "{{model}} all"),
            Query(
                f"max by (model, replica) ({select(drift.WINDOW_REQUESTS, model='$model')})",
                "{{model}} {{replica}}",
            ),
        ),
        width=8,
    ),
    Panel(
        "Alarms against the budget",
        "Alarms of all replicas, and how many their budgets allow, over the window of the "
        "recording rules (a month). More than allowed: there were shifts, or the promise is not "
        "kept.",
        "none",
        "stat",
        (
            Query(f"llm:drift_alarms:sum{{{_MODEL}}}", f"{_BY_SIDE}: alarms"),
            Query(f"llm:drift_alarms_allowed:sum{{{_MODEL}}}", f"{_BY_SIDE}: allowed"),
        ),
        width=8,
        decimals=1,
    ),
)
_REFERENCE = (
    Panel(
        "Reference: age and budget",
        "Time since the last request of the oldest reference in use, and the mean time between "
        "false alarms that thresholds are made for.",
        "s",
        "stat",
        (
            Query(_of(drift.REFERENCE_AGE, "max"), "{{model}}: age", needs="times"),
            Query(_of(drift.BUDGET, "min", "side"), f"{_BY_SIDE}: budget"),
        ),
        width=8,
        height=5,
    ),
    Panel(
        "Reference: what it is made of",
        "Requests and blocks of time of the smallest reference in use, and the alarms that its own "
        "period would have had: from few blocks little is known of how the traffic wanders.",
        "short",
        "stat",
        (
            Query(
                f"min by (model) ({_of(drift.REFERENCE_REQUESTS, 'max', 'instance')})",
                "{{model}}: requests",
            ),
            Query(_of(drift.REFERENCE_BLOCKS, "min"), "{{model}}: blocks"),
            Query(_of(drift.REFERENCE_ALARMS, "max", "side"), f"{_BY_SIDE}: alarms"),
        ),
        width=8,
        height=5,
    ),
    Panel(
        "Reference: learned",
        "How much of the warm-up is over, of the replica that is furthest; nothing is scored "
        "before there is a reference.",
        "percentunit",
        "stat",
        (Query(_of(drift.LEARNED_RATIO, "max"), "{{model}}"),),
        width=8,
        height=5,
        decimals=0,
    ),
)

ROW = Row("Has the traffic drifted?", (*_ALARM, *_MOVED, *_FLEET, *_REFERENCE))
