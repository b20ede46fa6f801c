"""The thread that makes vectors: one, since a budget of a core's share has no use for more.

It hands every job back, whatever became of it. Text is in its queue and nowhere else, as much of
it as a vector looks at; it is never logged, nor is what an exception says of it.
"""

import atexit
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue

from tidegauge.traffic.texts import vectors_semantic
from tidegauge.traffic.texts.vectors import STYLE_BYTES, VectorKind, style_vector

_JOIN_SECONDS = 2.0

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """An exchange, by a number of its asker's, and of its texts what a vector looks at."""

    ticket: int
    prompt: str = field(repr=False)
    answer: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Vectors:
    """`semantic` of the prompt, `style` of the answer; None where not asked for or without text."""

    semantic: bytes | None = field(repr=False)
    style: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class JobDone:
    """None where it failed. `cpu_seconds` are the thread's own."""

    ticket: int
    vectors: Vectors | None
    cpu_seconds: float


Vectorize = Callable[[Job], Vectors]
HandBack = Callable[[Callable[[], None]], object]
"""Runs a call in the thread that owns the exchanges: an event loop's `call_soon_threadsafe`.
RuntimeError: that thread is no more."""


def job_of(ticket: int, prompt: str, answer: str, kinds: tuple[VectorKind, ...]) -> Job | None:
    """The job for two texts; None if there is nothing in them to make a vector of."""
    prompt = prompt[-vectors_semantic.TEXT_CHARS :] if "semantic" in kinds else ""
    answer = answer[:STYLE_BYTES] if "style" in kinds else ""
    return Job(ticket, prompt, answer) if prompt or answer else None


def load(kinds: tuple[VectorKind, ...]) -> Vectorize:
    """What makes vectors of these kinds; takes 0.2 s for a semantic one.

    Raises:
        SemanticMissingError: the extra is not installed.
    """
    embed = vectors_semantic.load() if "semantic" in kinds else None

    def vectorize(job: Job) -> Vectors:
        return Vectors(embed(job.prompt) if embed else None, style_vector(job.answer))

    return vectorize


class Vectorizing:
    """Runs from the first job on, and anew with the next one if it died (or we were forked).

    `done` is called through `hand_back`, once per job. `load` is run in the thread.
    """

    def __init__(
        self,
        load: Callable[[], Vectorize],
        done: Callable[[JobDone], None],
        *,
        hand_back: HandBack,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._load = load
        self._done = done
        self._hand_back = hand_back
        self._cpu_clock = cpu_clock
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, job: Job) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="tidegauge-vectors", daemon=True)
            self._thread.start()
            atexit.register(self._end)
        self._jobs.put(job)

    def close(self) -> None:
        """The thread ends after the job in hand; nobody need wait for it."""
        self._closed = True
        self._jobs.put(None)

    def _end(self) -> None:
        # An interpreter that ends while a daemon thread is inside of Rust code aborts the process.
        self.close()
        if self._thread:
            self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        try:
            self._work()
        finally:
            atexit.unregister(self._end)

    def _work(self) -> None:
        vectorize: Vectorize | None = None
        known: set[str] = set()
        while (job := self._jobs.get()) is not None and not self._closed:
            begun, vectors = self._cpu_clock(), None
            try:
                if vectorize is None:
                    vectorize = self._load()
                    begun = self._cpu_clock()  # loading is once, and no vector's cost
                vectors = vectorize(job)
            except BaseException as error:  # noqa: BLE001  # a panic of Rust code is no Exception
                reason = type(error).__name__
                if reason not in known:  # once is news; the counter says how often
                    _LOG.warning("a vector could not be made", extra={"reason": reason})
                known.add(reason)
            done = JobDone(job.ticket, vectors, self._cpu_clock() - begun)
            try:
                self._hand_back(partial(self._done, done))
            except RuntimeError:
                return  # the event loop is closed
