"""`tidegauge serve` put together: sources in a pipeline, the tap, and the face they show."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tidegauge.pipeline import Pipeline, Schedule
from tidegauge.samples import Reading
from tidegauge.traffic.proxy import Tap, tap_runner
from tidegauge.web import Face, State, face_runner, listen, until_cancelled


@dataclass(frozen=True, slots=True)
class Door:
    """Where the tap listens (HOST:PORT)."""

    tap: Tap
    address: str


async def serve(schedules: Sequence[Schedule], *, address: str, door: Door | None) -> None:
    """Read sources, tap requests and answer scrapes until cancelled.

    Raises:
        OSError: an address cannot be had.
    """
    pipeline = Pipeline(schedules)
    runners = [face_runner(_face(pipeline))]
    await listen(runners[0], address)
    if door:
        runners.append(tap_runner(door.tap))
        await listen(runners[1], door.address)
    # Sources are read until the tap's last answer is out: what it measures then counts too.
    reading = asyncio.create_task(pipeline.run())
    try:
        await until_cancelled(runners)
    finally:
        reading.cancel()
        await asyncio.wait([reading])


def _face(pipeline: Pipeline) -> Face:
    return Face(
        title="tidegauge serve",
        samples=lambda: pipeline.snapshot().samples(),
        states=lambda: tuple(_state(reading) for reading in pipeline.snapshot().readings),
        ready=lambda: pipeline.began,
    )


def _state(reading: Reading) -> State:
    note = reading.error or f"{len(reading.samples)} series in {reading.seconds * 1000:.1f} ms"
    return State(reading.source, well=reading.error is None, note=note)
