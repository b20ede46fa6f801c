"""How the child reads the devices: what the parent hands it as one argument.

No clock, no network, no logging: same arguments, same answer.
"""

import json
from dataclasses import asdict, dataclass
from typing import Literal

Beat = Literal["fast", "medium", "slow", "gpm", "ring"]
"""What has an interval of its own: the tiers, and draining NVML's own samples."""

RING_SECONDS = 1.0  # NVML keeps a few seconds of its own samples; drained before they are gone


@dataclass(frozen=True, slots=True)
class Settings:
    """Intervals per tier in seconds (None: not read), and what else the child has to know.

    A device that has not answered for `timeout_seconds` is called hung. `budget_ratio` is the
    driver time per second that all calls may take together.
    """

    fast_seconds: float = 1.0
    medium_seconds: float = 5.0
    slow_seconds: float = 30.0
    gpm_seconds: float | None = None
    ring: bool = True
    processes: bool = False
    window_seconds: float = 120.0
    budget_ratio: float = 0.01
    timeout_seconds: float = 2.0
    publish_seconds: float = 1.0

    def intervals(self) -> dict[Beat, float]:
        """What is read, and how often if the budget allows.

        >>> sorted(Settings(ring=False).intervals().items())
        [('fast', 1.0), ('medium', 5.0), ('slow', 30.0)]
        """
        beats: dict[Beat, float | None] = {
            "fast": self.fast_seconds,
            "medium": self.medium_seconds,
            "slow": self.slow_seconds,
            "gpm": self.gpm_seconds,
            "ring": RING_SECONDS if self.ring else None,
        }
        return {beat: seconds for beat, seconds in beats.items() if seconds is not None}


def dump(settings: Settings) -> str:
    return json.dumps(asdict(settings))


def load(text: str) -> Settings:
    """What `dump` wrote; raises TypeError or ValueError for anything else."""
    return Settings(**json.loads(text))
