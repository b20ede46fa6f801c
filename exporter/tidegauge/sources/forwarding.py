"""The forwarding of errors as a source: to be read is its clock, and what it sent its series."""

import asyncio
from collections.abc import Sequence

from tidegauge.forwarding.forwarder import Forwarder
from tidegauge.samples import Sample


class ForwardingSource:
    """`forwarder.tell` is for who finds errors beside those of requests."""

    name = "forwarding"

    def __init__(self, forwarder: Forwarder) -> None:
        self.forwarder = forwarder

    async def read(self) -> Sequence[Sample]:
        self.forwarder.flush()
        return self.forwarder.samples()

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        await asyncio.to_thread(self.forwarder.close)
