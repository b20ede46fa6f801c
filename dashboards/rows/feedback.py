"""What do users think of the answers? Feedback, joined to the model and version that gave them."""

from dashboards.expressions import increase, rate, select
from dashboards.panels import Panel, Query, Row
from tidegauge.catalog import feedback

_MODEL = 'model=~"$model"'
_VERDICTS = (("good", "green"), ("neutral", "blue"), ("bad", "red"))
_CATEGORIES = " + ".join(
    increase(metric, "category", model="$model", verdict="bad", category=".+")
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
            width=5,
            high=1,
        ),
        Panel(
            "Verdicts",
            "Answers judged, by their first verdict and by step: feedback is rare.",
            "short",
            "bars",
            (
                Query(
                    increase(feedback.FEEDBACK, "verdict", model="$model"),
                    "{{verdict}}",
                    needs="feedback",
                ),
            ),
            width=5,
            colors=_VERDICTS,
        ),
        Panel(
            "Disliked, by category",
            "Categories that users gave with a bad verdict, at once or later, by step.",
            "short",
            "bars",
            (Query(_CATEGORIES, "{{category}}", needs="feedback"),),
            width=5,
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
                Query(f"{rate(feedback.JOINED, 'result')} > 0", "{{result}}", needs="feedback"),
                Query(f"sum ({select(feedback.WAITING)})", "waiting", needs="feedback"),
            ),
            width=5,
        ),
    ),
)
