"""What came of spans, as a source: it reads memory only, so a read never fails."""

from collections.abc import Callable, Sequence

from tidegauge.samples import Sample
from tidegauge.traffic.otlp.receiver import Receiver


class OtlpSource:
    """The series of one receiver. `stop` ends what it leans on."""

    name = "otlp"

    def __init__(self, receiver: Receiver, stop: Callable[[], None]) -> None:
        self.receiver = receiver
        self._stop = stop

    async def read(self) -> Sequence[Sample]:
        return self.receiver.samples()

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        self._stop()
