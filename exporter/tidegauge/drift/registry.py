"""Every drift test: listing one here is what gets it tested by tests/conformance."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tidegauge.drift.block import Block
from tidegauge.drift.cells import Channel
from tidegauge.drift.jensen_shannon import JensenShannon
from tidegauge.drift.ks import KolmogorovSmirnov
from tidegauge.drift.psi import PopulationStability
from tidegauge.drift.test import DriftTest
from tidegauge.drift.wasserstein import Wasserstein

MakeDriftTest = Callable[[Channel, Block], DriftTest]
"""Of a channel and the whole of the reference. Vectors have one test, tidegauge.drift.centroid."""

DRIFT_TESTS: Mapping[str, MakeDriftTest] = MappingProxyType(
    {
        "psi": PopulationStability,
        "ks": KolmogorovSmirnov,
        "wasserstein": Wasserstein,
        "jensen_shannon": JensenShannon,
    }
)
