"""Queries of signals without a usable answer: counted by reason, and logged once until over."""

import logging
from collections import Counter

from tidegauge.promql.decode import REASONS, PromqlError, Reason

logger = logging.getLogger(__name__)

_OF_ALL: frozenset[Reason] = frozenset({"unreachable", "secret"})


class Unanswered:
    """Shared by all signals, so that a Prometheus that is away is one line of the log."""

    def __init__(self) -> None:
        self.counts: Counter[Reason] = Counter(dict.fromkeys(REASONS, 0))
        self._said: set[tuple[str, Reason]] = set()

    def failed(self, signal: str, error: PromqlError) -> None:
        """Count it, and say so if it is news."""
        self.counts[error.reason] += 1
        news = ("" if error.reason in _OF_ALL else signal, error.reason)
        if news not in self._said:
            self._said.add(news)
            details = {"signal": signal, "reason": error.reason, "error": str(error)}
            logger.warning("no answer for a signal", extra=details)

    def answered(self, signal: str) -> None:
        """What was said of this signal, and of all, is over."""
        over = {said for said in self._said if said[0] in ("", signal)}
        if over:
            self._said -= over
            logger.info("signal is answered again", extra={"signal": signal})
