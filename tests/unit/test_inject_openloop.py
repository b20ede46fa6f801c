"""Arrivals never wait for answers; nothing is lost count of."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from tidegauge.inject.openloop import Limits, OpenLoop
from tidegauge.inject.plan import Planned
from tidegauge.inject.prompts import Prompt
from tidegauge.inject.result import Outcome, Result
from tidegauge.inject.summary import Tally, latency

Send = Callable[[Planned], Awaitable[Result]]


def every(seconds: float, *, count: int) -> list[Planned]:
    return [Planned(n * seconds, "chat", Prompt("Hello?", 4), stream=True) for n in range(count)]


def ended(
    outcome: Outcome, *, at: float = 0.0, seconds: float = 0.5, tokens: int | None = None
) -> Result:
    return Result(at, "chat", stream=True, outcome=outcome, duration_seconds=seconds, tokens=tokens)


def answers_after(seconds: float) -> Send:
    async def send(planned: Planned) -> Result:
        await asyncio.sleep(seconds)
        return ended("ok", at=planned.at_seconds, seconds=seconds)

    return send


async def run(
    send: Send, planned: list[Planned], *, in_flight: int = 100, stop_after: float | None = None
) -> tuple[list[Result], float]:
    clock = asyncio.get_running_loop().time
    stop, results, started = asyncio.Event(), [], clock()
    limits = Limits(in_flight, grace_seconds=0.05)
    loop = OpenLoop(send, results.append, limits=limits, clock=clock, started=started)
    if stop_after is not None:
        asyncio.get_running_loop().call_later(stop_after, stop.set)
    await loop.run(planned, stop=stop)
    return results, clock() - started


def outcomes(results: list[Result]) -> Counter[str]:
    return Counter(result.outcome for result in results)


async def test_slow_answers_do_not_slow_arrivals() -> None:
    sent_at: list[float] = []
    clock = asyncio.get_running_loop().time
    slow = answers_after(0.5)

    async def send(planned: Planned) -> Result:
        sent_at.append(clock())
        return await slow(planned)

    results, took = await run(send, every(0.01, count=30))
    assert outcomes(results) == {"ok": 30}
    assert sent_at[-1] - sent_at[0] < 0.45, "all left before the first was answered"
    assert took < 2, "a closed loop would have taken fifteen seconds"


async def test_too_many_in_flight_are_shed_and_counted() -> None:
    results, _ = await run(answers_after(0.3), every(0.005, count=20), in_flight=5)
    assert outcomes(results) == {"ok": 5, "shed": 15}


async def test_a_stop_waits_a_little_and_abandons_what_is_late() -> None:
    results, took = await run(answers_after(30), every(0.02, count=1000), stop_after=0.1)
    assert outcomes(results).keys() == {"abandoned"}
    assert 1 <= len(results) < 20
    assert took < 2


async def test_a_stop_while_waiting_for_the_last_answers_is_heard() -> None:
    results, took = await run(answers_after(30), every(0, count=3), stop_after=0.1)
    assert outcomes(results) == {"abandoned": 3}
    assert took < 2


async def test_a_fault_of_our_own_is_raised_and_not_swallowed() -> None:
    async def send(planned: Planned) -> Result:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run(send, every(0.01, count=1000))


def test_a_summary_counts_each_request_once() -> None:
    tally = Tally()
    for outcome in ("ok", "ok", "cut", "timeout", "shed", "abandoned"):
        tally.add(ended(outcome, tokens=8 if outcome == "ok" else None))
    summary = tally.summary()
    assert (summary.due, summary.sent, summary.ok) == (6, 5, 2)
    assert summary.failed == {"cut": 1, "timeout": 1}
    assert (summary.shed, summary.abandoned, summary.tokens) == (1, 1, 16)
    assert not summary.all_ok


def test_a_run_without_answers_has_no_latency_rather_than_zero() -> None:
    summary = Tally().summary()
    assert (summary.duration, summary.first_token, summary.tokens) == (None, None, None)
    assert latency([]) is None


def test_shed_requests_are_not_all_well() -> None:
    tally = Tally()
    tally.add(ended("shed"))
    assert not tally.summary().all_ok
