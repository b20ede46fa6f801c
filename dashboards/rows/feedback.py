"""What do users think of the answers? Feedback, joined to the model and version that gave them."""

from dashboards.expressions import rate, select
from dashboards.panels import Panel, Query, Row
from tidegauge.catalog import feedback

_MODEL = 'model=~"$model"'
_VERDICTS = (("good", "green"), ("neutral", "blue"), ("bad", "red"))
_CATEGORIES = " + ".join(
    rate(metric, "category", model="$model", verdict="bad", category=".+")
    for metric in (feedback.FEEDBACK, feedback.CATEGORISED)
)

ROW = Row(
    "What do users think?",
    (
        Panel(
            "Satisfaction",
            "Share of judged answers that were judged good, over the window of the recording "
            "rules; a verdict that was changed counts as what it became.",
            "percentunit",
            "lines",
            (
                Query(
                    f"llm:satisfaction:ratio{{{_MODEL}}}", "{{model}} {{version}}", needs="feedback"
                ),
            ),
            width=6,
            high=1,
        ),
        Panel(
            "Verdicts",
            "Answers judged per second, by their first verdict.",
            "short",
            "stacked",
            (Query(rate(feedback.FEEDBACK, "verdict", model="$model"), "{{verdict}}", "feedback"),),
            width=6,
            colors=_VERDICTS,
        ),
        Panel(
            "Disliked, by category",
            "Categories that users gave with a bad verdict, at once or later, per second.",
            "short",
            "stacked",
            (Query(_CATEGORIES, "{{category}}", "feedback"),),
            width=4,
        ),
        Panel(
            "Coverage",
            "Judged answers per request: how much the shares beside this can stand for.",
            "percentunit",
            "lines",
            (
                Query(
                    f"llm:feedback_coverage:ratio{{{_MODEL}}}",
                    "{{model}} {{version}}",
                    needs="feedback",
                ),
            ),
            width=4,
            decimals=1,
        ),
        Panel(
            "Joined",
            "Feedback per second by how it was joined to its answer, and what waits for its "
            "answer. expired and unknown count for no model.",
            "short",
            "lines",
            (
                Query(rate(feedback.JOINED, "result"), "{{result}}", "feedback"),
                Query(f"sum ({select(feedback.WAITING)})", "waiting", "feedback"),
            ),
            width=4,
        ),
    ),
)
