"""Whatever a process sends to the socket, the sidecar stays well, and hears the next one."""

import asyncio
import socket
import tempfile
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.exchanges import exchange
from tests.properties.test_traffic_datagram import DATAGRAMS, ORDINARY
from tidegauge.sources.middleware.listener import listen
from tidegauge.sources.middleware.receiver import Receiver
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.reporting.datagram import Told, encode

SAID = st.lists(
    st.one_of(
        st.binary(min_size=1, max_size=200),
        st.binary(max_size=100).map(lambda rest: ORDINARY[:4] + rest),
        DATAGRAMS.map(encode),
    ),
    max_size=8,
)


@given(SAID)
def test_any_datagrams_in_any_order(said: list[bytes]) -> None:
    asyncio.run(told(said))


async def told(said: list[bytes]) -> None:
    problems: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: problems.append(what))
    arrivals = Arrivals()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traffic.sock"
        receiver = Receiver(
            listen(path, mode=0o600),
            lambda _: None,
            arrivals=arrivals,
            labelling=Labelling(frozenset({"chat"})),
            clock=time.monotonic,
        )
        with calling(path) as bad:
            for each in said:
                try:
                    bad.send(each)
                except OSError:
                    break
                await asyncio.sleep(0)
        with calling(path) as good:
            await heard(receiver, receiver.exchanges, good)
        async with asyncio.timeout(20):
            while receiver.connections:
                await asyncio.sleep(0.001)
        receiver.close()
    assert problems == []
    assert (arrivals.in_flight, arrivals.streams) == (0, 0)


async def heard(receiver: Receiver, before: int, good: socket.socket) -> None:
    good.send(encode(Told(1, exchange())))
    async with asyncio.timeout(20):
        while receiver.exchanges == before:
            await asyncio.sleep(0.001)


def calling(path: Path) -> socket.socket:
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    caller.connect(str(path))
    return caller
