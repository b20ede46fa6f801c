"""The supervisor, with children that say what the test wants."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tidegauge.catalog import gpu as catalog
from tidegauge.catalog import gpu_health
from tidegauge.catalog import nvml as own
from tidegauge.samples import Sample
from tidegauge.sources.gpu.protocol import DeviceState, End, Part, State, Trouble, encode
from tidegauge.sources.gpu.restarts import REASONS, Limits
from tidegauge.sources.gpu.source import GpuSource
from tidegauge.sources.gpu.supervisor import LEFT_AT_MOST
from tidegauge.sources.source import SourceError

A, B = ("0", "GPU-a"), ("1", "GPU-b")
LIMITS = Limits(hung_seconds=5, first_seconds=0.01, longest_seconds=0.04)


class Script:
    """A child that says these lines, then nothing; None ends it."""

    pid = 1
    status: int | None = 0

    def __init__(self, *lines: State | bytes | None) -> None:
        self._lines = list(lines)
        self.stopped = False

    async def line(self) -> bytes | None:
        if not self._lines:
            await asyncio.sleep(3600)
        await asyncio.sleep(0.01)
        line = self._lines.pop(0)
        return encode(line) if isinstance(line, State) else line

    async def stop(self) -> None:
        self.stopped = True


class Nursery:
    """Hands out the scripts in turn, then children that stay silent for ever."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = scripts
        self.started = 0

    async def start(self) -> Script:
        self.started += 1
        if self.started > len(self.scripts):
            await asyncio.sleep(3600)
        return self.scripts[self.started - 1]

    def source(self, *, silent_seconds: float = 60) -> GpuSource:
        limits = replace(LIMITS, silent_seconds=silent_seconds)
        return GpuSource(limits=limits, start=self.start, clock=lambda: 0.0)


def well(labels: tuple[str, str], value: float = 0.5) -> DeviceState:
    part = Part("fast", 0.0, 5.0, (Sample(catalog.UTILIZATION, value, labels),))
    return DeviceState(int(labels[0]), labels, 0.0, parts=(part,))


def sick(labels: tuple[str, str], trouble: Trouble, seconds: float = 3.0) -> DeviceState:
    return DeviceState(int(labels[0]), labels, None, trouble, seconds, f"GPU {labels[0]}: oh no")


def of(samples: Sequence[Sample], metric) -> dict[tuple[str, ...], object]:
    return {s.labels: s.value for s in samples if s.metric is metric}


@pytest.mark.parametrize(
    "lines,reason",
    [
        pytest.param([None], "exited", id="it died"),
        pytest.param([], "silent", id="it says nothing any more"),
        pytest.param([b"what?\n"], "protocol", id="it says what nobody understands"),
        pytest.param([State(1.0, (well(A), sick(B, "hung", 6)))], "hung", id="a call hangs"),
        pytest.param([State(1.0, (well(A), sick(B, "lost", 6)))], "lost", id="a device is lost"),
        pytest.param([State(1.0, end=End("driver", "18"))], "driver", id="the driver was replaced"),
        pytest.param([State(1.0, end=End("devices", "2, 1"))], "devices", id="a device is gone"),
        pytest.param([State(1.0, end=End("mig", "on"))], "mig", id="MIG was switched"),
        pytest.param([State(1.0, opening_seconds=6.0)], "hung", id="opening NVML hangs"),
    ],
)
async def test_a_child_that_has_to_end_is_ended_counted_and_followed_by_another(
    lines: list[State | bytes | None], reason: str
) -> None:
    first = Script(State(0.0, (well(A), well(B))), *lines)
    nursery = Nursery(first, Script(State(1.0, (well(A, 0.7), well(B)))))
    source = nursery.source(silent_seconds=0.3 if reason == "silent" else 60)
    await source.read()
    async with asyncio.timeout(20):
        while of(samples := await source.read(), catalog.UTILIZATION)[A] != 0.7:
            await asyncio.sleep(0.005)
    assert first.stopped
    counts = {labels[0]: n for labels, n in of(samples, own.CHILD_RESTARTS).items()}
    assert counts[reason] >= 1
    assert counts.keys() == set(REASONS)
    assert of(samples, catalog.UTILIZATION)[A] == 0.7
    await source.close()


async def test_no_process_to_be_had_is_tried_again() -> None:
    tries = 0

    async def start() -> Script:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OSError("fork: no memory")
        return Script(State(0.0, (well(A),)))

    source = GpuSource(limits=LIMITS, start=start, clock=lambda: 0.0)
    assert of(await source.read(), own.CHILD_RESTARTS)["exited",] == 2
    await source.close()


async def test_absence_is_an_error_that_says_when_to_ask_again_and_no_restart() -> None:
    gone = State(0.0, end=End("unavailable", "nvmlInit: Driver Not Loaded"))
    source = Nursery(*[Script(gone)] * 3).source()
    for _ in range(2):
        with pytest.raises(SourceError, match="Driver Not Loaded") as caught:
            await source.read()
        assert caught.value.reason == "unavailable"
        assert caught.value.retry_after_seconds >= 1
    unread = source.unread()
    assert set(of(unread, own.CHILD_RESTARTS).values()) == {0}
    assert of(unread, own.CHILD_UP) == {(): 0}
    assert of(unread, catalog.UP) == {}
    await source.close()


async def test_a_driver_that_comes_later_is_found() -> None:
    gone = State(0.0, end=End("unavailable", "nvmlInit: Driver Not Loaded"))
    nursery = Nursery(Script(gone), Script(State(1.0, (well(A),))))
    source = nursery.source()
    with pytest.raises(SourceError):
        await source.read()
    source._supervisor.heard.clear()
    await asyncio.wait_for(source._supervisor.heard.wait(), 5)
    samples = await source.read()
    assert of(samples, catalog.UP) == {A: 1}
    assert of(samples, own.CHILD_UP) == {(): 1}
    assert source.latest() == tuple(s for s in samples if s.metric.name.startswith("llm_"))
    await source.close()


@pytest.mark.parametrize(
    "devices,reason,words",
    [
        ([sick(A, "hung"), sick(B, "hung")], "timeout", "GPU 0: oh no; GPU 1: oh no"),
        ([sick(A, "forbidden"), sick(B, "forbidden")], "unavailable", "GPU 0: oh no; GPU 1: oh no"),
        ([sick(A, "forbidden"), sick(B, "hung")], "timeout", "GPU 1: oh no"),
    ],
    ids=["every device hangs", "every device is somebody else's", "all of ours hang"],
)
async def test_where_nothing_can_be_read_the_source_says_why(devices, reason, words) -> None:
    source = Nursery(Script(State(0.0, tuple(devices)))).source()
    with pytest.raises(SourceError) as caught:
        await source.read()
    assert (caught.value.reason, str(caught.value)) == (reason, words)
    await source.close()


async def test_devices_that_were_there_are_down_when_nothing_can_be_read() -> None:
    hung = State(1.0, (sick(A, "hung"), sick(B, "hung")))
    source = Nursery(Script(State(0.0, (well(A), well(B))), hung)).source()
    await source.read()
    with pytest.raises(SourceError, match="oh no"):
        await asyncio.wait_for(_read_on(source), 5)
    assert of(source.unread(), catalog.UP) == {A: 0, B: 0}
    await source.close()


async def _read_on(source: GpuSource) -> None:
    while await source.read():
        await asyncio.sleep(0.005)


async def test_one_line_per_fact(caplog: pytest.LogCaptureFixture) -> None:
    states = [
        State(0.0, (well(A), sick(B, "lost", 1))),
        State(1.0, (well(A), sick(B, "lost", 2))),
        State(2.0, (well(A), well(B))),
        State(3.0, (well(A), well(B))),
    ]
    caplog.set_level("INFO", logger="tidegauge")
    source = Nursery(Script(*states, None)).source()
    await source.read()
    async with asyncio.timeout(20):
        while len(said := [record.getMessage() for record in caplog.records]) < 3:
            await asyncio.sleep(0.005)
    assert said == ["GPU silent", "GPU answers again", "NVML child ended"]
    await source.close()


async def test_a_source_that_takes_the_place_of_another_goes_on_where_it_ended() -> None:
    def counted(number: float) -> State:
        kept = (
            Sample(gpu_health.XID_ERRORS, number, (*A, "79")),
            Sample(own.TIER_INTERVAL, 1.0, ("gpm",)),
        )
        return State(0.0, (well(A),), kept=kept)

    first = Nursery(Script(counted(2), None), Script(counted(1)))
    before = first.source()
    async with asyncio.timeout(20):
        while of(await before.read(), gpu_health.XID_ERRORS) != {(*A, "79"): 3}:
            await asyncio.sleep(0.005)
    # One that is replaced before its first read passes on what it never took over.
    between = GpuSource(limits=LIMITS, start=Nursery().start, before=before)
    nursery = Nursery(Script(State(0.0, (well(A, 0.75),), kept=counted(1).kept[:1])))
    after = GpuSource(limits=LIMITS, start=nursery.start, clock=lambda: 0.0, before=between)
    assert after.latest() == before.latest() != ()
    seen = await after.read()
    assert first.scripts[1].stopped, "never two children at a time"
    assert of(seen, gpu_health.XID_ERRORS) == {(*A, "79"): 4}
    assert of(seen, own.CHILD_RESTARTS)["exited",] == 1
    assert of(seen, own.TIER_INTERVAL) == {}, "a tier that is not read any more"
    assert of(seen, catalog.UTILIZATION) == {A: 0.75}
    for source in (before, between, after):
        await source.close()


async def test_a_supervisor_with_a_bug_is_not_taken_for_silence() -> None:
    scripts = [Script(State(0.0, (well(A),)), None)]

    async def start() -> Script:
        return scripts.pop()  # and then there is none

    source = GpuSource(limits=LIMITS, start=start, clock=lambda: 0.0)
    await source.read()
    with pytest.raises(IndexError):
        await asyncio.wait_for(_read_on(source), 5)
    await source.close()


async def test_children_that_can_not_be_killed_do_not_pile_up() -> None:
    class Wedged(Script):
        status = None

    def wedged() -> Wedged:
        return Wedged(*[State(1.0, (well(A), sick(B, "hung", 1000)))] * 1000)

    nursery = Nursery(*(wedged() for _ in range(9)))
    source = nursery.source()
    await source.read()
    async with asyncio.timeout(20):
        while nursery.started <= LEFT_AT_MOST:
            await source.read()
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.1)
    assert nursery.started == LEFT_AT_MOST + 1, "the last one is kept, and reads the other device"
    assert of(await source.read(), catalog.UP) == {A: 1, B: 0}
    nursery.scripts[0].status = -9
    async with asyncio.timeout(20):
        while nursery.started == LEFT_AT_MOST + 1:
            await asyncio.sleep(0.005)
    await source.close()
