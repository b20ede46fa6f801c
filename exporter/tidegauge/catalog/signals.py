"""Signals: values that are watched, the band of what is usual for them, and how well that is known.

The labels beside `detector` and `signal` are those of `control.signals.labels`; here are the usual.
"""

from collections.abc import Sequence
from dataclasses import replace

from tidegauge.catalog.metric import Metric

_FIRST = ("detector", "signal")
_SERIES = (*_FIRST, "model", "pool", "channel")
_SIGNAL = ("signal",)

VALUE = Metric("llm_signal_value", "gauge", "The signal's latest value.", _SERIES)
UPPER = Metric(
    "llm_signal_upper",
    "gauge",
    "Values up to here would not have been unusual for the signal; absent while not known.",
    _SERIES,
)
LOWER = Metric(
    "llm_signal_lower",
    "gauge",
    "Values down to here would not have been unusual for the signal; absent while not known.",
    _SERIES,
)
SCORE = Metric(
    "llm_signal_anomaly_score",
    "gauge",
    "How unusual the latest value is: 1 is the edge of the band, 0 is ordinary.",
    _SERIES,
)
AGE = Metric(
    "llm_signal_age_seconds",
    "gauge",
    "How long ago the latest value was measured; told for a refresh period when there are no more.",
    _SERIES,
    "seconds",
)
ALARMS = Metric(
    "llm_signal_alarms_total",
    "counter",
    "Alarms: the signal left its band, went twice as far, or was still out after 100 points.",
    _SERIES,
)
BUDGET = Metric(
    "llm_signal_budget_alarms",
    "gauge",
    "Alarms that the signal may give in a week, on its own history.",
    _SERIES,
)
BACKTEST = Metric(
    "llm_signal_backtest_alarms",
    "gauge",
    "Alarms that the band's budget would have given on the signal's history.",
    _SERIES,
)
HISTORY = Metric(
    "llm_signal_history_seconds",
    "gauge",
    "How much of the history that the band is made from has values that could be judged.",
    _SERIES,
    "seconds",
)

UP = Metric(
    "tidegauge_signal_up",
    "gauge",
    "1 if the query for the signal's latest point had an answer that could be used.",
    _SIGNAL,
)
REFUSED = Metric(
    "tidegauge_signal_series_refused",
    "gauge",
    "Series of the signal's last answer that are not watched, by reason (limit, ambiguous).",
    (*_SIGNAL, "reason"),
)
QUERY_ERRORS = Metric(
    "tidegauge_signal_query_errors_total",
    "counter",
    "PromQL queries for signals without a usable answer, by reason.",
    ("reason",),
)
SIGNALS = Metric("tidegauge_signals", "gauge", "Signals that are watched.")
BACKFILLING = Metric(
    "tidegauge_signals_backfilling",
    "gauge",
    "Signals whose history has not been read yet; they have no band so far.",
)

METRICS = (
    VALUE,
    UPPER,
    LOWER,
    SCORE,
    AGE,
    ALARMS,
    BUDGET,
    BACKTEST,
    HISTORY,
    UP,
    REFUSED,
    QUERY_ERRORS,
    SIGNALS,
    BACKFILLING,
)


def labelled(metric: Metric, labels: Sequence[str]) -> Metric:
    """One of the metrics of a signal's series, with these labels beside `detector` and `signal`.

    >>> labelled(VALUE, ["team"]).labels
    ('detector', 'signal', 'team')
    """
    return replace(metric, labels=(*_FIRST, *labels))
