"""What a process has to tell the sidecar: exchanges that wait, and counts that no loss can bend.

No clock, no network, no logging. Counts are absolute, so that a status that is never sent changes
nothing. Whoever uses it from two threads holds a lock.
"""

from collections import deque

from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.reporting.datagram import Counts, Status, Taken


class Outbox:
    """Exchanges wait here, at most `limit`; more are dropped and counted.

    A sidecar begins its counts at 0, and so is told counts since what its predecessor has taken
    in: `opened` and `lost` are where one follows another. `embedding` is the mark of what makes
    semantic vectors.
    """

    def __init__(self, limit: int, *, embedding: int = 0) -> None:
        self._limit = limit
        self._embedding = embedding
        self._waiting: deque[Exchange] = deque()
        self._started = 0
        self._dropped = 0
        self._left_out = 0
        self._in_flight = 0
        self._streams = 0
        self._sent = 0  # over this connection, as is what has been taken in
        self._taken = Taken(0, Counts())
        self._base = Counts()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def dropped(self) -> int:
        """Exchanges that no sidecar is going to hear of, since the process began."""
        return self._dropped

    def begin(self) -> None:
        """A request has come."""
        self._started += 1
        self._in_flight += 1

    def stream(self) -> None:
        """Its answer is a stream, and has begun."""
        self._streams += 1

    def end(self, *, streaming: bool) -> None:
        """A request that had begun has ended; `streaming` if `stream` was said of it."""
        self._in_flight -= 1
        self._streams -= streaming

    def put(self, exchange: Exchange) -> None:
        """Let it wait until it can be sent."""
        if len(self._waiting) >= self._limit:
            self._dropped += 1
        else:
            self._waiting.append(exchange)

    def drop(self) -> None:
        """There was an exchange that could not be measured."""
        self._dropped += 1

    def leave_out(self, vectors: int) -> None:
        """So many exchanges went without the vectors that they might have had."""
        self._left_out += vectors

    def first(self) -> tuple[int, Exchange] | None:
        """What is to be sent next, and its sequence number; None if nothing waits."""
        return (self._sent + 1, self._waiting[0]) if self._waiting else None

    def sent(self) -> None:
        """The first one has been sent."""
        self._waiting.popleft()
        self._sent += 1

    def unsayable(self) -> None:
        """The first one cannot be said in a datagram."""
        self._waiting.popleft()
        self._dropped += 1

    def status(self) -> Status:
        """The counts for the sidecar of this connection, and what is now."""
        counts = self._total() - self._base
        return Status(counts, self._in_flight, self._streams, self._embedding)

    def opened(self) -> None:
        """There is a new connection: its sidecar goes on where the last one stopped."""
        self._base = self._base + self._taken.counts
        self._taken = Taken(0, Counts())
        self._sent = 0

    def taken(self, taken: Taken) -> None:
        """The sidecar has said what it has taken in. What it cannot know is not believed."""
        beyond = self._total() - self._base - taken.counts
        known = min(beyond.started, beyond.dropped, beyond.left_out) >= 0
        if known and self._taken.sequence <= taken.sequence <= self._sent:
            self._taken = taken

    def lost(self) -> None:
        """The connection is gone, and with it what was sent and not taken in."""
        self._dropped += self._sent - self._taken.sequence
        self._sent = self._taken.sequence

    def _total(self) -> Counts:
        return Counts(self._started, self._dropped, self._left_out)
