"""Is it healthy? What the on-call engineer reads first."""

from dashboards.expressions import select
from dashboards.panels import Panel, Query, Row, State, Step
from tidegauge.catalog import control, inference, own

_ANY_IS_BAD = (Step(None, "green"), Step(1, "red"))
_UP_OR_DOWN = (State(1, "up", "green"), State(0, "down", "red"))
_ACTIVE = (State(1, "pending", "orange"), State(2, "firing", "red"))

_MISSING = f"{select(control.DESIRED, pool='$pool')} - {select(control.READY, pool='$pool')}"

_ALERT_STATES = (
    '2 * max by (alertname) (ALERTS{alertstate="firing"}) '
    'or max by (alertname) (ALERTS{alertstate="pending"})'
)

ROW = Row(
    "Is it healthy?",
    (
        Panel(
            "Replicas",
            "Replicas that are healthy and receive traffic, beside those that the last decision "
            "asked for.",
            "short",
            "stat",
            (
                Query(f"sum({select(control.READY, pool='$pool')})", "ready"),
                Query(f"sum({select(control.DESIRED, pool='$pool')})", "desired"),
            ),
            width=5,
            height=4,
        ),
        Panel(
            "Replicas missing",
            "Desired less ready, by pool. Above 0 while replicas start; for long, they cannot. "
            "Below 0 while replicas drain.",
            "short",
            "stat",
            (Query(_MISSING, "{{pool}}"),),
            width=3,
            height=4,
            steps=(Step(None, "green"), Step(1, "orange")),
        ),
        Panel(
            "Targets down",
            "Targets that Prometheus could not scrape at the last attempt: a sidecar, the "
            "controller, HAProxy or Prometheus itself.",
            "short",
            "stat",
            (Query("sum(1 - up)", "targets"),),
            width=3,
            height=4,
            steps=_ANY_IS_BAD,
        ),
        Panel(
            "Engines down",
            "Engines whose metrics their sidecar could not read or understand. An engine whose "
            "sidecar is gone as well counts as a target down.",
            "short",
            "stat",
            (Query(f"sum(1 - {select(inference.ENGINE_UP, pool='$pool')})", "engines"),),
            width=3,
            height=4,
            steps=_ANY_IS_BAD,
        ),
        Panel(
            "Sources",
            "What the sidecars read, by source; down if any replica's last read failed or is "
            "stale. On a machine without a GPU, gpu is down and that is all there is to it.",
            "short",
            "stat",
            (Query(f"min by (source) ({select(own.SOURCE_UP, pool='$pool')})", "{{source}}"),),
            width=7,
            height=4,
            steps=(Step(None, "red"), Step(1, "green")),
            states=_UP_OR_DOWN,
        ),
        Panel(
            "Alerts firing",
            "Alerts that fire now. 0 is sure only while Targets down shows a number: an empty "
            "Prometheus fires nothing.",
            "short",
            "stat",
            (Query('count(ALERTS{alertstate="firing"}) or vector(0)', "alerts"),),
            width=3,
            height=4,
            steps=_ANY_IS_BAD,
        ),
        Panel(
            "Firing now",
            "One line per firing alert. Its name is the name of its page in docs/runbooks.",
            "short",
            "table",
            (Query('ALERTS{alertstate="firing"}', "", needs="alert"),),
            width=12,
            height=7,
        ),
        Panel(
            "Alerts over time",
            "When each alert was pending (its condition holds, its `for` has not passed) and "
            "firing. Empty while nothing was either.",
            "short",
            "timeline",
            (Query(_ALERT_STATES, "{{alertname}}", needs="alert"),),
            width=12,
            height=7,
            states=_ACTIVE,
        ),
    ),
)
