"""Which model names may become label values: the configured ones, so that no client creates series.

No clock, no network, no logging: same arguments, same answer.
"""

from tidegauge.traffic.exchange import OTHER


def model_label(name: str | None, allowed: frozenset[str]) -> str:
    """The label value for what a request called its model (None: it named none, or was not read).

    With an empty allow-list every name becomes "other".

    >>> model_label("chat", frozenset({"chat"})), model_label("x", frozenset({"chat"}))
    ('chat', 'other')
    >>> model_label(None, frozenset({"chat"})), model_label(None, frozenset())
    ('chat', '')
    """
    if name is None:
        return next(iter(allowed)) if len(allowed) == 1 else ""
    return name if name in allowed else OTHER
