"""The face of `tidegauge control`: its series, its landing page, and service discovery."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from aiohttp import web

from tidegauge.autoscale import policy
from tidegauge.catalog import control as catalog
from tidegauge.control.loop import PoolLoop, Round
from tidegauge.control.signals.signals import Signals
from tidegauge.samples import Sample
from tidegauge.web import Face, State

_PHASES = ("starting", "serving", "draining", "stopping")


def face(
    loops: Sequence[PoolLoop],
    signals: Signals | None = None,
    *,
    own: Callable[[], Sequence[Sample]] = tuple,
) -> Face:
    """What the controller shows of pools and signals; `own` are samples of the program itself."""

    async def discovery(_: web.Request) -> web.Response:
        # Until every pool was seen once, an answer would have Prometheus drop what it scrapes.
        if any(loop.last is None for loop in loops):
            return web.Response(status=503, text="not every pool has been seen yet\n")
        return web.json_response(targets(loops))

    return Face(
        title="tidegauge control",
        samples=lambda: (
            *(sample for loop in loops for sample in _samples(loop)),
            *(signals.samples() if signals else ()),
            *own(),
        ),
        states=lambda: (
            *(_state(loop) for loop in loops),
            *([signals.state()] if signals else []),
        ),
        ready=lambda: all(loop.last is not None for loop in loops),
        pages={"/sd": discovery},
    )


def targets(loops: Sequence[PoolLoop]) -> list[dict[str, object]]:
    """Prometheus http_sd target groups: one per replica, with its pool and name as labels."""
    return [
        {"targets": [replica.scrape], "labels": {"pool": loop.name, "replica": replica.name}}
        for loop in loops
        if loop.last
        for replica in loop.last.replicas
        if replica.phase != "stopping"
    ]


def _samples(loop: PoolLoop) -> Iterator[Sample]:
    pool = loop.name
    yield Sample(catalog.MINIMUM, loop.policy.minimum, (pool,))
    yield Sample(catalog.MAXIMUM, loop.policy.maximum, (pool,))
    yield Sample(catalog.CAPACITY, loop.policy.capacity, (pool,))
    yield Sample(catalog.DRY_RUN, float(loop.dry_run), (pool,))
    for direction in policy.DIRECTIONS:
        for reason in policy.REASONS:
            count = loop.decisions[direction, reason]
            yield Sample(catalog.DECISIONS, count, (pool, direction, reason))
    for metric, counts in (
        (catalog.REPLICA_FAILURES, loop.failures()),
        (catalog.PART_RESTARTS, loop.restarts()),
        (catalog.QUERY_ERRORS, loop.query_errors()),
        (catalog.ACTION_ERRORS, loop.action_errors),
    ):
        for label, count in counts.items():
            yield Sample(metric, count, (pool, label))
    if loop.last:
        yield from _round(pool, loop.last)


def _round(pool: str, last: Round) -> Iterator[Sample]:
    yield Sample(catalog.LAST_TICK, last.at, (pool,))
    yield Sample(catalog.DESIRED, last.decision.replicas, (pool,))
    yield Sample(catalog.READY, last.ready, (pool,))
    if last.demand.value is not None:
        yield Sample(catalog.DEMAND, last.demand.value, (pool,))
    phases = Counter("draining" if r.name in last.draining else r.phase for r in last.replicas)
    for phase in _PHASES:
        yield Sample(catalog.REPLICAS, phases[phase], (pool, phase))


def _state(loop: PoolLoop) -> State:
    if loop.last is None:
        return State(loop.name, well=False, note="no round yet")
    well = loop.last.ready >= loop.last.decision.replicas
    return State(loop.name, well=well, note=loop.last.decision.why)
