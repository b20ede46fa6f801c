"""From what runs, what is routed and the size to have, to the next steps.

No clock, no network, no logging: same arguments, same answer. Each round looks at the world anew
and plans only what is safe to do now, so a controller that was killed between two steps, or a
route that has forgotten its members, needs no case of its own.

    start -> healthy -> admit
    drain -> no connections, or the cap -> remove -> stop
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tidegauge.control.pools.pool import Phase, Replica
from tidegauge.control.routes.route import Member


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which they are taken.

    `size` and `victims` are for Pool.resize; `draining` is what to remember: since when (seconds)
    each replica has been draining.
    """

    admit: tuple[Replica, ...] = ()
    drain: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    size: int = 0
    victims: tuple[str, ...] = ()
    draining: Mapping[str, float] = field(default_factory=dict)


def plan(
    desired: int,
    replicas: Sequence[Replica],
    members: Sequence[Member] | None,
    draining: Mapping[str, float],
    *,
    now: float,
    drain_cap_seconds: float,
) -> Plan:
    """The next steps towards `desired` replicas that serve.

    `members` is None while the route cannot be asked: then replicas may start, and none stops.
    """
    running = [replica for replica in replicas if replica.phase != "stopping"]
    if members is None:
        return Plan(size=max(desired, len(running)), draining=draining)
    phases = {replica.name: replica.phase for replica in running}
    routed = {member.name: member for member in members}
    leaving = _leaving(running, routed, draining, now=now)
    staying = [replica for replica in running if replica.name not in leaving]
    while leaving and len(staying) < desired:  # wanted again: whoever began to leave last stays
        name = max(leaving, key=lambda name: (leaving[name], name))
        del leaving[name]
        staying += [replica for replica in running if replica.name == name]
    for replica in _superfluous(staying, routed, desired):
        leaving[replica.name] = now
        staying.remove(replica)
    gone = tuple(
        name
        for name, since in leaving.items()
        if now - since >= drain_cap_seconds
        or _is_drained(routed.get(name), phases[name], remembered=name in draining)
    )
    names = phases.keys()
    return Plan(
        admit=tuple(r for r in staying if r.healthy and _unrouted(routed.get(r.name))),
        drain=tuple(
            name
            for name in leaving
            if name not in gone and name in routed and routed[name].state == "ready"
        ),
        remove=tuple(name for name in routed if name in gone or name not in names),
        size=max(desired, len(running) - len(gone)),
        victims=gone,
        draining=leaving,
    )


def _leaving(
    running: Sequence[Replica],
    routed: Mapping[str, Member],
    draining: Mapping[str, float],
    *,
    now: float,
) -> dict[str, float]:
    """Replicas on their way out: those remembered, and those that the route says drain."""
    return {
        replica.name: draining.get(replica.name, now)
        for replica in running
        if replica.name in draining
        or (replica.name in routed and routed[replica.name].state == "drain")
    }


def _superfluous(
    staying: Sequence[Replica], routed: Mapping[str, Member], desired: int
) -> list[Replica]:
    """Whom to let go: first who does not serve, then who has least under way, then the youngest."""

    def cost(place: int) -> tuple[bool, int, int]:
        replica = staying[place]
        member = routed.get(replica.name)
        return replica.healthy, member.connections if member else 0, -place

    order = sorted(range(len(staying)), key=cost)
    return [staying[place] for place in order[: max(0, len(staying) - desired)]]


def _is_drained(member: Member | None, phase: Phase, *, remembered: bool) -> bool:
    """Whether nothing is under way on a leaving replica.

    One that is starting was never routed. One that serves and that the route does not know may
    still be answering behind a HAProxy that was reloaded.
    """
    if member is None:
        return phase == "starting"
    sent_away = member.state != "ready" or (remembered and not member.up)
    return sent_away and member.connections == 0


def _unrouted(member: Member | None) -> bool:
    return member is None or member.state != "ready"
