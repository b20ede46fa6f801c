"""Signals over a fake Prometheus that remembers: what they show, learn, refuse and survive."""

import asyncio
import json
import logging
import math
import signal
import time
from array import array
from collections.abc import Callable
from typing import TypeVar

import pytest

from tidegauge.catalog import signals as catalog
from tidegauge.control.signals.bench import Bench
from tidegauge.control.signals.child import Child
from tidegauge.control.signals.history import History
from tidegauge.control.signals.keyed import Columns, values
from tidegauge.control.signals.lanes import Lanes
from tidegauge.control.signals.loop import Shared, SignalLoop
from tidegauge.control.signals.room import Room
from tidegauge.control.signals.signal import Signal
from tidegauge.control.signals.signals import Signals
from tidegauge.control.signals.task import Learn, Task
from tidegauge.control.signals.unanswered import Unanswered
from tidegauge.promql.decode import Answer, PromqlError, Series
from tidegauge.promql.decode_range import RangeBody, RangeSeries
from tidegauge.promql.span import MAX_POINTS, Span
from tidegauge.thresholds.tracker import Direction, TrackerSettings

Made = TypeVar("Made")

STEP = 10.0
HISTORY = 3000.0
REFRESH = 1000.0
BUDGET = 1008.0  # one in ten minutes: an hour of history says little of a week
BEGIN = 1_000_000.0
Labels = tuple[tuple[str, str], ...]
A: Labels = (("model", "a"),)
B: Labels = (("model", "b"),)


def wave(at: float) -> float:
    return 10 + 3 * math.sin(at / 300) + (at * 7919 % 101) / 101


class FakePrometheus:
    """Series as functions of time; None is no value. `broken` is raised instead."""

    def __init__(self) -> None:
        self.series: dict[Labels, Callable[[float], float | None]] = {A: wave}
        self.broken: PromqlError | None = None
        self.warnings: tuple[str, ...] = ()
        self.most_points = MAX_POINTS * 10
        self.instants: list[float | None] = []
        self.spans: list[Span] = []
        self.at_once = self.most_at_once = 0
        self.seconds = 0.0
        self.slower_than = math.inf
        self.reading: asyncio.Event | None = None

    async def query(self, expression: str, *, at: float | None = None) -> Answer:
        self.instants.append(at)
        if self.broken:
            raise self.broken
        assert at is not None
        found = ((labels, value(at)) for labels, value in self.series.items())
        return Answer(tuple(Series(n, v) for n, v in found if v is not None), self.warnings)

    async def query_range(self, expression: str, span: Span) -> RangeBody:
        self.spans.append(span)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.seconds)
        self.at_once -= 1
        if self.reading:
            await self.reading.wait()
        if span.points > self.slower_than:
            raise PromqlError("timeout", "slow")
        if self.broken:
            raise self.broken
        if span.points * len(self.series) > self.most_points:
            raise PromqlError("too_large", "too many")
        rows = [
            {"metric": dict(labels), "values": points}
            for labels, value in self.series.items()
            if (
                points := [
                    [t, repr(v)] for t in map(span.at, range(span.points)) if (v := value(t))
                ]
            )
        ]
        found = {"resultType": "matrix", "result": rows}
        answer = {"status": "success", "data": found, "warnings": self.warnings}
        return RangeBody(200, json.dumps(answer).encode())


class InHouse:
    """Works without a child."""

    def run(self, task: Task[Made]) -> Made:
        return task.run()

    def rest(self) -> None:
        pass

    def close(self) -> None:
        pass


class World:
    def __init__(
        self,
        *,
        prometheus: FakePrometheus | None = None,
        now: float = BEGIN,
        limit: int = 10,
        signals: int = 1,
        direction: Direction = "both",
        concurrency: int = 2,
    ) -> None:
        self.now = now
        self.prometheus = prometheus or FakePrometheus()
        self.bench = Bench(InHouse())
        lanes = Lanes(concurrency)
        settings = TrackerSettings("quantile", STEP, HISTORY, REFRESH, BUDGET, direction)
        shared = Shared(
            prometheus=self.prometheus,
            history=History(self.prometheus, lanes, self.bench),
            live=Lanes(4),
            bench=self.bench,
            room=Room(limit),
            unanswered=Unanswered(),
            labels=("model", "pool"),
            offset_seconds=2.0,
            wall_clock=lambda: self.now,
        )
        named = [Signal(f"s{n}", f"expression {n}", settings) for n in range(signals)]
        self.signals = Signals(named, shared)
        self.loop: SignalLoop = self.signals.loops[0]

    async def rounds(self, number: int, seconds: float = STEP) -> None:
        for _ in range(number):
            self.now += seconds
            await self.loop.round()

    def shown(self) -> dict[tuple[str, str], float]:
        return {
            (sample.metric.name.removeprefix("llm_signal_"), sample.labels[2]): float(sample.value)  # type: ignore[arg-type]
            for sample in self.signals.samples()
            if len(sample.labels) == 4
        }

    def models(self) -> set[str]:
        return {model for name, model in self.shown() if name == "value"}

    def told(self, metric, *labels: str) -> float:
        (value,) = (
            s.value for s in self.signals.samples() if (s.metric, s.labels) == (metric, labels)
        )
        assert isinstance(value, float | int)
        return value


async def learned(**how: object) -> World:
    world = World(**how)  # type: ignore[arg-type]
    assert await world.loop.backfill()
    return world


async def test_a_band_is_there_at_once_after_backfill() -> None:
    world = await learned()
    shown = world.shown()
    assert shown["lower", "a"] < shown["value", "a"] < shown["upper", "a"]
    assert shown["anomaly_score", "a"] < 1
    assert shown["age_seconds", "a"] == BEGIN % STEP + (0 if BEGIN % STEP >= 2 else STEP)
    assert shown["history_seconds", "a"] > HISTORY / 2
    assert shown["budget_alarms", "a"] == BUDGET
    assert ("backtest_alarms", "a") in shown
    assert world.told(catalog.BACKFILLING) == 0


async def test_before_its_history_is_read_a_signal_has_a_value_and_no_band() -> None:
    world = World()
    await world.rounds(1)
    assert {name for name, _ in world.shown()} == {
        "value", "age_seconds", "budget_alarms", "alarms_total"
    }  # fmt: skip
    assert world.told(catalog.BACKFILLING) == 1


async def test_points_are_asked_for_at_the_time_of_the_grid_a_little_later() -> None:
    world = await learned(now=BEGIN + 1)
    world.prometheus.instants.clear()
    for now in (BEGIN + 1.5, BEGIN + 2, BEGIN + 11.9, BEGIN + 12, BEGIN + 13):
        world.now = now
        await world.loop.round()
    assert world.prometheus.instants == [BEGIN, BEGIN + 10]


async def test_a_value_outside_its_band_is_an_alarm_once() -> None:
    world = await learned()
    world.prometheus.series[A] = lambda at: wave(at) + 100 * (at >= BEGIN + 50)
    await world.rounds(5)
    assert world.shown()["alarms_total", "a"] == 0
    await world.rounds(1)
    assert world.shown()["anomaly_score", "a"] >= 1
    await world.rounds(3)
    assert world.shown()["alarms_total", "a"] == 1


async def test_one_sided_signals_have_one_edge() -> None:
    shown = (await learned(direction="above")).shown()
    assert ("upper", "a") in shown
    assert ("lower", "a") not in shown


async def test_a_restart_gives_the_same_band_as_never_having_stopped() -> None:
    """At many times, around refreshes, with gaps, a series that comes and one that goes."""
    prometheus = FakePrometheus()
    prometheus.series = {
        A: lambda at: None if at % 700 < 60 else wave(at),
        B: lambda at: wave(at / 2) if at > BEGIN + 600 else None,
        (("model", "c"),): lambda at: wave(at * 3) if at < BEGIN + 300 else None,
    }
    ran = await learned(prometheus=prometheus)
    for _ in range(12):
        await ran.rounds(17)
        restarted = await learned(prometheus=prometheus, now=ran.now)
        assert restarted.loop.verdicts == ran.loop.verdicts
    assert {key[0] for key in ran.loop.verdicts} == {"a", "b"}


async def test_what_was_missed_while_prometheus_was_away_is_asked_for_afterwards() -> None:
    prometheus = FakePrometheus()
    ran = await learned(prometheus=prometheus)
    prometheus.broken = PromqlError("unreachable", "away")
    before = ran.shown()
    await ran.rounds(2)
    assert ran.shown()["age_seconds", "a"] == before["age_seconds", "a"] + 20
    assert ran.shown()["upper", "a"] == before["upper", "a"]
    await ran.rounds(4)
    assert set(ran.shown()) == {("age_seconds", "a")}
    assert ran.shown()["age_seconds", "a"] == before["age_seconds", "a"] + 60
    assert ran.told(catalog.UP, "s0") == 0
    assert ran.told(catalog.QUERY_ERRORS, "unreachable") == 6
    prometheus.broken = None
    await ran.rounds(1)
    assert ran.loop.verdicts == (await learned(prometheus=prometheus, now=ran.now)).loop.verdicts
    assert ran.told(catalog.UP, "s0") == 1


async def test_prometheus_away_at_start_is_tried_again_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(signals=3)
    world.prometheus.broken = PromqlError("unreachable", "away")
    world.now = time.time()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(world.signals.run())
        async with asyncio.timeout(60):
            while world.told(catalog.QUERY_ERRORS, "unreachable") < 7:
                await asyncio.sleep(0.05)
            world.prometheus.broken = None
            while world.signals.learned < 3:
                await asyncio.sleep(0.05)
        running.cancel()
    assert [r.message for r in caplog.records].count("no answer for a signal") == 1
    assert ("upper", "a") in world.shown()


async def test_a_series_that_is_gone_is_gone_at_once_and_known_when_it_comes_back() -> None:
    prometheus = FakePrometheus()
    world = await learned(prometheus=prometheus)
    prometheus.series[A] = lambda at: None if BEGIN < at <= BEGIN + 100 else wave(at)
    await world.rounds(5)
    assert set(world.shown()) == {("age_seconds", "a")}
    assert world.shown()["age_seconds", "a"] == 5 * STEP
    assert world.told(catalog.UP, "s0") == 1
    await world.rounds(8)
    assert ("upper", "a") in world.shown()
    assert (
        world.loop.verdicts == (await learned(prometheus=prometheus, now=world.now)).loop.verdicts
    )


async def test_a_renamed_series_vanishes_and_the_new_one_has_its_past() -> None:
    prometheus = FakePrometheus()
    world = await learned(prometheus=prometheus)
    prometheus.series = {B: wave}
    await world.rounds(1)
    assert world.models() == {"b"}


async def test_a_series_that_is_new_has_a_value_and_gets_a_band_with_time() -> None:
    world = await learned()
    world.prometheus.series[B] = lambda at: wave(at) if at > BEGIN else None
    await world.rounds(3)
    assert ("value", "b") in world.shown()
    assert ("upper", "b") not in world.shown()
    await world.rounds(round((HISTORY + REFRESH) / STEP))
    assert ("upper", "b") in world.shown()


async def test_the_grid_does_not_go_back_with_the_clock() -> None:
    world = await learned()
    await world.rounds(5)
    before, asked = dict(world.loop.verdicts), len(world.prometheus.instants)
    world.now -= 35
    await world.loop.round()
    assert (world.loop.verdicts, len(world.prometheus.instants)) == (before, asked)
    assert world.shown()["age_seconds", "a"] >= 0
    await world.rounds(6)
    again = await learned(prometheus=world.prometheus, now=world.now)
    assert world.loop.verdicts == again.loop.verdicts


@pytest.mark.parametrize("seconds", [-5000, 50_000], ids=["back", "forward"])
async def test_a_clock_that_is_set_by_much_has_the_past_read_anew(seconds: float) -> None:
    world = await learned()
    await world.rounds(1, seconds)
    assert not world.loop.learned
    assert await world.loop.backfill()
    again = await learned(prometheus=world.prometheus, now=world.now)
    assert world.loop.verdicts == again.loop.verdicts


async def test_series_that_the_labels_do_not_tell_apart_are_refused_with_one_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.prometheus.series |= {
        (("model", "b"), ("version", "1")): wave,
        (("model", "b"), ("version", "2")): wave,
    }
    await world.loop.backfill()
    await world.rounds(3)
    assert world.models() == {"a"}
    assert world.told(catalog.REFUSED, "s0", "ambiguous") == 1
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "series have the same model, pool; aggregate" in vars(record)["error"]


async def test_other_labels_that_tell_nothing_apart_are_dropped() -> None:
    found = values([Series((("instance", "x"), ("model", "a")), 1.0)], ("model", "pool"))
    assert found.known == {("a", ""): 1.0}


async def test_a_value_that_is_no_number_is_missing() -> None:
    world = await learned()
    world.prometheus.series[A] = lambda at: math.nan
    await world.rounds(1)
    assert world.models() == set()


async def test_series_beyond_the_limit_are_refused_and_counted() -> None:
    world = World(limit=2)
    world.prometheus.series = {(("model", name),): wave for name in "abcd"}
    await world.loop.backfill()
    await world.rounds(1)
    assert world.models() == {"a", "b"}
    assert world.told(catalog.REFUSED, "s0", "limit") == 2


async def test_the_limit_holds_before_the_past_is_known_and_while_it_is_read() -> None:
    world = World(limit=2)
    world.prometheus.series = {(("model", f"m{n}"),): wave for n in range(50)}
    gone: Labels = (("model", "gone"),)
    world.prometheus.series[gone] = lambda at: wave(at) if at < BEGIN - 500 else None
    world.prometheus.most_points = 51 * 40
    await world.rounds(1)
    assert world.models() == {"m0", "m1"}
    assert world.told(catalog.REFUSED, "s0", "limit") == 48
    columns = await world.loop._past(world.loop.signal.history(BEGIN))
    assert {("m0", ""), ("m1", "")} < columns.known.keys()
    assert len(columns.known) == 4
    await world.loop.backfill()
    assert world.models() == {"m0", "m1"}


async def test_a_past_that_is_not_answered_leaves_the_value_up_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    world.prometheus.most_points = 0
    for _ in range(3):
        await world.rounds(1)
        assert not await world.loop.backfill()
        assert world.told(catalog.UP, "s0") == 1
    assert [(r.message, vars(r)["asked"]) for r in caplog.records] == [
        ("no answer for a signal", "history")
    ]
    world.prometheus.most_points = MAX_POINTS * 10
    assert await world.loop.backfill()
    assert caplog.records[-1].message == "signal is answered again"


async def test_a_series_that_is_gone_makes_room_for_one_that_is_there() -> None:
    world = await learned(limit=1)
    world.prometheus.series = {B: wave}
    await world.rounds(1)
    assert world.models() == {"b"}


async def test_a_partial_answer_is_none() -> None:
    world = World()
    world.prometheus.warnings = ("a store is gone",)
    assert not await world.loop.backfill()
    assert world.told(catalog.QUERY_ERRORS, "partial") == 1
    assert world.told(catalog.UP, "s0") == 0
    assert not world.prometheus.spans


async def test_the_past_is_read_in_pieces_that_prometheus_can_give() -> None:
    prometheus = FakePrometheus()
    prometheus.most_points = 90
    world = await learned(prometheus=prometheus)
    whole = await learned()
    assert world.loop.verdicts == whole.loop.verdicts
    assert max(span.points for span in prometheus.spans[-3:]) <= 90


async def test_live_points_go_on_while_the_past_is_read() -> None:
    prometheus = FakePrometheus()
    world = World(prometheus=prometheus)
    prometheus.reading = asyncio.Event()
    backfill = asyncio.create_task(world.loop.backfill())
    while not prometheus.spans:
        await asyncio.sleep(0)
    for _ in range(4):
        await world.rounds(1)
        assert world.shown()["value", "a"] == wave(world.loop.verdicts["a", ""].at)
        assert ("upper", "a") not in world.shown()
    prometheus.reading.set()
    assert await backfill
    assert ("upper", "a") in world.shown()
    assert (
        world.loop.verdicts == (await learned(prometheus=prometheus, now=world.now)).loop.verdicts
    )


async def test_a_prometheus_that_is_too_slow_is_asked_for_less_and_then_left_alone() -> None:
    prometheus, bench, span = FakePrometheus(), Bench(InHouse()), Span(0, 39_990, 10)
    history = History(prometheus, Lanes(1), bench)
    prometheus.slower_than = 1200
    columns = Columns(span, ["model"])
    await history.read("x", columns)
    assert [each.points for each in prometheus.spans] == [4000, 2000, 1000, 1000, 1000, 1000]
    assert len(list(columns.points(("a",)))) == 4000
    prometheus.slower_than = 90
    prometheus.spans.clear()
    with pytest.raises(PromqlError, match="slow"):
        await history.read("x", Columns(span, ["model"]))
    assert [each.points for each in prometheus.spans] == [4000, 2000, 1000, 500]
    bench.close()


async def test_no_more_questions_at_a_time_than_there_are_lanes() -> None:
    prometheus = FakePrometheus()
    prometheus.seconds = 0.01
    world = World(prometheus=prometheus, signals=12, concurrency=3)
    await asyncio.gather(*(loop.backfill() for loop in world.signals.loops))
    assert world.signals.learned == 12
    assert prometheus.most_at_once == 3


async def test_a_lane_rests_as_long_as_the_answer_took() -> None:
    lanes, begun = Lanes(1, rest_ratio=1.0), time.monotonic()
    for _ in range(2):
        await lanes.ask(lambda: asyncio.sleep(0.2))
    assert time.monotonic() - begun >= 0.6


async def test_a_refresh_says_what_the_budget_would_have_fired(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = await learned()
    await world.rounds(round(REFRESH / STEP))
    (record,) = [record for record in caplog.records if record.message == "threshold set anew"]
    assert vars(record)["series"] == "a"
    assert vars(record)["would_have_fired"] >= 0


async def test_a_child_learns_what_we_would_and_one_that_was_killed_is_started_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = TrackerSettings("quantile", STEP, HISTORY, REFRESH, 7.0)
    span = Span(BEGIN - 4000, BEGIN, STEP)
    values = array("d", map(wave, map(span.at, range(span.points))))
    task = Learn(settings, "x", span, values)
    child, expected = Child(), task.run().latest
    for _ in range(2):
        assert child.run(task).latest == expected
    assert child._child
    child._child.send_signal(signal.SIGTERM)  # as systemd sends to all of us
    assert child.run(task).latest == expected
    child._child.kill()
    assert child.run(task).latest == expected
    assert [record.message for record in caplog.records] == ["working without a child"]
    assert child.run(task).latest == expected
    process = child._child
    assert process
    child.rest()
    assert process.poll() is not None


async def test_the_child_ends_when_there_is_nothing_to_learn() -> None:
    child = Child()
    bench = Bench(child, idle_seconds=0.05)
    settings = TrackerSettings("quantile", STEP, HISTORY, REFRESH, 7.0)
    await bench.learn(Learn(settings, "x", Span(0, 10, 10), array("d", [1.0, 2.0])))
    async with asyncio.timeout(60):
        while child._child:
            await asyncio.sleep(0.01)
    bench.close()


async def test_two_series_of_one_name_at_different_times_are_one() -> None:
    columns = Columns(Span(0, 30, 10), ("model",))
    first: Labels = (("model", "a"), ("instance", "x"))
    second: Labels = (("model", "a"), ("instance", "y"))
    columns.add([RangeSeries(first, ((0.0, 1.0), (10.0, 2.0)))])
    columns.add(
        [RangeSeries(first, ((20.0, 3.0),)), RangeSeries(second, ((20.0, 3.5), (30.0, 4.0)))]
    )
    assert list(columns.points(("a",))) == [(0.0, 1.0), (10.0, 2.0), (30.0, 4.0)]
    assert columns.ambiguous == {("a",)}


def test_a_span_counts_its_points_and_finds_them() -> None:
    span = Span(100.0, 130.0, 10.0)
    assert (span.points, span.at(3), span.index(119.0)) == (4, 130.0, 2)
    assert Span(110.0, 100.0, 10.0).points == 0
