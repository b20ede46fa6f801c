"""The way from a process with the middleware to the sidecar: a thread that never makes it wait.

The event loop only counts and appends. This thread connects, sends what waits every BATCH_SECONDS
at most, and says how the process is every HEARTBEAT_SECONDS at least. Sockets never block.
"""

import atexit
import logging
import math
import os
import select
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress

from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.reporting.datagram import (
    Datagram,
    DatagramError,
    Names,
    Taken,
    Told,
    decode,
    encode,
)
from tidegauge.traffic.reporting.outbox import Outbox
from tidegauge.traffic.reporting.packets import received

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
BATCH_SECONDS = 0.05
WAITING_MAX = 4096  # 2 to 4 MB; 8 s of 500 requests a second, while a sidecar is restarted

_SEND_BUFFER_BYTES = 1 << 20  # the kernel gives as much of it as net.core.wmem_max allows
_ANSWERS_MAX = 1024  # read at one time: more than the buffer of the other end holds
_LAST_WORDS_MAX, _LAST_WORDS_MILLISECONDS = 20, 50  # a second for a sidecar that stops
_JOIN_SECONDS = 1.0
_QUIET_SECONDS = 10.0
_TURN_SECONDS = 0.2  # how long whoever flushes waits for another who does


class Sender:
    """Tells the sidecar that listens at `path`; `on_names` hears which models it knows by name.

    `embedding` is the mark of what makes semantic vectors, which the sidecar compares with its own.

    Safe to call from any thread. A forked child begins anew, with counts and a connection of its
    own. Nothing raises, and nothing waits for the sidecar but `flush` and `close`: a second at
    most, for the last word of one that stops.
    """

    def __init__(
        self,
        path: str,
        *,
        on_names: Callable[[tuple[str, ...]], None] = lambda _: None,
        embedding: int = 0,
        waiting_max: int = WAITING_MAX,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._on_names = on_names
        self._embedding = embedding
        self._waiting_max = waiting_max
        self._heartbeat_seconds = heartbeat_seconds
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._connection: socket.socket | None = None
        self._reachable: bool | None = None  # as last logged
        self._begin_anew()
        method = weakref.WeakMethod(self._begin_anew_after_fork)
        os.register_at_fork(after_in_child=lambda: _call(method))

    @property
    def dropped(self) -> int:
        """Exchanges that no sidecar is going to hear of, since the process began."""
        with self._lock:
            return self._outbox.dropped

    def start(self) -> None:
        """Run the thread from now on; called again it does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="tidegauge", daemon=True)
            self._thread.start()
            atexit.register(self.close)

    def begin(self) -> None:
        """A request has come."""
        with self._lock:
            self._outbox.begin()
        self._wake()

    def stream(self) -> None:
        """Its answer is a stream, and has begun."""
        with self._lock:
            self._outbox.stream()

    def end(self, *, streaming: bool) -> None:
        """A request that had begun has ended; `streaming` if `stream` was said of it."""
        with self._lock:
            self._outbox.end(streaming=streaming)
        self._wake()

    def put(self, exchange: Exchange) -> None:
        """Tell of one exchange soon."""
        with self._lock:
            self._outbox.put(exchange)
        self._wake()

    def drop(self) -> None:
        """There was an exchange that could not be measured."""
        with self._lock:
            self._outbox.drop()

    def leave_out(self, vectors: int) -> None:
        """So many exchanges went without the vectors that they might have had."""
        with self._lock:
            self._outbox.leave_out(vectors)

    def flush(self) -> None:
        """Send now what can be sent without waiting."""
        if not self._turn.acquire(timeout=_TURN_SECONDS):
            return
        try:
            if not self._closed:
                self._flush()
        finally:
            if self._closed:  # meanwhile
                self._hang_up()
            self._turn.release()

    def close(self) -> None:
        """Send what can be sent, and end the thread and the connection."""
        self._closing = True
        self._wake()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(timeout=_JOIN_SECONDS)
        self.flush()
        self._closed = True  # a thread that is late neither goes on nor connects again
        self._hang_up()
        atexit.unregister(self.close)

    def _begin_anew(self) -> None:
        self._outbox = Outbox(self._waiting_max, embedding=self._embedding)
        self._lock = threading.Lock()  # around the outbox; held for microseconds
        self._turn = threading.Lock()  # around the connection
        self._woken = threading.Event()
        self._closing = self._closed = False
        self._thread = None
        self._connection = None
        self._reachable = None
        self._connect_at = self._say_at = -math.inf

    def _begin_anew_after_fork(self) -> None:
        if self._connection:
            self._connection.close()  # the child's copy of it; the parent's stays open
        self._begin_anew()

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _wake(self) -> None:
        if not self._woken.is_set():
            self._woken.set()

    def _run(self) -> None:
        while not self._closing:
            try:
                self.flush()
            except Exception as error:  # noqa: BLE001  # a bug here must not end the thread
                reason = type(error).__name__
                logger.warning("tidegauge: nothing can be told to the sidecar: %s", reason)
            if len(self._outbox) and self._connection:
                self._wake()
            self._woken.wait(self._heartbeat_seconds)
            self._woken.clear()
            if not self._closing:
                time.sleep(BATCH_SECONDS)

    def _flush(self) -> None:
        connection = self._connection or self._connect()
        if connection is None:
            return
        try:
            self._hear(connection)
            self._send(connection)
            self._say(reachable=True)
        except BlockingIOError:
            return  # its buffer is full: the rest waits for the next time
        except OSError:
            self._lose(connection)

    def _connect(self) -> socket.socket | None:
        now = self._clock()
        if now < self._connect_at:
            return None
        self._connect_at = now + self._heartbeat_seconds
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.settimeout(0)
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
            connection.connect(self._path)
        except OSError as error:
            connection.close()
            self._say(reachable=False, why=error.strerror or str(error))
            return None
        self._connection = connection
        with self._lock:
            self._outbox.opened()
        # It greets with the names that it knows; without them the first requests would be "other".
        answers = select.poll()  # select() takes no descriptor above 1023; engines have more open
        answers.register(connection, select.POLLIN)
        answers.poll(1000 * _TURN_SECONDS)
        return connection

    def _send(self, connection: socket.socket) -> None:
        """All that can be sent; the status first, since exchanges may fill the buffer.

        Raises:
            OSError: the connection is lost, or full (BlockingIOError).
        """
        with self._lock:
            status = self._outbox.status()
        connection.send(encode(status))
        while True:
            with self._lock:
                first = self._outbox.first()
            if first is None:
                return
            said = _said(Told(*first))
            if said is not None:
                connection.send(said)
            with self._lock:
                if said is None:
                    self._outbox.unsayable()
                else:
                    self._outbox.sent()

    def _hear(self, connection: socket.socket) -> None:
        """What the sidecar has said since.

        Raises:
            OSError: it has left.
        """
        for datagram in _received(connection):
            if isinstance(datagram, Taken):
                with self._lock:
                    self._outbox.taken(datagram)
            elif isinstance(datagram, Names):
                self._on_names(datagram.models)

    def _lose(self, connection: socket.socket) -> None:
        """Hang up, once the sidecar has said what it took in.

        One that stops ceases to listen first, then takes in what lies in the queue and says so.
        """
        answers = select.poll()
        answers.register(connection, select.POLLIN)
        with suppress(OSError):  # raised once it has left for good
            for _ in range(_LAST_WORDS_MAX):
                self._hear(connection)
                answers.poll(_LAST_WORDS_MILLISECONDS)
        connection.close()
        self._connection = None
        self._say(reachable=False, why="it has closed the connection")
        with self._lock:
            self._outbox.lost()

    def _say(self, *, reachable: bool, why: str = "") -> None:
        """One line per change, not one per attempt; and not one per second if it comes and goes."""
        now = self._clock()
        if reachable == self._reachable or now < self._say_at:
            return
        self._say_at = now + _QUIET_SECONDS
        if reachable:
            logger.info("tidegauge: this process tells the sidecar at %s", self._path)
        else:
            logger.warning("tidegauge: no sidecar at %s (%s); trying again", self._path, why)
        self._reachable = reachable


def _said(told: Told) -> bytes | None:
    try:
        return encode(told)
    except DatagramError:
        return None


def _received(connection: socket.socket) -> Iterator[Datagram]:
    """What the sidecar has said; what makes no sense is let go.

    Raises:
        OSError: it has left.
    """
    for said in received(connection, at_most=_ANSWERS_MAX):
        with suppress(DatagramError):
            yield decode(said)


def _call(method: "weakref.WeakMethod[Callable[[], None]]") -> None:
    bound = method()
    if bound:
        bound()
