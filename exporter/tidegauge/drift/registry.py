"""Every drift test: listing one here is what gets it tested by tests/conformance."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tidegauge.drift.psi import PopulationStability
from tidegauge.drift.reference import ChannelReference
from tidegauge.drift.test import DriftTest
from tidegauge.drift.window import WindowLimits

MakeDriftTest = Callable[[ChannelReference, WindowLimits], DriftTest]

DRIFT_TESTS: Mapping[str, MakeDriftTest] = MappingProxyType({"psi": PopulationStability})
