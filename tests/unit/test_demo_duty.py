import signal
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.duty import Budget, duty_cycle

BURST = Budget(1.0).balance_seconds


@pytest.mark.parametrize(
    "budget, elapsed, used, outcome",
    [
        pytest.param(Budget(0.4), 0.01, 0.0, "runs", id="who uses nothing runs on"),
        pytest.param(Budget(0.4), 0.01, 0.004, "runs", id="who keeps to it runs on"),
        pytest.param(Budget(0.4), 0.01, 0.02, "stopped", id="who overdraws is stopped"),
        pytest.param(
            Budget(0.4, -0.01, stopped=True), 0.01, 0.0, "stopped", id="saving up takes its time"
        ),
        pytest.param(
            Budget(0.4, 0.001, stopped=True),
            0.001,
            0.0,
            "stopped",
            id="a little is no burst",
        ),
        pytest.param(
            Budget(0.4, 0.001, stopped=True), 0.1, 0.0, "runs", id="with a burst saved it goes on"
        ),
    ],
)
def test_budget(budget: Budget, elapsed: float, used: float, outcome: str) -> None:
    after = budget.after(elapsed_seconds=elapsed, used_seconds=used)
    assert after.stopped == (outcome == "stopped")


def test_a_long_idle_time_saves_up_to_a_bound_only() -> None:
    idle = Budget(0.4).after(elapsed_seconds=3600, used_seconds=0)
    assert idle.balance_seconds == pytest.approx(6 * BURST)


@given(
    cores=st.floats(0.05, 2),
    steps=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=50),
)
def test_the_wait_is_always_positive_and_short(
    cores: float, steps: list[tuple[float, float]]
) -> None:
    budget = Budget(cores)
    for elapsed, used in steps:
        budget = budget.after(elapsed_seconds=elapsed, used_seconds=used)
        owed = max(-budget.balance_seconds, 0) + 6 * BURST
        assert 0 < budget.look_again_seconds <= owed / min(cores, 1) + BURST


@dataclass
class Simulated:
    """A process that computes whenever it may, in simulated time."""

    lives_seconds: float
    at: float = 0.0
    spent: float = 0.0
    stopped: bool = False
    received: list[signal.Signals] = field(default_factory=list)

    def clock(self) -> float:
        return self.at

    def ended(self, *, within: float | None) -> bool:
        step = within or 0.0
        self.at += step
        self.spent += 0.0 if self.stopped else step
        return self.at >= self.lives_seconds

    def send(self, signal_number: signal.Signals) -> None:
        self.stopped = signal_number == signal.SIGSTOP
        self.received.append(signal_number)

    def cpu_seconds(self) -> float:
        return self.spent


@pytest.mark.parametrize("cores", [0.1, 0.4, 0.9])
def test_a_busy_process_gets_its_share(cores: float) -> None:
    process = Simulated(lives_seconds=60)
    duty_cycle(process, cores, clock=process.clock)
    assert process.spent / process.at == pytest.approx(cores, rel=0.03)


def test_it_is_left_running_whatever_ends_the_watch() -> None:
    class Vanishing(Simulated):
        def cpu_seconds(self) -> float:
            if self.at > 1 and self.stopped:
                raise ProcessLookupError
            return self.spent

    process = Vanishing(lives_seconds=60)
    duty_cycle(process, 0.4, clock=process.clock)
    assert process.received[-1] is signal.SIGCONT
