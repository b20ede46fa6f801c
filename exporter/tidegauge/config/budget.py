"""A budget of false alarms, as people say it: `1 per week`, `2 per day`, `3 per 4w`."""

import re
from typing import Annotated

from pydantic import BeforeValidator

from tidegauge.config.values import seconds

_BUDGET = re.compile(r"(\d+(?:\.\d+)?) per (\S+)\Z")
_PERIODS = {"hour": "1h", "day": "1d", "week": "1w", "month": "30d"}
_WEEK_SECONDS = 604_800.0


def alarms_per_week(text: object) -> float:
    """The budget in alarms per week.

    >>> alarms_per_week("1 per day"), alarms_per_week("3 per 4w")
    (7.0, 0.75)
    """
    found = _BUDGET.match(text) if isinstance(text, str) else None
    try:
        period = seconds(_PERIODS.get(found[2], found[2])) if found else 0.0
    except ValueError:
        period = 0.0
    if found is None or period <= 0 or float(found[1]) <= 0:
        raise ValueError(f"{text!r} is no budget; write 1 per week, 2 per day or 3 per 4w")
    return float(found[1]) * _WEEK_SECONDS / period


Budget = Annotated[float, BeforeValidator(alarms_per_week)]
"""In alarms per week."""
