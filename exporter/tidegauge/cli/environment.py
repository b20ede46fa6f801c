"""The environment source, put together from configuration."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tidegauge.catalog.inference import ENGINE_UP
from tidegauge.config.health import EnvironmentConfig
from tidegauge.pipeline import Schedule
from tidegauge.samples import Sample
from tidegauge.sources.discovery import DiscoveredEngine
from tidegauge.sources.engine import EngineSource
from tidegauge.sources.engine_access import Access
from tidegauge.sources.environment import Asking, EngineDoor, EnvironmentSource, Surroundings
from tidegauge.sources.environment.checks import CHECKS
from tidegauge.sources.environment.compatibility import LIBRARIES
from tidegauge.sources.environment.limits import Limits, Range
from tidegauge.sources.environment.local import SHARED_MEMORY, Places
from tidegauge.sources.source import Source, SourceError

_NEIGHBOURS = ("gpu", "engine")  # what they find is judged, from the first round on


def environment(
    config: EnvironmentConfig,
    *,
    gpu: Callable[[], Sequence[Sample]] = tuple,
    engine: EngineDoor | None = None,
) -> Schedule:
    """The source's schedule. `gpu` gives the GPU source's latest samples."""
    surroundings = Surroundings(gpu, engine, config.model.path, _places(config))
    source = EnvironmentSource(
        surroundings,
        _limits(config),
        checks=[check for check in CHECKS if check.name not in config.skip],
        patience_seconds=config.patience,
    )
    # The source gives up on each part by itself; ours is the outer bound.
    return Schedule(source, config.interval, 2 * config.patience, after=_NEIGHBOURS)


def door_to(engine: Source, configured: Access | None) -> EngineDoor:
    """How the engine that `engine` reads is asked; without `configured`, the one that was found."""

    async def fetch(path: str) -> bytes:
        at = configured or (engine.url if isinstance(engine, DiscoveredEngine) else None)
        if at is None:
            raise SourceError("unavailable", "no engine was found")
        return await Asking(at)(path)

    return EngineDoor(dialect_of(engine), fetch, outages_of(engine))


def dialect_of(engine: Source) -> Callable[[], str]:
    """The dialect by which an engine source was last read; empty while it does not know."""

    def name() -> str:
        said = (sample.labels[0] for sample in engine.unread() if sample.metric is ENGINE_UP)
        return next(said, "")

    return name


def outages_of(engine: Source) -> Callable[[], int]:
    """How often an engine source has found nobody."""

    def outages() -> int:
        return engine.outages if isinstance(engine, EngineSource | DiscoveredEngine) else 0

    return outages


def _places(config: EnvironmentConfig) -> Places:
    model: tuple[Path, ...] = (config.model.path,) if config.model.path else ()
    wanted = (name for name in config.versions if name not in ("driver", "cuda", "engine"))
    return Places(
        disks=tuple(dict.fromkeys((*model, *config.disk.paths))),
        shared_memory=config.shared_memory.path or SHARED_MEMORY,
        libraries=config.libraries,
        library_names=tuple(dict.fromkeys((*LIBRARIES, *wanted))) if config.libraries else (),
        engine_process=config.descriptors.engine_process,
    )


def _limits(config: EnvironmentConfig) -> Limits:
    return Limits(
        ranges=tuple(Range(name, text) for name, text in config.versions.items()),
        disk_free_ratio=config.disk.free_ratio,
        disk_free_bytes=config.disk.free_bytes,
        shared_memory_bytes=config.shared_memory.size_bytes,
        shared_memory_free_bytes=config.shared_memory.free_bytes,
        shared_memory_always=config.shared_memory.path is not None,
        clock_error_seconds=config.clock.max_error,
        clock_required=config.clock.required,
        descriptors_ratio=config.descriptors.used_ratio,
        weights=config.model.weights,
        config=config.model.config,
        tokenizer=config.model.tokenizer,
    )
