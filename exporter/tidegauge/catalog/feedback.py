"""What users thought of answers, joined by the answer's id to the model that gave it."""

from tidegauge.catalog.metric import Metric

FEEDBACK = Metric(
    "llm_feedback_total",
    "counter",
    "Answers that a user judged, by their first verdict; model and version are empty where the "
    "answer was not found.",
    ("model", "version", "verdict", "category"),
)
CHANGED = Metric(
    "llm_feedback_changed_total",
    "counter",
    "Verdicts that a user changed after they were counted, by what they were and what they became.",
    ("model", "version", "was", "verdict"),
)
CATEGORISED = Metric(
    "llm_feedback_categorised_total",
    "counter",
    "Categories that a user gave after the verdict was counted without one.",
    ("model", "version", "verdict", "category"),
)
JOINED = Metric(
    "llm_feedback_joined_total",
    "counter",
    "Feedback by how it was joined to its answer.",
    ("result",),
)
ANSWERS = Metric(
    "llm_feedback_answers",
    "gauge",
    "Answers that feedback can still be joined to.",
)
WAITING = Metric(
    "llm_feedback_waiting",
    "gauge",
    "Feedback that came before its answer, and waits for it.",
)

METRICS = (FEEDBACK, CHANGED, CATEGORISED, JOINED, ANSWERS, WAITING)
