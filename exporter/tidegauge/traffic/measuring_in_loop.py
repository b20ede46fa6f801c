"""`Measuring` as every door has it: in the running event loop, by the real clock and by chance."""

import asyncio
import random
import time
from collections.abc import Callable

from tidegauge.traffic.measuring import Measuring
from tidegauge.traffic.texts.vector_settings import VectorSettings, VectorTallies


def measuring_in_loop(
    settings: VectorSettings,
    tallies: VectorTallies,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Measuring:
    """What gives a door's exchanges their features; to be made and used in the running loop."""
    return Measuring(
        settings,
        hand_back=asyncio.get_running_loop().call_soon_threadsafe,
        tallies=tallies,
        clock=clock,
        draw=random.random,
    )
