"""The sidecar's end of the socket: takes in what processes with the middleware tell.

It lives in the event loop. Each time a process has something to say, at most BURST datagrams are
read before others get their turn, and the process is told how far that was, so that whatever gets
lost is known to one of the two.
"""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import assert_never

from tidegauge.sources.middleware.listener import Listener
from tidegauge.sources.middleware.process import Process
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.reporting.datagram import (
    REJECTED_BECAUSE,
    Datagram,
    DatagramError,
    Names,
    Status,
    Taken,
    Told,
    decode,
    encode,
)
from tidegauge.traffic.reporting.packets import received
from tidegauge.traffic.texts.embedding import STATIC, mark

logger = logging.getLogger(__name__)

BURST = 64  # about 4 ms of work
PROCESSES_MAX = 256
SILENCE_SECONDS = 5.0  # five heartbeats; a process that is silent for longer counts no more

TOO_MANY = "processes"
REJECTED_REASONS: tuple[str, ...] = (*REJECTED_BECAUSE, TOO_MANY)

_STATIC_MARK = mark(STATIC)
_REST_SECONDS = 1.0  # before accepting again when no file descriptor is left


class Receiver:
    """Takes in what comes to `listener`, from now until `close`.

    `record` hears every exchange, `arrivals` what begins and ends elsewhere. `clock` is monotonic.
    Semantic vectors of processes with another embedding than that marked `embedding` are let go.
    """

    def __init__(
        self,
        listener: Listener,
        record: Callable[[Exchange], None],
        *,
        arrivals: Arrivals,
        labelling: Labelling,
        clock: Callable[[], float],
        embedding: int = _STATIC_MARK,
    ) -> None:
        self._listener = listener
        self._record = record
        self._arrivals = arrivals
        self._labelling = labelling
        self._clock = clock
        self._embedding = embedding
        self._strange: set[int] = set()
        self._loop = asyncio.get_running_loop()
        self._processes: dict[socket.socket, Process] = {}
        self.exchanges = 0
        self.dropped = 0
        self.left_out = 0
        self.rejected = Counter(dict.fromkeys(REJECTED_REASONS, 0))
        self._loop.add_reader(listener.socket, self._accept)

    @property
    def connections(self) -> int:
        """How many are connected, whether or not they say anything."""
        return len(self._processes)

    @property
    def processes(self) -> int:
        """How many have said how they are within the last seconds."""
        return sum(self._is_heard(process) for process in self._processes.values())

    def turn(self, labelling: Labelling, *, embedding: int = _STATIC_MARK) -> None:
        """Let other names become labels, and vectors of another embedding count, from now on."""
        self._labelling = labelling
        self._embedding = embedding
        for connection in self._processes:
            self._greet(connection)

    def sweep(self) -> None:
        """Count no longer as under way what a process had begun that has fallen silent."""
        for connection, process in self._processes.items():
            if not self._is_heard(process):
                self._arrivals.forget(connection)

    def close(self) -> None:
        """Take in what has been sent, and listen no more."""
        self._loop.remove_reader(self._listener.socket)
        self._listener.close()
        for connection in tuple(self._processes):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)  # nothing more comes; what came can be read
            while connection in self._processes and self._take_in(connection):
                pass
            self._leave(connection)

    def _is_heard(self, process: Process) -> bool:
        heard_at = process.heard_at
        return heard_at is not None and self._clock() - heard_at <= SILENCE_SECONDS

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:  # no file descriptors are left: asking again at once would spin
            logger.warning("no process can connect", extra={"error": str(error)})
            self._loop.remove_reader(self._listener.socket)
            self._loop.call_later(_REST_SECONDS, self._accept_again)
            return
        connection.settimeout(0)
        if len(self._processes) >= PROCESSES_MAX:
            self.rejected[TOO_MANY] += 1
            connection.close()
            return
        self._processes[connection] = Process()
        self._loop.add_reader(connection, self._take_in, connection)
        self._greet(connection)

    def _accept_again(self) -> None:
        if self._listener.socket.fileno() >= 0:
            self._loop.add_reader(self._listener.socket, self._accept)

    def _greet(self, connection: socket.socket) -> None:
        with suppress(OSError, DatagramError):  # it reads slowly, or the names are too many
            connection.send(encode(Names(tuple(sorted(self._labelling.models)))))

    def _take_in(self, connection: socket.socket) -> bool:
        """Take in a burst; whether there may be more."""
        process = self._processes[connection]
        more = False
        try:
            for said in received(connection, at_most=BURST):
                self._take(connection, process, decode(said))
                more = True
        except DatagramError as error:
            self.rejected[error.reason] += 1
            details = {"reason": error.reason, "error": str(error)}
            logger.warning("a process with the middleware is not understood", extra=details)
            self._answer(connection, process.taken)
            self._leave(connection)
        except OSError:
            self._leave(connection)
        else:
            self._answer(connection, process.taken)
        return more

    def _take(self, connection: socket.socket, process: Process, datagram: Datagram) -> None:
        match datagram:
            case Told():
                self.dropped += process.told(datagram)
                self.exchanges += 1
                self._record(self._labelled(self._comparable(datagram.exchange, process)))
            case Status():
                grown = process.status(datagram, self._clock())
                self.dropped += grown.dropped
                self.left_out += grown.left_out
                self._arrivals.report(
                    connection,
                    begun=grown.started,
                    in_flight=datagram.in_flight,
                    streams=datagram.streams,
                )
            case Taken() | Names():
                raise DatagramError("malformed", "only a sidecar says this")
            case _:
                assert_never(datagram)

    def _comparable(self, exchange: Exchange, process: Process) -> Exchange:
        """Without the semantic vector if another embedding made it: nothing is like it here."""
        features = exchange.features
        if features is None or features.semantic is None or process.embedding == self._embedding:
            return exchange
        self.left_out += 1
        if process.embedding not in self._strange and len(self._strange) < PROCESSES_MAX:
            self._strange.add(process.embedding)
            logger.warning(
                "a process with the middleware makes semantic vectors with another embedding than "
                "serve.traffic.semantic says; they are left out"
            )
        return replace(exchange, features=replace(features, semantic=None))

    def _labelled(self, exchange: Exchange) -> Exchange:
        """The sidecar's own configuration has the last word on what becomes a label."""
        model = self._labelling.model(exchange.model or None)
        known = exchange.version in self._labelling.versions.values()
        version = exchange.version if known else self._labelling.version(model)
        if (model, version) == (exchange.model, exchange.version):
            return exchange
        return replace(exchange, model=model, version=version)

    def _answer(self, connection: socket.socket, taken: Taken) -> None:
        with suppress(OSError):  # it does not read; the next answer says all of this one
            connection.send(encode(taken))

    def _leave(self, connection: socket.socket) -> None:
        if connection not in self._processes:
            return
        self._loop.remove_reader(connection)
        del self._processes[connection]
        self._arrivals.forget(connection)
        connection.close()
