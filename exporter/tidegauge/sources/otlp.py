"""What came of spans, as a source: it reads memory only, so a read never fails."""

from collections.abc import Sequence

from tidegauge.samples import Sample
from tidegauge.traffic.otlp.receiver import Receiver


class OtlpSource:
    """The series of one receiver."""

    name = "otlp"

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    async def read(self) -> Sequence[Sample]:
        return self._receiver.samples()

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        return
