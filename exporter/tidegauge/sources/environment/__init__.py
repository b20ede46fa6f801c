"""Is the machine fit to serve? Checks of the environment beside an engine."""

from tidegauge.sources.environment.asking import Asking
from tidegauge.sources.environment.source import EngineDoor, EnvironmentSource, Surroundings

__all__ = ["Asking", "EngineDoor", "EnvironmentSource", "Surroundings"]
