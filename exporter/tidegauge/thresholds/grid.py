"""The evaluation grid of a signal: how far apart its points are, and how many a detector keeps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """`history_points` bounds what a detector may keep, whatever its own windows are."""

    step_seconds: float
    history_points: int
