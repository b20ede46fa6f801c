"""Both ends of the socket, over a real one: what is told arrives or is counted, come what may."""

import asyncio
import contextlib
import os
import resource
import socket
import stat
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.exchanges import exchange
from tidegauge.sources.middleware import receiver as receiving
from tidegauge.sources.middleware.listener import listen
from tidegauge.sources.middleware.receiver import BURST, SILENCE_SECONDS, Receiver
from tidegauge.sources.middleware.source import MiddlewareSource
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.features import Features
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.reporting.datagram import Counts, Names, Status, Taken, Told, decode, encode
from tidegauge.traffic.reporting.sending import Sender
from tidegauge.traffic.texts.embedding import STATIC, Endpoint, mark

CHAT = Labelling(frozenset({"chat"}), {"chat": "7"})
ROOT = Path(__file__).parents[2]


@dataclass
class Sidecar:
    """A receiver, and all that it has recorded."""

    path: Path
    clock: Callable[[], float] = time.monotonic
    arrivals: Arrivals = field(default_factory=Arrivals)
    exchanges: list[Exchange] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.receiver = Receiver(
            listen(self.path, mode=0o660),
            self.exchanges.append,
            arrivals=self.arrivals,
            labelling=CHAT,
            clock=self.clock,
        )

    @property
    def accounted(self) -> int:
        return self.receiver.exchanges + self.receiver.dropped

    def die(self) -> None:
        """As SIGKILL does it: nothing more is read, and the file stays behind."""
        loop = asyncio.get_running_loop()
        for end in (self.receiver._listener.socket, *self.receiver._processes):
            loop.remove_reader(end)
            end.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "traffic.sock"


@contextmanager
def sending(
    path: Path,
    *,
    on_names: Callable[[tuple[str, ...]], None] = lambda _: None,
    waiting_max: int = 1000,
    embedding: int = 0,
) -> Iterator[Sender]:
    sender = Sender(
        str(path),
        on_names=on_names,
        embedding=embedding,
        waiting_max=waiting_max,
        heartbeat_seconds=0.1,
    )
    sender.start()
    try:
        yield sender
    finally:
        sender.close()


@asynccontextmanager
async def hearing(
    path: Path, *, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[Sidecar]:
    sidecar = Sidecar(path, clock)
    try:
        yield sidecar
    finally:
        sidecar.receiver.close()


@contextmanager
def calling(path: Path) -> Iterator[socket.socket]:
    """A process that speaks for itself."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as caller:
        caller.connect(str(path))
        caller.settimeout(0)
        yield caller


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not so():
            await asyncio.sleep(0.01)


async def answer(caller: socket.socket) -> object:
    """The next thing that the sidecar says; None if it has closed."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(BlockingIOError):
                try:
                    said = caller.recv(1 << 16)
                except ConnectionResetError:
                    continue
                return decode(said) if said else None
            await asyncio.sleep(0.01)


async def test_what_is_told_is_recorded_and_what_is_under_way_shows(path: Path) -> None:
    names: list[tuple[str, ...]] = []
    async with hearing(path) as sidecar:
        with sending(path, on_names=names.append) as sender:
            sender.begin()
            sender.begin()
            sender.stream()
            await until(lambda: sidecar.arrivals.in_flight == 2)
            assert (sidecar.arrivals.started, sidecar.arrivals.streams) == (2, 1)
            sender.end(streaming=True)
            sender.put(exchange(model="secret", version="9"))
            sender.put(exchange(model=""))
            await until(lambda: len(sidecar.exchanges) == 2 and sidecar.arrivals.in_flight == 1)
            labels = [(each.model, each.version) for each in sidecar.exchanges]
            assert labels == [("other", ""), ("chat", "7")]
            await until(lambda: names == [("chat",)])
            source = MiddlewareSource(sidecar.receiver, made_at=(path, 0o660))
            shown = {(s.metric.name.split("_")[2], *s.labels): s.value for s in await source.read()}
            assert shown == {
                ("processes",): 1,
                ("exchanges",): 2,
                ("dropped",): 0,
                ("vectors",): 0,
                ("rejected", "malformed"): 0,
                ("rejected", "version"): 0,
                ("rejected", "processes"): 0,
            }
        await until(lambda: sidecar.arrivals.in_flight == 0)
        assert (sidecar.arrivals.started, sidecar.receiver.processes) == (2, 0)


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_sidecars_come_and_go_under_load_and_every_exchange_is_accounted_for(
    path: Path, how: str
) -> None:
    sidecars: list[Sidecar] = []
    put = 0
    with sending(path, waiting_max=50) as sender:
        for _ in range(4):
            if sidecars:
                sidecars[-1].die() if how == "killed" else sidecars[-1].receiver.close()
            for _ in range(100):  # while there is none
                sender.put(exchange())
                put += 1
            sidecars.append(Sidecar(path))
            while len(sidecars[-1].exchanges) < 100:
                sender.put(exchange())
                put += 1
                await asyncio.sleep(0.001)
        await until(lambda: sum(each.accounted for each in sidecars) >= put)
    await until(lambda: sidecars[-1].receiver.processes == 0)
    sidecars[-1].receiver.close()
    # None is lost unseen. What a sidecar took in and could not say any more counts as dropped too.
    twice = sum(each.accounted for each in sidecars) - put
    assert 0 <= twice <= BURST * (len(sidecars) - 1)
    assert sum(each.receiver.dropped for each in sidecars) > 0


async def test_a_sidecar_that_reads_nothing_makes_nobody_wait(path: Path) -> None:
    deaf = listen(path, mode=0o600)
    with sending(path, waiting_max=100) as sender:
        for _ in range(20_000):
            sender.put(exchange())
        await until(lambda: sender.dropped > 0)
        deaf.close()
        async with hearing(path) as sidecar:
            await until(lambda: sidecar.accounted == 20_000)


async def test_what_waits_while_there_is_no_sidecar_is_told_once_there_is(path: Path) -> None:
    with sending(path) as sender:
        sender.put(exchange())
        await asyncio.sleep(0.2)
        async with hearing(path) as sidecar:
            await until(lambda: len(sidecar.exchanges) == 1)
            assert sidecar.receiver.dropped == 0


async def test_a_process_that_ends_has_told_everything(path: Path) -> None:
    async with hearing(path) as sidecar:
        with sending(path) as sender:
            for _ in range(50):
                sender.put(exchange())
        await until(lambda: len(sidecar.exchanges) == 50)


async def test_who_has_closed_connects_no_more(path: Path) -> None:
    async with hearing(path) as sidecar:
        with sending(path) as sender:
            await until(lambda: sidecar.receiver.processes == 1)
        await until(lambda: sidecar.receiver.connections == 0)
        sender._connect_at = 0.0
        sender.flush()  # a thread that was late
        assert sender._connection is None


async def test_an_engine_may_have_a_thousand_files_open(path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, before[1]), before[1]))
    files = [os.dup(0) for _ in range(1024)]
    try:
        async with hearing(path) as sidecar:
            with sending(path) as sender:
                sender.put(exchange())
                await until(lambda: sidecar.receiver.exchanges == 1)
                assert sender._connection.fileno() > 1023
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_a_silent_process_counts_no_more_until_it_speaks(path: Path) -> None:
    now = 100.0
    async with hearing(path, clock=lambda: now) as sidecar:
        with calling(path) as caller:
            caller.send(encode(Status(Counts(started=3), in_flight=3, streams=1)))
            await until(lambda: sidecar.arrivals.in_flight == 3)
            now += SILENCE_SECONDS + 1
            sidecar.receiver.sweep()
            arrivals = sidecar.arrivals
            assert (arrivals.in_flight, arrivals.streams, arrivals.started) == (0, 0, 3)
            assert sidecar.receiver.processes == 0
            caller.send(encode(Status(Counts(started=4), in_flight=1, streams=1)))
            await until(lambda: arrivals.in_flight == 1)
            assert (arrivals.started, sidecar.receiver.processes) == (4, 1)


@pytest.mark.parametrize(
    "said,reason",
    [
        pytest.param(b"GET / HTTP/1.1\r\n", "malformed", id="another language"),
        pytest.param(b"TG\x09\x00", "version", id="another release"),
        pytest.param(encode(Names(("chat",))), "malformed", id="what a sidecar says"),
        pytest.param(b"\0" * 60_000, "malformed", id="a lot of nothing"),
    ],
)
async def test_who_makes_no_sense_is_closed_and_the_others_go_on(
    path: Path, said: bytes, reason: str
) -> None:
    async with hearing(path) as sidecar:
        with calling(path) as bad, calling(path) as good:
            assert await answer(bad) == await answer(good) == Names(("chat",))
            bad.send(encode(Told(1, exchange())))
            bad.send(said)
            good.send(encode(Told(1, exchange())))
            await until(lambda: sidecar.receiver.exchanges == 2)
            assert await answer(good) == Taken(1, Counts())
            replies = [await answer(bad)]
            while replies[-1] is not None:
                replies.append(await answer(bad))
            assert Taken(1, Counts()) in replies
            assert sidecar.receiver.rejected[reason] == 1


async def test_a_gap_in_what_is_told_is_counted(path: Path) -> None:
    async with hearing(path) as sidecar:
        with calling(path) as caller:
            caller.send(encode(Told(4, exchange())))
            await until(lambda: sidecar.receiver.exchanges == 1)
            assert sidecar.receiver.dropped == 3


async def test_no_more_processes_than_there_may_be(path: Path, monkeypatch) -> None:
    monkeypatch.setattr(receiving, "PROCESSES_MAX", 1)
    async with hearing(path) as sidecar:
        with calling(path) as first, calling(path) as second:
            assert await answer(first) == Names(("chat",))
            assert await answer(second) is None
            assert sidecar.receiver.rejected["processes"] == 1


async def test_other_names_are_said_to_those_who_are_connected(path: Path) -> None:
    async with hearing(path) as sidecar:
        with calling(path) as caller:
            assert await answer(caller) == Names(("chat",))
            sidecar.receiver.turn(Labelling(frozenset({"chat", "code"})))
            assert await answer(caller) == Names(("chat", "code"))


async def test_semantic_vectors_of_another_embedding_are_left_out(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Ours are kept; the style and everything else of the others' too."""
    vectors = Features(semantic=b"\x7f" * 256, style=b"\x81" * 256)
    told = exchange(features=vectors)
    ours, theirs = mark(STATIC), mark(Endpoint("http://a/v1/embeddings", "e5"))
    async with hearing(path) as sidecar:
        with sending(path, embedding=ours) as sender:
            sender.put(told)
            await until(lambda: len(sidecar.exchanges) == 1)
        with sending(path, embedding=theirs) as sender:
            sender.put(told)
            sender.put(told)
            await until(lambda: len(sidecar.exchanges) == 3)
            sidecar.receiver.turn(CHAT, embedding=theirs)
            sender.put(told)
            await until(lambda: len(sidecar.exchanges) == 4)
    bare = replace(vectors, semantic=None)
    assert [each.features for each in sidecar.exchanges] == [vectors, bare, bare, vectors]
    assert sidecar.receiver.left_out == 2
    said = [record.message for record in caplog.records if "embedding" in record.message]
    assert len(said) == 1
    assert "another embedding than serve.traffic.semantic says" in said[0]


async def test_a_forked_child_tells_for_itself(path: Path) -> None:
    script = """if True:
        import os, sys, time
        from tests.exchanges import exchange
        from tidegauge.traffic.reporting.sending import Sender
        sender = Sender(sys.argv[1])
        sender.start()
        sender.begin(); sender.put(exchange())
        time.sleep(0.3)
        child = os.fork()
        sender.start()
        sender.begin(); sender.put(exchange())
        time.sleep(0.3)
        sender.close()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
    """
    async with hearing(path) as sidecar:
        command = [sys.executable, "-W", "ignore", "-c", script, str(path)]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'exporter'}"}
        process = await asyncio.create_subprocess_exec(*command, env=environment)
        assert await process.wait() == 0
        await until(lambda: sidecar.receiver.exchanges == 3)
        assert (sidecar.arrivals.started, sidecar.arrivals.in_flight) == (3, 0)


def test_the_file_has_the_permissions_that_were_asked_for(path: Path) -> None:
    listener = listen(path, mode=0o660)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    listener.close()
    assert not path.exists()


def test_a_file_that_a_killed_sidecar_left_is_replaced(path: Path) -> None:
    listen(path, mode=0o660).socket.close()
    assert path.exists()
    listen(path, mode=0o660).close()


def test_the_file_of_a_successor_is_left_alone(path: Path) -> None:
    before = listen(path, mode=0o660)
    path.unlink()
    after = listen(path, mode=0o660)
    before.close()
    assert path.exists()
    after.close()


def test_a_path_where_a_sidecar_listens_is_refused(path: Path) -> None:
    listener = listen(path, mode=0o660)
    with pytest.raises(OSError, match=f"{path}: another program listens there"):
        listen(path, mode=0o660)
    assert path.exists()
    listener.close()


@pytest.mark.parametrize(
    "make,problem",
    [
        pytest.param(lambda path: path.write_text("mine"), "is no socket", id="a file"),
        pytest.param(lambda path: path.mkdir(), "is no socket", id="a folder"),
        pytest.param(lambda path: path.parent.rmdir(), "No such file", id="no directory"),
    ],
)
def test_a_path_that_is_taken_by_something_else_is_refused(tmp_path, make, problem: str) -> None:
    path = tmp_path / "a" / "traffic.sock"
    path.parent.mkdir()
    make(path)
    with pytest.raises(OSError, match=f"{path}: {problem}"):
        listen(path, mode=0o660)
