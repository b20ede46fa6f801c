"""From the `serve.environment:` section to a source that is read."""

import itertools
from pathlib import Path

import pytest

from tests.engine_server import engine, saying, source_of
from tidegauge.catalog.health import CHECK
from tidegauge.cli.environment import dialect_of, door_to, environment
from tidegauge.config.health import EnvironmentConfig
from tidegauge.sources.discovery import DiscoveredEngine
from tidegauge.sources.engine import EngineSource
from tidegauge.sources.environment import Asking, EngineDoor
from tidegauge.sources.source import SourceError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "engines"
VLLM = (FIXTURES / "vllm-0.32" / "load.prom").read_bytes()


async def test_the_defaults_are_cheap_and_make_no_demands() -> None:
    schedule = environment(EnvironmentConfig())
    assert schedule.source.name == "environment"
    assert (schedule.interval_seconds, schedule.timeout_seconds) == (60, 10)
    samples = await schedule.source.read()
    await schedule.source.close()
    assert {s.labels[0] for s in samples if s.metric is CHECK} <= {"file_descriptors", "clock"}


async def test_every_key_reaches_the_source(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    config = EnvironmentConfig.model_validate(
        {
            "skip": ["clock"],
            "versions": {"vllm": ">=0.12"},
            "disk": {"paths": [tmp_path], "free_ratio": 1, "free_bytes": 0},
            "shared_memory": {"path": tmp_path, "size_bytes": 0, "free_bytes": 0},
            "descriptors": {"used_ratio": 0.000001},
            "model": {"path": tmp_path, "weights": "0" * 12},
        }
    )

    async def fetch(path: str) -> bytes:
        return b'{"version": "0.11.0"}'

    schedule = environment(config, engine=EngineDoor(lambda: "vllm", fetch))
    samples = await schedule.source.read()
    await schedule.source.close()
    assert {s.labels: s.value for s in samples if s.metric is CHECK} == {
        ("version", "engine"): 0,
        ("disk", str(tmp_path)): 0,
        ("shared_memory", str(tmp_path)): 1,
        ("file_descriptors", "tidegauge"): 0,
        ("model_files", "weights"): 0,
    }


async def test_the_dialect_is_the_engine_source_s_own_finding() -> None:
    async with engine(saying(VLLM), saying(b'{"version": "0.11.0"}')) as url:
        async with source_of(url) as source:
            name = dialect_of(source)
            assert name() == "unknown"
            await source.read()
            assert name() == "vllm"
        assert await Asking(url)("/version") == b'{"version": "0.11.0"}'


async def test_an_engine_that_was_found_is_asked_for_its_version_where_it_was_found() -> None:
    async with engine(saying(VLLM), saying(b'{"version": "0.11.0"}')) as url:
        source = DiscoveredEngine(
            [int(url.rpartition(":")[2])],
            lambda url: EngineSource(url, model="", timeout_seconds=5),
            interval_seconds=1,
            clock=itertools.count().__next__,
        )
        door = door_to(source, None)
        assert door.name() == ""
        with pytest.raises(SourceError, match="no engine was found"):
            await door.fetch("/version")
        await source.read()
        assert door.name() == "vllm"
        assert await door.fetch("/version") == b'{"version": "0.11.0"}'
        await source.close()


async def test_an_engine_that_nobody_finds_counts_as_an_outage_and_a_busy_one_does_not() -> None:
    async with (
        engine(saying(VLLM), saying(b"busy", status="503 Busy")) as url,
        source_of(url) as source,
    ):
        door = door_to(source, None)
        await source.read()
        with pytest.raises(SourceError):
            await source.read()
        assert door.outages() == 0
    with pytest.raises(SourceError):
        await source.read()
    assert door.outages() == 1
    await source.close()
