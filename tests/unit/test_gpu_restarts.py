"""When the child is started anew, and how long that waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.sources.gpu.backoff import Backoff
from tidegauge.sources.gpu.protocol import DeviceState, End, State, Trouble
from tidegauge.sources.gpu.restarts import REASONS, STEADY_SECONDS, Limits, Restarts


def sick(trouble: Trouble, seconds: float) -> State:
    well = DeviceState(0, ("0", "a"), 1.0)
    return State(1.0, (well, DeviceState(1, ("1", "b"), None, trouble, seconds)))


@pytest.mark.parametrize(
    "state,expected",
    [
        pytest.param(State(1.0), None, id="nothing yet"),
        pytest.param(State(1.0, opening_seconds=29), None, id="NVML may take its time"),
        pytest.param(State(1.0, opening_seconds=31), "hung", id="but not for ever"),
        pytest.param(sick("hung", 29), None, id="a device hangs, the others are read"),
        pytest.param(sick("hung", 31), "hung", id="for too long"),
        pytest.param(sick("lost", 31), "lost", id="lost for long: a new process may find it"),
        pytest.param(sick("failed", 3000), None, id="calls that fail are no reason"),
        pytest.param(sick("forbidden", 3000), None, id="somebody else's device is none"),
        pytest.param(State(1.0, end=End("mig", "")), "mig", id="it ends by itself"),
    ],
)
def test_why_a_child_has_to_end(state: State, expected: str | None) -> None:
    assert Restarts(Limits()).verdict(state) == expected


def test_a_device_that_hangs_again_is_borne_longer_each_time() -> None:
    restarts = Restarts(Limits(hung_seconds=30, longest_seconds=300))
    patience = []
    for _ in range(6):
        bears = next(s for s in range(1000) if restarts.verdict(sick("hung", s)))
        patience.append(bears - 1)
        assert restarts.after("hung", lived_seconds=bears) == 0, "others are not kept waiting"
    assert patience == [30, 60, 120, 240, 300, 300]
    restarts.after("hung", lived_seconds=STEADY_SECONDS)
    assert restarts.verdict(sick("hung", 61)) == "hung", "it was well for long"


def test_deaths_wait_longer_each_time_and_absence_up_to_a_minute() -> None:
    restarts = Restarts(Limits())
    deaths = [restarts.after("exited", lived_seconds=1) for _ in range(10)]
    assert deaths == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    absences = [restarts.after("unavailable", lived_seconds=1) for _ in range(8)]
    assert absences == [1, 2, 4, 8, 16, 32, 60, 60]
    assert restarts.after("driver", lived_seconds=STEADY_SECONDS) == 1


def test_what_is_not_there_is_no_restart() -> None:
    assert "unavailable" not in REASONS


@given(st.lists(st.floats(0, 1000), max_size=200))
def test_a_wait_is_never_longer_than_the_longest(lives: list[float]) -> None:
    backoff = Backoff(1, 300, 600)
    assert backoff.seconds == 0
    for lived in lives:
        backoff = backoff.failed(lived_seconds=lived)
        assert 1 <= backoff.seconds <= 300
