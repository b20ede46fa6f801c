import asyncio
from collections.abc import Callable, Sequence

import pytest

from tidegauge.catalog import own
from tidegauge.catalog.gpu import UP
from tidegauge.catalog.inference import ENGINE_UP
from tidegauge.pipeline import Pipeline, Schedule
from tidegauge.samples import Sample, Snapshot
from tidegauge.sources.source import REASONS, SourceError


class FakeSource:
    """Gives samples, or does what `then` does."""

    def __init__(self, name: str, then: Callable[[], object] = lambda: None) -> None:
        self.name = name
        self.then = then
        self.closed = False

    async def read(self) -> Sequence[Sample]:
        outcome = self.then()
        if asyncio.iscoroutine(outcome):
            await outcome
        return [Sample(UP, 1, (self.name, "u"))]

    def unread(self) -> Sequence[Sample]:
        return [Sample(ENGINE_UP, 0, (self.name,))]

    async def close(self) -> None:
        self.closed = True


def fail() -> None:
    raise SourceError("lost", "GPU 0 is lost")


def value(snapshot: Snapshot, metric, *labels: str) -> float | None:
    found = [s.value for s in snapshot.samples() if s.metric is metric and s.labels == labels]
    return found[0] if found else None


async def test_a_failing_source_costs_its_own_series_and_says_so() -> None:
    pipeline = Pipeline(
        [Schedule(FakeSource("good"), 1, 1), Schedule(FakeSource("bad", fail), 1, 1)]
    )
    await pipeline.read_all()
    seen = pipeline.snapshot()
    assert value(seen, UP, "good", "u") == 1
    assert value(seen, UP, "bad", "u") is None
    assert value(seen, ENGINE_UP, "bad") == 0
    assert value(seen, own.SOURCE_UP, "good") == 1
    assert value(seen, own.SOURCE_UP, "bad") == 0
    assert value(seen, own.SOURCE_ERRORS, "bad", "lost") == 1
    assert value(seen, own.SOURCE_LAST_SUCCESS, "bad") is None


async def test_a_bug_in_one_source_costs_the_others_nothing() -> None:
    def stumble() -> None:
        raise ZeroDivisionError("a bug")

    pipeline = Pipeline(
        [Schedule(FakeSource("good"), 1, 1), Schedule(FakeSource("bad", stumble), 1, 1)]
    )
    await pipeline.read_all()
    seen = pipeline.snapshot()
    assert value(seen, UP, "good", "u") == 1
    assert value(seen, own.SOURCE_ERRORS, "bad", "internal") == 1


async def test_every_reason_exists_from_the_start_at_zero() -> None:
    pipeline = Pipeline([Schedule(FakeSource("good"), 1, 1)])
    seen = pipeline.snapshot()
    assert {value(seen, own.SOURCE_ERRORS, "good", reason) for reason in REASONS} == {0}


async def test_a_source_that_hangs_is_given_up_on_and_scrapes_go_on() -> None:
    hangs = FakeSource("hangs", lambda: asyncio.sleep(60))
    pipeline = Pipeline([Schedule(hangs, 1, 0.05), Schedule(FakeSource("good"), 1, 1)])
    async with asyncio.timeout(20):
        await pipeline.read_all()
    assert value(pipeline.snapshot(), own.SOURCE_ERRORS, "hangs", "timeout") == 1
    assert value(pipeline.snapshot(), UP, "good", "u") == 1


async def test_a_reading_that_has_gone_stale_is_left_out_rather_than_repeated() -> None:
    now = [1000.0]
    pipeline = Pipeline([Schedule(FakeSource("good"), 5, 1)], clock=lambda: now[0])
    await pipeline.read_all()
    now[0] += 16
    assert value(pipeline.snapshot(), UP, "good", "u") == 1
    now[0] += 1
    assert value(pipeline.snapshot(), UP, "good", "u") is None
    assert value(pipeline.snapshot(), own.SOURCE_UP, "good") == 0


async def test_each_source_keeps_its_own_clock() -> None:
    reads = {"fast": 0, "slow": 0}

    def counted(name: str) -> FakeSource:
        def count() -> None:
            reads[name] += 1

        return FakeSource(name, count)

    fast, slow = counted("fast"), counted("slow")
    pipeline = Pipeline([Schedule(fast, 0.01, 1), Schedule(slow, 60, 1)])
    task = asyncio.create_task(pipeline.run())
    async with asyncio.timeout(20):
        while reads["fast"] < 5:
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert reads["slow"] == 1
    assert fast.closed
    assert slow.closed


async def test_a_source_that_wants_to_be_left_alone_is() -> None:
    asked = {"again": 0, "later": 0}

    def refuse(name: str, seconds: float | None) -> Callable[[], None]:
        def then() -> None:
            asked[name] += 1
            raise SourceError("unavailable", "no driver", retry_after_seconds=seconds)

        return then

    sources = [FakeSource("again", refuse("again", None)), FakeSource("later", refuse("later", 60))]
    running = asyncio.create_task(Pipeline([Schedule(s, 0.01, 1) for s in sources]).run())
    while asked["again"] < 5:
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    assert asked["later"] == 1


async def test_a_source_that_comes_back_is_up_again() -> None:
    source = FakeSource("flaky", fail)
    pipeline = Pipeline([Schedule(source, 1, 1)])
    await pipeline.read_all()
    source.then = lambda: None
    await pipeline.read_all()
    assert value(pipeline.snapshot(), own.SOURCE_UP, "flaky") == 1
    assert value(pipeline.snapshot(), UP, "flaky", "u") == 1
    assert value(pipeline.snapshot(), ENGINE_UP, "flaky") is None


def test_two_sources_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="names must differ: a, a"):
        Pipeline([Schedule(FakeSource("a"), 1, 1), Schedule(FakeSource("a"), 1, 1)])


class Running:
    """A pipeline that runs, and what is asked of it in tests."""

    def __init__(self, *sources: FakeSource) -> None:
        self.pipeline = Pipeline([Schedule(source, 0.005, 1) for source in sources])
        self.task = asyncio.create_task(self.pipeline.run())

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.005)

    async def end(self) -> None:
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


async def test_a_source_that_is_adopted_again_goes_on_with_its_counters() -> None:
    kept, leaves, comes = FakeSource("kept", fail), FakeSource("leaves"), FakeSource("comes")
    running = Running(kept, leaves)
    pipeline = running.pipeline
    lost = (own.SOURCE_ERRORS, "kept", "lost")
    await running.until(lambda: (value(pipeline.snapshot(), *lost) or 0) > 2)
    task = pipeline._following["kept"]
    errors = value(pipeline.snapshot(), *lost)
    (schedule, _) = pipeline._schedules
    pipeline.adopt([schedule, Schedule(comes, 0.005, 1)])
    assert pipeline._following["kept"] is task, "it is not even started anew"
    assert value(pipeline.snapshot(), *lost) == errors
    assert all("leaves" not in sample.labels for sample in pipeline.snapshot().samples())
    await running.until(lambda: value(pipeline.snapshot(), UP, "comes", "u") == 1)
    assert (kept.closed, leaves.closed, comes.closed) == (False, True, False)
    await running.end()
    assert (kept.closed, comes.closed) == (True, True)


async def test_a_successor_of_one_name_keeps_its_series_until_it_has_its_own() -> None:
    release = asyncio.Event()
    before, after = FakeSource("engine"), FakeSource("engine", release.wait)
    running = Running(before)
    pipeline = running.pipeline
    await running.until(lambda: pipeline.began)
    pipeline.adopt([Schedule(after, 0.005, 5)])
    await running.until(lambda: before.closed)
    assert value(pipeline.snapshot(), UP, "engine", "u") == 1
    after.then = fail
    release.set()
    await running.until(lambda: value(pipeline.snapshot(), UP, "engine", "u") is None)
    assert pipeline.began, "ready once is ready, whatever is adopted"
    await running.end()


async def test_a_source_is_never_read_twice_at_a_time() -> None:
    reading, most = 0, 0

    async def read() -> None:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        try:
            await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)  # one that takes its time to let go
            raise
        finally:
            reading -= 1

    source = FakeSource("slow", read)
    running = Running(source)
    for number in range(10):
        await asyncio.sleep(0.003)
        running.pipeline.adopt([Schedule(source, 0.001, 1 + number)])
    await running.until(lambda: running.pipeline.began)
    await running.end()
    assert most == 1
    assert source.closed


async def test_a_source_that_cannot_be_closed_takes_nobody_along() -> None:
    class Stuck(FakeSource):
        async def close(self) -> None:
            raise ZeroDivisionError("a bug")

    good = FakeSource("good")
    running = Running(Stuck("stuck"), good)
    pipeline = running.pipeline
    await running.until(lambda: pipeline.began)
    pipeline.adopt([schedule for schedule in pipeline._schedules if schedule.source is good])
    await asyncio.sleep(0.02)
    assert not running.task.done()
    assert value(pipeline.snapshot(), UP, "good", "u") == 1
    await running.end()


async def test_two_sources_of_one_name_are_not_adopted() -> None:
    running = Running(FakeSource("a"))
    with pytest.raises(ValueError, match="names must differ: b, b"):
        running.pipeline.adopt([Schedule(FakeSource("b"), 1, 1), Schedule(FakeSource("b"), 1, 1)])
    await running.until(lambda: value(running.pipeline.snapshot(), UP, "a", "u") == 1)
    await running.end()


async def test_a_source_comes_after_its_neighbours_first_reading_or_failure() -> None:
    order: list[str] = []
    answered = asyncio.Event()

    async def slow() -> None:
        await answered.wait()
        order.append("slow")

    def broken() -> None:
        order.append("broken")
        fail()

    pipeline = Pipeline(
        [
            Schedule(
                FakeSource("last", lambda: order.append("last")),
                60,
                1,
                after=("slow", "broken", "nobody"),
            ),
            Schedule(FakeSource("slow", slow), 60, 5),
            Schedule(FakeSource("broken", broken), 60, 1),
        ]
    )
    running = asyncio.create_task(pipeline.run())
    await asyncio.sleep(0.05)
    assert order == ["broken"]
    answered.set()
    await asyncio.sleep(0.05)
    assert order == ["broken", "slow", "last"]
    assert pipeline.began
    running.cancel()
    await asyncio.wait([running])


async def test_a_source_waits_for_no_neighbour_that_has_left() -> None:
    order: list[str] = []
    last = Schedule(FakeSource("last", lambda: order.append("last")), 60, 1, after=("hung",))
    hung = Schedule(FakeSource("hung", lambda: asyncio.Event().wait()), 60, 5)
    pipeline = Pipeline([last, hung])
    running = asyncio.create_task(pipeline.run())
    await asyncio.sleep(0.05)
    assert order == []
    pipeline.adopt([last])
    await asyncio.sleep(0.05)
    assert order == ["last"]
    running.cancel()
    await asyncio.wait([running])
