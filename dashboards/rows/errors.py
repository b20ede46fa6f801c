"""Which errors lie behind the counts? What engines' logs say, by pattern."""

from dashboards.expressions import increase, rate, select
from dashboards.panels import Panel, Query, Row
from tidegauge.catalog import errors

_POOL = {"pool": "$pool"}
_SEVERITIES = (
    ("fatal", "dark-red"),
    ("error", "red"),
    ("warning", "orange"),
    ("info", "green"),
    ("debug", "blue"),
    ("unknown", "text"),
)
_TOP = f"topk(10, {increase(errors.PATTERNS, 'pattern', 'severity', **_POOL)} > 0)"
_YOUNGEST = f"bottomk(10, time() - min by (pattern) ({select(errors.FIRST_SEEN, **_POOL)}))"

ROW = Row(
    "Which errors lie behind it?",
    (
        Panel(
            "Messages in engines' logs",
            "Messages per second by severity, as the engine says it; a traceback is one message.",
            "short",
            "lines",
            (Query(rate(errors.LINES, "severity", **_POOL), "{{severity}}", needs="log"),),
            width=8,
            colors=_SEVERITIES,
        ),
        Panel(
            "Patterns",
            "The ten most frequent of warnings and worse, by step. A name is explained in "
            "docs/known-errors.md; p… on /v1/error-patterns of the replica; other is what has no "
            "series of its own.",
            "short",
            "bars",
            (Query(_TOP, "{{pattern}} ({{severity}})", needs="log"),),
            width=16,
        ),
        Panel(
            "New patterns",
            "Patterns that a log had not shown before, after tidegauge's own first minutes. After "
            "a deploy: what it brought.",
            "short",
            "bars",
            (Query(increase(errors.NEW, "severity", **_POOL), "{{severity}}", needs="log"),),
            width=8,
            colors=_SEVERITIES,
        ),
        Panel(
            "Seen first",
            "How long ago a pattern was first seen since tidegauge started, by any replica; the "
            "ten youngest.",
            "s",
            "table",
            (Query(_YOUNGEST, "{{pattern}}", needs="log"),),
            width=8,
            decimals=0,
            value="ago",
        ),
        Panel(
            "Lines not looked at",
            "Lines per second of a log beyond what tidegauge reads in a second (serve.errors."
            "max_lines_per_second), and lines that were cut. The counts are too low then.",
            "short",
            "lines",
            (
                Query(
                    rate(errors.READ_LINES, "result", result="skipped|cut", **_POOL),
                    "{{result}}",
                    needs="log",
                ),
            ),
            width=8,
        ),
    ),
)
