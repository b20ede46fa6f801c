from tidegauge.control.plan import Plan, plan
from tidegauge.control.pools.pool import Replica
from tidegauge.control.routes.route import Member

NOW, CAP = 1000.0, 60.0


def replica(name: str, phase="serving", *, healthy: bool | None = None) -> Replica:
    well = phase == "serving" if healthy is None else healthy
    return Replica(name, phase, well, f"127.0.0.1:{ord(name[0])}", "127.0.0.1:1")


def member(name: str, state="ready", *, up: bool = True, connections: int = 0) -> Member:
    return Member(name, f"127.0.0.1:{ord(name[0])}", state, up, connections)


def steps(desired: int, replicas, members, draining=None) -> Plan:
    return plan(desired, replicas, members, draining or {}, now=NOW, drain_cap_seconds=CAP)


def test_an_empty_pool_starts_what_is_wanted() -> None:
    assert steps(2, [], []) == Plan(size=2)


def test_a_starting_replica_is_not_admitted_and_not_started_again() -> None:
    assert steps(1, [replica("a", "starting")], []) == Plan(size=1)


def test_a_healthy_replica_is_admitted_once() -> None:
    assert steps(1, [replica("a")], []).admit == (replica("a"),)
    assert steps(1, [replica("a")], [member("a")]).admit == ()


def test_a_route_that_has_forgotten_its_members_is_told_again() -> None:
    replicas = [replica("a"), replica("b")]
    assert steps(2, replicas, []).admit == tuple(replicas)


def test_a_server_left_in_maintenance_by_a_killed_controller_is_admitted() -> None:
    assert steps(1, [replica("a")], [member("a", "maint")]).admit == (replica("a"),)


def test_shrinking_drains_the_one_with_least_under_way() -> None:
    replicas = [replica("a"), replica("b"), replica("c")]
    members = [member("a", connections=1), member("b", connections=4), member("c", connections=2)]
    found = steps(2, replicas, members)
    assert found.drain == ("a",)
    assert (found.size, found.victims, found.remove) == (3, (), ())
    assert found.draining == {"a": NOW}


def test_shrinking_lets_go_of_what_does_not_serve_yet_first() -> None:
    replicas = [replica("a"), replica("b", "starting")]
    found = steps(1, replicas, [member("a")])
    assert (found.victims, found.size, found.drain) == (("b",), 1, ())


def test_a_draining_replica_with_open_requests_is_left_alone() -> None:
    members = [member("a"), member("b", "drain", connections=1)]
    found = steps(1, [replica("a"), replica("b")], members, {"b": NOW - 10})
    assert (found.remove, found.victims, found.size, found.drain) == ((), (), 2, ())


def test_a_drained_replica_leaves_the_route_before_it_is_stopped() -> None:
    members = [member("a"), member("b", "drain")]
    found = steps(1, [replica("a"), replica("b")], members, {"b": NOW - 10})
    assert (found.remove, found.victims, found.size) == (("b",), ("b",), 1)


def test_no_connections_before_the_drain_is_confirmed_is_no_leave_to_stop() -> None:
    found = steps(1, [replica("a"), replica("b")], [member("a"), member("b")], {"b": NOW - 1})
    assert (found.drain, found.victims) == (("b",), ())


def test_the_cap_ends_a_drain_that_does_not_end_by_itself() -> None:
    members = [member("a"), member("b", "drain", connections=3)]
    found = steps(1, [replica("a"), replica("b")], members, {"b": NOW - CAP})
    assert (found.remove, found.victims) == (("b",), ("b",))


def test_a_restarted_controller_goes_on_with_a_drain_that_the_route_knows_of() -> None:
    members = [member("a"), member("b", "drain", connections=1)]
    found = steps(1, [replica("a"), replica("b")], members)
    assert (found.draining, found.victims, found.admit) == ({"b": NOW}, (), ())


def test_a_draining_replica_is_taken_back_rather_than_a_new_one_started() -> None:
    members = [member("a"), member("b", "drain", connections=1)]
    found = steps(2, [replica("a"), replica("b")], members, {"b": NOW - 10})
    assert (found.admit, found.size, found.draining) == ((replica("b"),), 2, {})


def test_the_dead_and_the_unknown_leave_the_route() -> None:
    members = [member("a"), member("b"), member("x")]
    found = steps(2, [replica("a"), replica("b", "stopping")], members)
    assert (found.remove, found.size, found.victims) == (("b", "x"), 2, ())


def test_while_the_route_is_mute_replicas_may_start_and_none_stops() -> None:
    replicas = [replica("a"), replica("b"), replica("c")]
    assert steps(1, replicas, None) == Plan(size=3)
    assert steps(4, replicas, None) == Plan(size=4)


def test_a_draining_replica_that_is_down_and_idle_has_nothing_to_wait_for() -> None:
    members = [member("a"), member("b", up=False)]
    found = steps(1, [replica("a"), replica("b")], members, {"b": NOW - 1})
    assert (found.remove, found.victims) == (("b",), ("b",))


def test_a_draining_replica_that_the_route_forgot_may_still_be_answering() -> None:
    replicas = [replica("a"), replica("b")]
    assert steps(1, replicas, []).victims == (), "a reload and a shrink in one round"
    assert steps(1, replicas, [member("a")], {"b": NOW - 1}).victims == ()
    assert steps(1, replicas, [member("a")], {"b": NOW - CAP}).victims == ("b",)
