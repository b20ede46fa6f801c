from hypothesis import given
from hypothesis import strategies as st

from tidegauge.autoscale.policy import Memory, Policy, Seen, decide

demands = st.none() | st.floats(0, 1000)
policies = st.builds(
    lambda low, extra, **rest: Policy(minimum=low, maximum=low + extra, **rest),
    st.integers(0, 5),
    st.integers(1, 10),
    capacity=st.floats(0.1, 100),
    tolerance=st.floats(0, 0.9),
    up_stabilization_seconds=st.floats(0, 100),
    down_stabilization_seconds=st.floats(0, 600),
)
moments = st.lists(
    st.tuples(st.floats(0.1, 200), demands, st.none() | st.integers(0, 20), st.integers(0, 20)),
    min_size=1,
    max_size=40,
)


@given(policies, moments, st.integers(0, 20))
def test_bounds_hold_and_bad_data_never_shrinks(policy, steps, replicas) -> None:
    memory, now = Memory(), 0.0
    for pause, demand, reporting, ready in steps:
        now += pause
        seen = Seen(now, replicas, min(ready, replicas), demand, reporting, expected=ready)
        decision, memory = decide(policy, seen, memory)
        assert decision.replicas >= policy.minimum
        trusted = (
            demand is not None and reporting is not None and reporting >= ready and seen.ready > 0
        )
        if not trusted:
            assert decision.replicas >= replicas
        else:
            assert decision.replicas <= policy.maximum
        replicas = decision.replicas


@given(policies, moments, st.integers(0, 20))
def test_a_pool_shrinks_only_after_a_whole_window_of_known_demand(policy, steps, replicas) -> None:
    memory, now, since = Memory(), 0.0, None
    for pause, demand, reporting, ready in steps:
        now += pause
        since = None if demand is None else (now if since is None else since)
        inside = replicas <= policy.maximum
        decision, memory = decide(
            policy, Seen(now, replicas, min(ready, replicas), demand, reporting, ready), memory
        )
        if decision.replicas < replicas and inside:
            assert since is not None
            assert now - since >= policy.down_stabilization_seconds
        replicas = decision.replicas


@given(policies, st.floats(0, 1000))
def test_constant_demand_settles_and_stays(policy, demand) -> None:
    memory, replicas, seen_sizes = Memory(), policy.minimum, []
    for tick in range(80):
        seen = Seen(tick * 10.0, replicas, max(replicas, 1), demand, 99, replicas)
        decision, memory = decide(policy, seen, memory)
        replicas = decision.replicas
        seen_sizes.append(replicas)
    assert len(set(seen_sizes[65:])) == 1
