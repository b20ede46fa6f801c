"""Vectors of texts, put together from configuration: which are made, and what became of them."""

from collections.abc import Callable

from tidegauge.config.semantic import EndpointConfig, OnnxConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, PlanError
from tidegauge.sources.vectors import VectorSource
from tidegauge.traffic.texts.embedding import STATIC, Embedding, EmbeddingMissingError, Endpoint
from tidegauge.traffic.texts.vector_settings import VectorSettings
from tidegauge.traffic.texts.vectors import VectorKind
from tidegauge.traffic.texts.vectors_onnx import onnx_of
from tidegauge.traffic.texts.vectors_semantic import SemanticMissingError, folder


def vectors(config: TrafficConfig) -> Part | None:
    """The series of what became of vectors, where any are asked for."""

    def make(around: Around) -> Made:
        return Made(Schedule.of_memory(VectorSource(around.vectors)))

    return Part("vectors", (), make) if config.vectors else None


def vector_settings(
    config: TrafficConfig, *, look: Callable[[], object] = folder
) -> VectorSettings:
    """What the doors are to make; `look` raises if a static semantic vector can't be.

    Raises:
        PlanError: what a vector is made with is not installed, or will not do.
    """
    used = embedding(config)
    if used == STATIC:
        look_for_vectors(config.vectors, key="serve.traffic.vectors", look=look)
    return VectorSettings(
        config.vectors,
        sample_ratio=config.vector_sample_ratio,
        budget_ratio=config.vector_budget_ratio,
        embedding=used,
    )


def look_for_vectors(
    kinds: tuple[VectorKind, ...], *, key: str, look: Callable[[], object] = folder
) -> None:
    """Go on if vectors of these kinds can be made; `key` is what asks for them.

    Raises:
        PlanError: what one is made with is not installed.
    """
    if "semantic" in kinds:
        try:
            look()
        except SemanticMissingError as error:
            raise PlanError([f"{key}: {error}"]) from None


def embedding(config: TrafficConfig) -> Embedding:
    """What makes semantic vectors; references are made with the same `identity`, or refused.

    Raises:
        PlanError: an ONNX model can't be run.
    """
    semantic = config.semantic
    if semantic and semantic.endpoint:
        return _endpoint(semantic.endpoint)
    return _onnx(semantic.onnx) if semantic and semantic.onnx else STATIC


def _endpoint(config: EndpointConfig) -> Endpoint:
    return Endpoint(
        config.url,
        config.model,
        dimensions=config.dimensions,
        api_key_file=config.api_key_file,
        ca_file=config.ca_file,
        timeout_seconds=config.timeout,
        workers=config.workers,
    )


def _onnx(config: OnnxConfig) -> Embedding:
    try:
        return onnx_of(config.model, config.tokenizer, max_tokens=config.max_tokens)
    except EmbeddingMissingError as error:
        raise PlanError([f"serve.traffic.semantic.onnx: {error}"]) from None
