"""From an exchange that has ended, with its texts, to one with features: the texts end here.

Features are cheap and made at once: a thread would share Python's lock with the event loop, and
handing over costs as much as half of them. Vectors cost more and are made in a thread, for as many
exchanges as sampling, a CPU budget and a short queue allow. What is left out is a vector, never an
exchange; exchanges may be recorded in another order than they ended in.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from tidegauge.traffic.ended import Ended
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.features import features
from tidegauge.traffic.texts.cpu_budget import CpuBudget
from tidegauge.traffic.texts.vector_settings import Result, VectorSettings, VectorTallies
from tidegauge.traffic.texts.vectorizing import (
    HandBack,
    JobDone,
    Vectorize,
    Vectorizing,
    job_of,
    load,
    workers,
)

QUEUE_MAX = 64
PATIENCE_SECONDS = 5.0

Record = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class _Waiting:
    exchange: Exchange
    record: Record
    since: float


class Measuring:
    """Belongs to one thread: `measure`, `close` and every `record` run there.

    `hand_back` brings the vectors' thread back to it (an event loop's `call_soon_threadsafe`).
    `clock` is monotonic, in seconds; `draw` gives numbers from 0 up to 1, to sample by; `loading`
    makes what makes vectors.
    """

    def __init__(
        self,
        settings: VectorSettings,
        *,
        hand_back: HandBack,
        tallies: VectorTallies,
        clock: Callable[[], float],
        draw: Callable[[], float],
        loading: Callable[[], Vectorize] | None = None,
    ) -> None:
        self.settings = settings
        self._tallies = tallies
        self._clock = clock
        self._draw = draw
        self._waiting: dict[int, _Waiting] = {}
        self._budget = CpuBudget(settings.budget_ratio, now=clock())
        self._vectorizing = Vectorizing(
            loading or partial(load, settings.kinds, settings.embedding),
            self._done,
            hand_back=hand_back,
            wanted=self._is_waiting,
            workers=workers(settings.embedding),
        )
        self._tickets = 0
        self._closed = False

    def measure(self, ended: Ended, record: Record) -> None:
        """Call `record` with the exchange and its features: now, or once its vectors are made."""
        exchange, texts = with_features(ended), ended.texts
        now = self._clock()
        self._release(before=now - PATIENCE_SECONDS)
        self._tickets += 1
        job = job_of(self._tickets, texts.prompt, texts.answer, self.settings.kinds)
        if job is None or not self._admits(now):
            record(exchange)
            return
        self._waiting[job.ticket] = _Waiting(exchange, record, now)
        self._vectorizing.put(job)

    def close(self) -> None:
        """Record at once whatever waits for vectors; what comes later gets none."""
        self._closed = True
        self._release(before=float("inf"))
        self._vectorizing.close()

    def _admits(self, now: float) -> bool:
        refused = self._refusal(now)
        if refused:
            self._tallies.count(refused)
        return refused is None

    def _refusal(self, now: float) -> Result | None:
        if self._closed:
            return "late"
        if self._draw() >= self.settings.sample_ratio:
            return "sampled_out"
        if not self._budget.allows(now):
            return "over_budget"
        waiting = max(len(self._waiting), self._vectorizing.waiting)  # late ones are in one of them
        return "queue_full" if waiting >= QUEUE_MAX else None

    def _is_waiting(self, ticket: int) -> bool:
        return ticket in self._waiting  # asked in the vectors' threads

    def _release(self, *, before: float) -> None:
        """Those that have waited too long, the oldest first: their thread hangs, or is no more."""
        while self._waiting:
            ticket = next(iter(self._waiting))
            if self._waiting[ticket].since >= before:
                return
            self._tallies.count("late")
            waiting = self._waiting.pop(ticket)
            waiting.record(waiting.exchange)

    def _done(self, done: JobDone) -> None:
        self._budget.spend(done.cpu_seconds)
        self._tallies.spend(done.cpu_seconds)
        waiting = self._waiting.pop(done.ticket, None)
        if waiting is None:
            return  # was late
        exchange = waiting.exchange
        failed = done.vectors is None or bool(done.vectors.failure) or exchange.features is None
        self._tallies.count("failed" if failed else "made")
        if done.vectors and exchange.features:
            made = replace(
                exchange.features, semantic=done.vectors.semantic, style=done.vectors.style
            )
            exchange = replace(exchange, features=made)
        waiting.record(exchange)


def with_features(ended: Ended) -> Exchange:
    """The exchange with the features of its texts, and without vectors."""
    texts = ended.texts
    made = features(
        texts.prompt,
        texts.answer,
        prompt_chars=texts.prompt_chars,
        answer_chars=texts.answer_chars,
    )
    return replace(ended.exchange, features=made)
