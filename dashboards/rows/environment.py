"""Is the machine beside each engine fit to serve, and is it still the one it was?"""

from dashboards.expressions import increase, select
from dashboards.panels import Panel, Query, Row, State
from tidegauge.catalog import health

_POOL = {"pool": "$pool"}
_CHECKS = select(health.CHECK, **_POOL)
_INFO = select(health.ENVIRONMENT_INFO, **_POOL)

ROW = Row(
    "Is the environment fit to serve?",
    (
        Panel(
            "Health checks",
            "By check, whether it passes on every machine. A check that could not run anywhere has "
            "no line. What each one means, and what to do, is in docs/health.md.",
            "short",
            "timeline",
            (Query(f"min by (check) ({_CHECKS})", "{{check}}"),),
            width=12,
            states=(State(1, "passes", "green"), State(0, "fails", "red")),
        ),
        Panel(
            "Checks that fail now",
            "One line per check, component and machine. The sidecar's log says what was seen and "
            "what would be right.",
            "short",
            "table",
            (Query(f"{_CHECKS} == 0", "", needs="failure"),),
            width=12,
        ),
        Panel(
            "What engines run on",
            "Each component's values over all machines: two lines for one component are machines "
            "that differ. Digests of files are cut to 12 digits.",
            "short",
            "table",
            (Query(f"count by (component, value) ({_INFO})", ""),),
            width=12,
        ),
        Panel(
            "Environment changes",
            "Components that changed while tidegauge ran, in the last few scrapes. Changes across "
            "a restart of tidegauge are not counted; the alert sees those too.",
            "short",
            "bars",
            (Query(increase(health.ENVIRONMENT_CHANGES, "component", **_POOL), "{{component}}"),),
            width=12,
        ),
    ),
)
