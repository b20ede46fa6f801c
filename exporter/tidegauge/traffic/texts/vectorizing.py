"""The thread that makes vectors: one, since a budget of a core's share has no use for more.

Only where a server embeds, several wait for it at once. Every job that is still wanted is handed
back, whatever became of it. Text is in the queue and nowhere else, as much of it as a vector looks
at; it is never logged, nor is what an exception says of it.
"""

import atexit
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import assert_never

from tidegauge.traffic.texts import vectors_endpoint, vectors_onnx, vectors_semantic
from tidegauge.traffic.texts.embedding import (
    STATIC,
    Embedding,
    EmbeddingError,
    Endpoint,
    Onnx,
    Static,
)
from tidegauge.traffic.texts.vectors import STYLE_BYTES, Embed, VectorKind, style_vector

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
    """`semantic` of the prompt, `style` of the answer; None where not asked for or without text.

    `failure` says why the prompt could not be embedded; the style is not lost by it.
    """

    semantic: bytes | None = field(repr=False)
    style: bytes | None = field(repr=False)
    failure: str = field(default="", repr=False)


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


def load(kinds: tuple[VectorKind, ...], embedding: Embedding = STATIC) -> Vectorize:
    """What makes vectors of these kinds, for one thread; takes 0.2 s for a semantic one, or more.

    Raises:
        SemanticMissingError: the extra is not installed.
        EmbeddingMissingError: the files of an ONNX model are no longer what they were.
    """
    embed = _embed(embedding) if "semantic" in kinds else None

    def vectorize(job: Job) -> Vectors:
        style = style_vector(job.answer)
        try:
            return Vectors(embed(job.prompt) if embed and job.prompt else None, style)
        except EmbeddingError as error:
            return Vectors(None, style, failure=str(error))

    return vectorize


def workers(embedding: Embedding) -> int:
    """How many threads are of use: those that wait for a server need no core."""
    return embedding.workers if isinstance(embedding, Endpoint) else 1


def _embed(embedding: Embedding) -> Embed:
    match embedding:
        case Static():
            return vectors_semantic.load()
        case Endpoint():
            return vectors_endpoint.load(embedding)
        case Onnx():
            return vectors_onnx.load(embedding)
        case _:
            assert_never(embedding)


class Vectorizing:
    """Runs from the first job on, and anew with the next one if it died (or we were forked).

    `done` is called through `hand_back`, once per job that is still `wanted` by its ticket when
    its turn comes. `load` is run in each of the `workers` threads.
    """

    def __init__(
        self,
        load: Callable[[], Vectorize],
        done: Callable[[JobDone], None],
        *,
        hand_back: HandBack,
        wanted: Callable[[int], bool] = lambda _: True,
        workers: int = 1,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._load = load
        self._done = done
        self._hand_back = hand_back
        self._cpu_clock = cpu_clock
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._wanted = wanted
        self._workers = workers
        self._threads: list[threading.Thread] = []
        self._known: set[str] = set()
        self._closed = False

    @property
    def waiting(self) -> int:
        """Jobs that no thread has begun; 0 where the next one begins anew."""
        return self._jobs.qsize() if self._alive() else 0

    def put(self, job: Job) -> None:
        alive = self._alive()
        if len(alive) < self._workers and (not alive or not self._jobs.empty()):
            thread = threading.Thread(target=self._run, name="tidegauge-vectors", daemon=True)
            self._threads = [*alive, thread]
            thread.start()
            if not alive:
                atexit.register(self._end)
        self._jobs.put(job)

    def close(self) -> None:
        """Each thread ends after the job in hand; nobody need wait for it."""
        self._closed = True
        for _ in self._threads:
            self._jobs.put(None)

    def _alive(self) -> list[threading.Thread]:
        return [thread for thread in self._threads if thread.is_alive()]

    def _end(self) -> None:
        # An interpreter that ends while a daemon thread is inside of Rust code aborts the process.
        self.close()
        until = time.monotonic() + _JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))

    def _run(self) -> None:
        try:
            self._work()
        finally:
            if self._alive() in ([], [threading.current_thread()]):
                atexit.unregister(self._end)

    def _work(self) -> None:
        vectorize: Vectorize | None = None
        while (job := self._jobs.get()) is not None and not self._closed:
            if not self._wanted(job.ticket):
                continue  # was late
            begun, vectors = self._cpu_clock(), None
            try:
                if vectorize is None:
                    vectorize = self._load()
                    begun = self._cpu_clock()  # loading is once, and no vector's cost
                vectors = vectorize(job)
            except BaseException as error:  # noqa: BLE001  # a panic of Rust code is no Exception
                self._warn(type(error).__name__)
            if vectors and vectors.failure:
                self._warn(vectors.failure)
            done = JobDone(job.ticket, vectors, self._cpu_clock() - begun)
            try:
                self._hand_back(partial(self._done, done))
            except RuntimeError:
                return  # the event loop is closed

    def _warn(self, reason: str) -> None:
        if reason not in self._known:  # once is news; the counter says how often
            _LOG.warning("a vector could not be made", extra={"reason": reason})
        self._known.add(reason)
