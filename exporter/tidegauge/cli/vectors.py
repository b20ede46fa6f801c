"""Vectors of texts, put together from configuration: which are made, and what became of them."""

from collections.abc import Callable

from tidegauge.config.traffic import TrafficConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, PlanError
from tidegauge.sources.vectors import VectorSource
from tidegauge.traffic.texts.vector_settings import VectorSettings
from tidegauge.traffic.texts.vectors_semantic import SemanticMissingError, folder


def vectors(config: TrafficConfig) -> Part | None:
    """The series of what became of vectors, where any are asked for."""

    def make(around: Around) -> Made:
        return Made(Schedule.of_memory(VectorSource(around.vectors)))

    return Part("vectors", (), make) if config.vectors else None


def vector_settings(
    config: TrafficConfig, *, look: Callable[[], object] = folder
) -> VectorSettings:
    """What the doors are to make; `look` raises if a semantic vector can't be.

    Raises:
        PlanError: what a vector is made with is not installed.
    """
    if "semantic" in config.vectors:
        try:
            look()
        except SemanticMissingError as error:
            raise PlanError([f"serve.traffic.vectors: {error}"]) from None
    return VectorSettings(
        config.vectors,
        sample_ratio=config.vector_sample_ratio,
        budget_ratio=config.vector_budget_ratio,
    )
