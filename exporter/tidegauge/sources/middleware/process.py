"""What one process with the middleware has told over its connection.

No clock, no network, no logging: same arguments, same answer.
"""

from tidegauge.traffic.reporting.datagram import Counts, DatagramError, Status, Taken, Told


class Process:
    """Knows how far one process has told, and how it was when it last said so."""

    def __init__(self) -> None:
        self._sequence = 0
        self._counts = Counts()
        self.heard_at: float | None = None
        self.embedding = 0
        """The mark of what makes its semantic vectors; 0 before it has said so."""

    @property
    def taken(self) -> Taken:
        """What is to be said back."""
        return Taken(self._sequence, self._counts)

    def told(self, told: Told) -> int:
        """Take in one exchange; how many before it never came.

        Raises:
            DatagramError: it has been told before.
        """
        missing = told.sequence - self._sequence - 1
        if missing < 0:
            raise DatagramError("malformed", f"exchange {told.sequence} comes twice")
        self._sequence = told.sequence
        return missing

    def status(self, status: Status, now: float) -> Counts:
        """Take in how it is; by how much its counts have grown.

        Raises:
            DatagramError: they have shrunk.
        """
        grown = status.counts - self._counts
        if min(grown.started, grown.dropped, grown.left_out) < 0:
            raise DatagramError("malformed", "counts that have shrunk")
        self._counts = status.counts
        self.heard_at = now
        self.embedding = status.embedding
        return grown
