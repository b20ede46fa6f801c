"""Queries of signals without a usable answer: counted by reason, and logged once until over."""

import logging
from collections import Counter
from typing import Literal

from tidegauge.promql.decode import REASONS, PromqlError, Reason

logger = logging.getLogger(__name__)

Asked = Literal["point", "history"]

_OF_ALL: frozenset[Reason] = frozenset({"unreachable", "secret"})


class Unanswered:
    """Shared by all signals, so that a Prometheus that is away is one line of the log."""

    def __init__(self) -> None:
        self.counts: Counter[Reason] = Counter(dict.fromkeys(REASONS, 0))
        self._said: set[tuple[str, str, Reason]] = set()

    def failed(self, signal: str, asked: Asked, error: PromqlError) -> None:
        """Count it, and say so if it is news."""
        self.counts[error.reason] += 1
        whose = ("", "") if error.reason in _OF_ALL else (signal, asked)
        news = (*whose, error.reason)
        if news not in self._said:
            self._said.add(news)
            details = {
                "signal": signal,
                "asked": asked,
                "reason": error.reason,
                "error": str(error),
            }
            logger.warning("no answer for a signal", extra=details)

    def answered(self, signal: str, asked: Asked) -> None:
        """What was said of this question, and of all, is over."""
        over = {said for said in self._said if said[:2] in (("", ""), (signal, asked))}
        if over:
            self._said -= over
            details = {"signal": signal, "asked": asked}
            logger.info("signal is answered again", extra=details)
