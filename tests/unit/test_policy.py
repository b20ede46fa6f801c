import pytest

from tidegauge.autoscale.policy import Decision, Memory, Policy, Seen, decide

POLICY = Policy(
    minimum=1, maximum=4, capacity=10, tolerance=0.1, down_stabilization_seconds=60, gap_seconds=100
)


def run(steps, policy: Policy = POLICY, replicas: int = 1) -> list[Decision]:
    """Decisions for (now, demand) or (now, demand, reporting) steps, everything ready."""
    memory, decisions = Memory(), []
    for now, demand, *reporting in steps:
        counted = reporting[0] if reporting else replicas
        seen = Seen(now, replicas, replicas, demand, counted, expected=replicas)
        decision, memory = decide(policy, seen, memory)
        decisions.append(decision)
        replicas = decision.replicas
    return decisions


def sizes(decisions: list[Decision]) -> list[int]:
    return [decision.replicas for decision in decisions]


@pytest.mark.parametrize(
    "steps,expected",
    [
        pytest.param([(0, 5)], [1], id="demand that fits changes nothing"),
        pytest.param([(0, 10.9)], [1], id="a little over capacity is tolerated"),
        pytest.param([(0, 11.1)], [2], id="beyond the tolerance it grows at once"),
        pytest.param([(0, 35)], [4], id="it grows in one step to what demand asks for"),
        pytest.param([(0, 500)], [4], id="never past the maximum"),
        pytest.param(
            [(0, 35), (30, 5), (59, 5), (60, 5), (61, 5)],
            [4, 4, 4, 1, 1],
            id="it shrinks after a whole window of low demand",
        ),
        pytest.param(
            [(0, 35), (30, 5), (80, 15), (91, 5), (141, 5)],
            [4, 4, 2, 2, 1],
            id="it shrinks to the highest size asked for in the window",
        ),
        pytest.param(
            [(0, 35), (50, 5), (80, None), (111, 5), (140, 5), (171, 5)],
            [4, 4, 4, 4, 4, 1],
            id="a blind moment starts the window over",
        ),
        pytest.param(
            [(0, 35), (30, 5, 3), (61, 5, 3), (122, 5, 3)],
            [4, 4, 4, 4],
            id="partial data never shrinks",
        ),
        pytest.param(
            [(0, 35), (30, 5, None), (91, 5, None)],
            [4, 4, 4],
            id="an unknown number of reporting replicas never shrinks",
        ),
        pytest.param([(0, 35, 0)], [4], id="partial data may grow"),
    ],
)
def test_sizes_follow_demand(steps, expected) -> None:
    assert sizes(run(steps)) == expected


def test_a_clock_set_back_starts_the_window_over() -> None:
    assert sizes(run([(1000, 35), (500, 5), (559, 5), (560, 5)])) == [4, 4, 4, 1]


def test_a_hole_between_rounds_starts_the_window_over() -> None:
    assert sizes(run([(0, 35), (30, 30), (131, 0), (190, 0), (191, 0)])) == [4, 4, 4, 4, 1]


def test_growth_waits_for_its_stabilisation_window() -> None:
    calm = Policy(minimum=1, maximum=4, capacity=10, up_stabilization_seconds=30)
    assert sizes(run([(0, 35), (29, 25), (30, 35), (61, 35)], calm)) == [1, 1, 3, 4]


@pytest.mark.parametrize(
    "seen,direction,reason",
    [
        pytest.param(Seen(0, 2, 2, None, 2, 2), "hold", "demand_unknown", id="no answer"),
        pytest.param(Seen(0, 0, 0, None, 0, 0), "up", "bounds", id="below the minimum, blind"),
        pytest.param(Seen(0, 9, 9, None, 9, 9), "hold", "demand_unknown", id="above it, blind"),
        pytest.param(Seen(0, 9, 9, 60, 9, 9), "down", "bounds", id="above the maximum"),
        pytest.param(Seen(0, 9, 9, 60, 8, 9), "hold", "partial_data", id="above it, partial"),
        pytest.param(Seen(0, 2, 0, 0, 2, 2), "hold", "none_ready", id="nothing serves"),
        pytest.param(Seen(0, 2, 2, 1, 1, 2), "hold", "partial_data", id="one is not counted"),
        pytest.param(
            Seen(0, 3, 3, 1, reporting=3, expected=4),
            "hold",
            "partial_data",
            id="a draining one that reports does not stand in for one that does not",
        ),
        pytest.param(
            Seen(0, 3, 1, 1, reporting=1, expected=3),
            "hold",
            "partial_data",
            id="the unhealthy do not report, and are expected to",
        ),
        pytest.param(Seen(0, 2, 2, 1, 2, 2), "hold", "stabilizing", id="low, not for long"),
        pytest.param(Seen(0, 4, 4, 99, 4, 4), "hold", "at_maximum", id="more than can be had"),
        pytest.param(Seen(0, 2, 2, 15, 2, 2), "hold", "steady", id="it fits"),
        pytest.param(Seen(0, 2, 2, 35, 2, 2), "up", "demand", id="more is asked for"),
    ],
)
def test_a_decision_says_why(seen: Seen, direction: str, reason: str) -> None:
    decision, _ = decide(POLICY, seen, Memory())
    assert (decision.direction, decision.reason) == (direction, reason)
    assert decision.why.startswith(f"{direction}: ")
    assert decision.why.endswith(f"({reason})")
