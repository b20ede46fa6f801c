"""What a process has to tell: nothing is lost without being counted, whatever happens to sidecars.

The sidecar's half, `Process`, is on the other end: together they make the promise.
"""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchanges import exchange
from tidegauge.sources.middleware.process import Process
from tidegauge.traffic.reporting.datagram import Counts, DatagramError, Status, Taken, Told
from tidegauge.traffic.reporting.outbox import Outbox


@dataclass
class Sidecars:
    """One after another; what each has counted is kept when it is gone."""

    process: Process = field(default_factory=Process)
    exchanges: int = 0
    dropped: int = 0
    started: int = 0

    def hear(self, said: Told | Status) -> None:
        if isinstance(said, Told):
            self.dropped += self.process.told(said)
            self.exchanges += 1
        else:
            grown = self.process.status(said, 0.0)
            self.dropped += grown.dropped
            self.started += grown.started


STEPS = st.lists(
    st.sampled_from(["request", "send", "status", "read", "answer", "die", "connect"]), max_size=60
)


@given(STEPS)
def test_every_exchange_is_taken_in_or_counted_as_dropped(steps: list[str]) -> None:
    outbox, sidecars = Outbox(5), Sidecars()
    queue: list[Told | Status] = []
    requests, connected = 0, False
    for step in [*steps, "connect", "send", "send", "send", "send", "send", "status", "read"]:
        if step == "request":
            requests += 1
            outbox.begin()
            outbox.end(streaming=False)
            outbox.put(exchange())
        elif step == "connect" and not connected:
            outbox.opened()
            sidecars.process, connected = Process(), True
        elif step == "die" and connected:  # with all that lies in its socket
            queue.clear()
            outbox.lost()
            connected = False
        elif step == "send" and connected and (first := outbox.first()):
            queue.append(Told(*first))
            outbox.sent()
        elif step == "status" and connected:
            queue.append(outbox.status())
        elif step == "read" and connected:
            for said in queue:
                sidecars.hear(said)
            queue.clear()
            outbox.taken(sidecars.process.taken)
    assert sidecars.exchanges + sidecars.dropped == requests == sidecars.started


def test_what_nobody_has_room_for_is_counted() -> None:
    outbox = Outbox(2)
    for _ in range(5):
        outbox.put(exchange())
    assert (len(outbox), outbox.dropped, outbox.status().counts.dropped) == (2, 3, 3)


def test_what_is_under_way_is_said_whole_each_time() -> None:
    outbox = Outbox(2)
    outbox.begin()
    outbox.begin()
    outbox.stream()
    assert outbox.status() == Status(Counts(started=2), in_flight=2, streams=1)
    outbox.end(streaming=True)
    assert outbox.status() == Status(Counts(started=2), in_flight=1, streams=0)


def test_a_sidecar_goes_on_where_the_last_one_stopped() -> None:
    outbox = Outbox(2)
    outbox.begin()
    outbox.opened()
    outbox.taken(Taken(0, outbox.status().counts))
    outbox.begin()
    outbox.lost()
    outbox.opened()
    assert outbox.status().counts == Counts(started=1)


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param(Taken(2, Counts()), id="exchanges that were not sent"),
        pytest.param(Taken(0, Counts(started=2)), id="requests that have not come"),
        pytest.param(Taken(1, Counts(dropped=1)), id="drops that were none"),
    ],
)
def test_what_a_sidecar_cannot_know_is_not_believed(taken: Taken) -> None:
    outbox = Outbox(2)
    outbox.begin()
    outbox.put(exchange())
    outbox.opened()
    outbox.sent()
    outbox.taken(taken)
    outbox.lost()
    assert outbox.dropped == 1
    outbox.opened()
    assert outbox.status().counts == Counts(started=1, dropped=1)


def test_a_process_cannot_tell_the_same_twice_nor_take_back_what_it_counted() -> None:
    process = Process()
    assert process.told(Told(3, exchange())) == 2
    with pytest.raises(DatagramError, match="3 comes twice"):
        process.told(Told(3, exchange()))
    assert process.status(Status(Counts(started=2), 1, 0), 1.0) == Counts(started=2)
    with pytest.raises(DatagramError, match="shrunk"):
        process.status(Status(Counts(started=1), 1, 0), 2.0)
    assert process.taken == Taken(3, Counts(started=2))
