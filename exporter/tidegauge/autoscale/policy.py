"""How many replicas a pool should have, and why.

No clock, no network, no logging: same arguments, same answer. The laws, each a property test:
the answer is within the bounds, but for a pool above its maximum that untrusted data would shrink;
unknown, partial or stale data never shrinks a pool; a pool shrinks only after a whole stabilisation
window of known demand.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

Direction = Literal["up", "down", "hold"]
Reason = Literal[
    "demand",  # demand asks for this size
    "steady",  # the size fits
    "stabilizing",  # demand asks for another size, not yet for long enough
    "at_maximum",  # demand asks for more than the upper bound
    "bounds",  # the size was outside the configured bounds
    "demand_unknown",  # no usable answer: hold
    "partial_data",  # fewer replicas report than should: no shrinking
    "none_ready",  # nothing serves, so low demand means nothing: no shrinking
]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Policy:
    """Bounds, what one replica carries, and how calm to be about it.

    `capacity` is in the unit of demand. `tolerance` is a share: a pool of n grows when demand
    passes n · capacity · (1 + tolerance), and shrinks to m < n when it is below
    m · capacity · (1 - tolerance), so that demand at an edge does not make it flap. Two rounds
    further apart than `gap_seconds` leave a hole in what is known.
    """

    minimum: int
    maximum: int
    capacity: float
    tolerance: float = 0.1
    up_stabilization_seconds: float = 0.0
    down_stabilization_seconds: float = 300.0
    gap_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known at `now` (seconds). None means unknown, which is not zero.

    `replicas` is the size asked for last (or found, after a start), `ready` how many of them
    serve and receive traffic, `reporting` how many are counted in `demand` with fresh measurements,
    `expected` how many should be: those that ever served, the unhealthy and draining included.
    """

    now: float
    replicas: int
    ready: int
    demand: float | None
    reporting: int | None
    expected: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Sizes that demand asked for, (time, size), oldest first, and since when without a gap."""

    since: float | None = None
    wishes: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The size to have. `reason` is bounded, for a label; `why` is for people."""

    replicas: int
    direction: Direction
    reason: Reason
    why: str


def decide(policy: Policy, seen: Seen, memory: Memory) -> tuple[Decision, Memory]:
    """The size to have now, and what to remember for the next time."""
    if seen.demand is None:
        # Blind for a moment means that the stabilisation window is not known whole: start over.
        floor = max(seen.replicas, policy.minimum)
        reason: Reason = "demand_unknown" if floor == seen.replicas else "bounds"
        return _decision(seen, floor, reason, "demand is unknown"), Memory()
    wish = wanted(policy, seen.replicas, seen.demand)
    blocked = _blocked(seen)
    kept = max(wish, seen.replicas) if blocked else wish
    memory = _remember(policy, seen.now, kept, memory)
    size = _stabilized(policy, seen, memory)
    why = f"demand {seen.demand:.3g} over {policy.capacity:.3g} per replica asks for {wish}"
    reason = _reason(policy, seen, wish=wish, size=size, blocked=blocked)
    return _decision(seen, size, reason, why), memory


def wanted(policy: Policy, replicas: int, demand: float) -> int:
    """The size that `demand` asks for, unstabilised: ceil(demand / capacity) with a dead band.

    >>> policy = Policy(minimum=1, maximum=9, capacity=4, tolerance=0.1)
    >>> [wanted(policy, 2, demand) for demand in (3.5, 3.7, 8.7, 8.9, 99)]
    [1, 2, 2, 3, 9]
    """
    if demand > replicas * policy.capacity * (1 + policy.tolerance):
        size = math.ceil(demand / policy.capacity)
    else:
        fewest = math.ceil(demand / (policy.capacity * (1 - policy.tolerance)))
        size = min(replicas, fewest)
    return min(max(size, policy.minimum), policy.maximum)


def _blocked(seen: Seen) -> Reason | None:
    if seen.ready == 0:
        return "none_ready"
    if seen.reporting is None or seen.reporting < seen.expected:
        return "partial_data"
    return None


def _remember(policy: Policy, now: float, wish: int, memory: Memory) -> Memory:
    if memory.wishes and not 0 <= now - memory.wishes[-1][0] <= policy.gap_seconds:
        memory = Memory()  # the machine slept, say, or what was remembered lies in the future
    horizon = max(policy.up_stabilization_seconds, policy.down_stabilization_seconds)
    recent = tuple((at, size) for at, size in memory.wishes if at > now - horizon)
    since = now if memory.since is None else memory.since
    return Memory(since, (*recent, (now, wish)))


def _stabilized(policy: Policy, seen: Seen, memory: Memory) -> int:
    lowest = min(_within(memory, seen.now - policy.up_stabilization_seconds))
    highest = max(_within(memory, seen.now - policy.down_stabilization_seconds))
    inside = min(max(seen.replicas, policy.minimum), policy.maximum)
    if lowest > inside and _covered(memory, seen.now, policy.up_stabilization_seconds):
        return lowest
    if highest < inside and _covered(memory, seen.now, policy.down_stabilization_seconds):
        return highest
    # Above the maximum (it was lowered), a pool still shrinks only on trusted data.
    return seen.replicas if _blocked(seen) and inside < seen.replicas else inside


def _within(memory: Memory, start: float) -> list[int]:
    return [size for at, size in memory.wishes if at > start] or [memory.wishes[-1][1]]


def _covered(memory: Memory, now: float, seconds: float) -> bool:
    return memory.since is not None and now - memory.since >= seconds


def _reason(policy: Policy, seen: Seen, *, wish: int, size: int, blocked: Reason | None) -> Reason:
    if size != seen.replicas:
        inside = min(max(seen.replicas, policy.minimum), policy.maximum)
        return "bounds" if inside != seen.replicas and size == inside else "demand"
    if blocked and wish < seen.replicas:
        return blocked
    if wish != seen.replicas:
        return "stabilizing"
    over = (seen.demand or 0) > size * policy.capacity * (1 + policy.tolerance)
    return "at_maximum" if over else "steady"


def _decision(seen: Seen, size: int, reason: Reason, why: str) -> Decision:
    direction: Direction = "hold"
    if size != seen.replicas:
        direction = "up" if size > seen.replicas else "down"
    ready = f"{seen.ready} of {seen.replicas} ready"
    reporting = "unknown" if seen.reporting is None else str(seen.reporting)
    text = f"{direction}: {why}; {ready}, {reporting} of {seen.expected} reporting ({reason})"
    return Decision(size, direction, reason, text)
