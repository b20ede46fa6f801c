"""The clock that durations are measured with in control: seconds since boot, time asleep included.

Setting the wall clock does not move it, a machine that slept does, and it means the same to a
controller that is restarted.
"""

import time


def since_boot() -> float:
    """Seconds since boot (CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
