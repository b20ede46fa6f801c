"""A CPU allowance without any privilege: stop who overdrew, continue who has saved up.

The budget is CPU time, not wall time, so a process that shares a core with others still gets all it
may have, and an idle one is never stopped.
"""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

# Long enough that 60 system calls a second do, short enough that a token comes at most 20 ms late.
_BURST_SECONDS = 0.008
# What it could not spend while others held the core is kept this far: with one burst only, three
# engines and a busy neighbour on two cores lost a third of their throughput.
_MOST_SAVED_SECONDS = 0.048
_SHORTEST_LOOK_SECONDS = 0.001


class Runner(Protocol):
    """What is held to its allowance."""

    def ended(self, *, within: float | None) -> bool: ...
    def send(self, signal_number: signal.Signals) -> None: ...
    def cpu_seconds(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Budget:
    """CPU seconds that may still be spent; `cores` more come with every second."""

    cores: float
    balance_seconds: float = _BURST_SECONDS
    stopped: bool = False

    def after(self, *, elapsed_seconds: float, used_seconds: float) -> "Budget":
        balance = self.balance_seconds + elapsed_seconds * self.cores - used_seconds
        balance = min(balance, _MOST_SAVED_SECONDS)
        enough = _BURST_SECONDS if self.stopped else 0.0
        return Budget(self.cores, balance, stopped=balance <= enough)

    @property
    def look_again_seconds(self) -> float:
        """How long nothing can change: until enough is saved, or one thread may have spent all."""
        if self.stopped:
            missing = max(_BURST_SECONDS - self.balance_seconds, 0.0)
            return missing / self.cores + _SHORTEST_LOOK_SECONDS
        return max(self.balance_seconds, _SHORTEST_LOOK_SECONDS)


def duty_cycle(
    runner: Runner, cores: float, *, clock: Callable[[], float] = time.monotonic
) -> None:
    """Hold `runner` to `cores` of CPU until it ends; it is left running, whatever is raised."""
    budget = Budget(cores)
    try:
        at, spent = clock(), runner.cpu_seconds()
        while not runner.ended(within=budget.look_again_seconds):
            was_at, was_spent, was_stopped = at, spent, budget.stopped
            at, spent = clock(), runner.cpu_seconds()
            budget = budget.after(elapsed_seconds=at - was_at, used_seconds=spent - was_spent)
            if budget.stopped != was_stopped:
                runner.send(signal.SIGSTOP if budget.stopped else signal.SIGCONT)
    except ProcessLookupError:
        return
    finally:
        runner.send(signal.SIGCONT)
