"""PromQL for panels, written from the catalogue so that a misspelt metric or label cannot be built.

No clock, no network, no logging: same arguments, same answer.
"""

import re

from tidegauge.catalog import Metric

WINDOW = "$__rate_interval"
TARGET_LABELS = ("instance", "job", "pool", "replica")
"""Labels that Prometheus adds to what it scrapes; `pool` and `replica` come from control's /sd."""


def select(metric: Metric, **matches: str) -> str:
    """The metric's series; each keyword is a label and the regular expression that it must match.

    Raises:
        ValueError: the metric has no such label.

    >>> from tidegauge.catalog import control
    >>> select(control.READY, pool="$pool")
    'llm_pool_ready_replicas{pool=~"$pool"}'
    """
    return _named(metric, metric.name, matches)


def rate(metric: Metric, *by: str, **matches: str) -> str:
    """A counter's rate per second, summed by the labels given.

    >>> from tidegauge.catalog import traffic
    >>> rate(traffic.REQUESTS, "outcome")
    'sum by (outcome) (rate(llm_traffic_requests_total[$__rate_interval]))'
    """
    return _summed("rate", metric, by, matches)


def increase(metric: Metric, *by: str, **matches: str) -> str:
    """How often a counter counted in each step, summed by the labels given."""
    return _summed("increase", metric, by, matches)


def quantile(level: float, metric: Metric, **matches: str) -> str:
    """A quantile per model over all replicas: buckets are summed before they are read.

    >>> from tidegauge.catalog import traffic
    >>> quantile(0.95, traffic.DURATION).split(" (rate")[0]
    'histogram_quantile(0.95, sum by (le, model)'
    """
    buckets = _named(metric, f"{metric.name}_bucket", matches)
    return f"histogram_quantile({level}, sum by (le, model) (rate({buckets}[{WINDOW}])))"


def filled(expr: str, *, window: str, **variables: str) -> str:
    """The expression as Grafana sends it: its variables and `$__rate_interval` replaced.

    A variable that is not given becomes `.*`, as when All is chosen.

    >>> filled('rate(x{pool=~"$pool"}[$__rate_interval])', window="20s", pool="chat")
    'rate(x{pool=~"chat"}[20s])'
    """
    expr = expr.replace(WINDOW, window)
    return re.sub(r"\$(\w+)", lambda found: variables.get(found[1], ".*"), expr)


def _summed(function: str, metric: Metric, by: tuple[str, ...], matches: dict[str, str]) -> str:
    series = _named(metric, metric.name, matches)
    return f"sum by ({', '.join(by)}) ({function}({series}[{WINDOW}]))"


def _named(metric: Metric, name: str, matches: dict[str, str]) -> str:
    unknown = set(matches) - {*metric.labels, *TARGET_LABELS}
    if unknown:
        raise ValueError(f"{metric.name}: no label {sorted(unknown)}, only {list(metric.labels)}")
    inside = ", ".join(f'{label}=~"{pattern}"' for label, pattern in matches.items())
    return f"{name}{{{inside}}}" if inside else name
