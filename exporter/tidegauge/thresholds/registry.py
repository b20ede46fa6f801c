"""Every detector: listing one here is what gets it tested by tests/conformance."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tidegauge.thresholds.band import Detector
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.mad import MadBand
from tidegauge.thresholds.novelty import Novelty
from tidegauge.thresholds.quantile import QuantileBand
from tidegauge.thresholds.spot import Spot

MakeDetector = Callable[[Grid], Detector]

DETECTORS: Mapping[str, MakeDetector] = MappingProxyType(
    {"novelty": Novelty, "quantile": QuantileBand, "mad": MadBand, "spot": Spot}
)
DEFAULT_DETECTOR = "novelty"
