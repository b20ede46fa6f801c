"""Health of the environment beside a real llama.cpp server."""

from pathlib import Path

import pytest

from tests.e2e.engine_fixture import RunningEngine, engine, quick_model
from tidegauge.catalog.health import CHECK, ENVIRONMENT_INFO
from tidegauge.cli.environment import dialect_of, environment
from tidegauge.config.health import EnvironmentConfig
from tidegauge.sources.engine import EngineSource
from tidegauge.sources.environment import Asking, EngineDoor

pytestmark = pytest.mark.e2e
__all__ = ["engine", "quick_model"]


async def test_version_files_and_descriptors_of_a_real_engine(
    engine: RunningEngine, quick_model: Path
) -> None:
    config = EnvironmentConfig.model_validate(
        {
            "model": {"path": quick_model},
            "descriptors": {"engine_process": f"--port {engine.url.rpartition(':')[2]}"},
            "disk": {"free_ratio": 0, "free_bytes": 0},
        }
    )
    source = EngineSource(engine.url, model="chat", timeout_seconds=10)
    door = EngineDoor(dialect_of(source), Asking(engine.url))
    schedule = environment(config, engine=door)
    await source.read()
    samples = await schedule.source.read()
    await schedule.source.close()
    await source.close()
    verdicts = {s.labels: s.value for s in samples if s.metric is CHECK}
    passed = {
        ("file_descriptors", "engine"): 1,
        ("model_files", "weights"): 1,
        ("disk", str(quick_model)): 1,
    }
    assert passed.items() <= verdicts.items()
    known = {s.labels[0]: s.labels[1] for s in samples if s.metric is ENVIRONMENT_INFO}
    assert known["engine"].startswith("llamacpp b")
    assert len(known["weights"]) == 12
