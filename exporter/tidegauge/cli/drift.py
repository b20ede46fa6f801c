"""Drift, put together from configuration: references from files, or learned to a directory."""

import time
from collections.abc import Mapping
from pathlib import Path

from tidegauge import __version__
from tidegauge.cli.vectors import embedding
from tidegauge.config.drift import DriftConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.drift.monitor import DriftMonitor
from tidegauge.drift.reference import DriftReferenceError, Reference
from tidegauge.drift.settings import DriftSettings
from tidegauge.drift.window import WindowLimits
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, PlanError
from tidegauge.sources.drift import DriftSource
from tidegauge.sources.drift_files import DriftFileError, DriftFiles, read_reference
from tidegauge.sources.drift_keeping import DriftKeeping, Making
from tidegauge.sources.drift_store import DriftStore
from tidegauge.web import drift_reference
from tidegauge.web.drift_reference import PATH

_WEEK_SECONDS = 604_800.0
_TIMEOUT_SECONDS = 30.0


def drift(config: DriftConfig, traffic: TrafficConfig | None) -> Part:
    """The part that scores every model that is measured against its reference.

    Raises:
        PlanError: no model is measured, or a reference cannot be used.
    """
    models = traffic.models if traffic else ()
    if not models:
        raise PlanError(["serve.drift: needs serve.traffic.models: the models that are watched"])
    making = Making(__version__, _semantic(traffic))
    given = _given(config, models, semantic=making.semantic)
    settings = DriftSettings(
        WindowLimits(config.window_requests, config.window, config.min_requests),
        budget_seconds=_WEEK_SECONDS / config.alert_budget,
        tick_seconds=config.interval,
        warmup_seconds=config.warmup,
        warmup_requests=config.warmup_requests,
        refresh_seconds=config.refresh,
        test=config.test,
    )

    def make(around: Around) -> Made:
        monitor = DriftMonitor(models, settings, learns=config.directory is not None)
        before = around.sources.get("drift")
        if isinstance(before, DriftSource) and before.keeping.semantic == making.semantic:
            monitor.take_over(before.monitor)
        store = DriftStore(DriftFiles(config.directory)) if config.directory else None
        keeping = DriftKeeping(
            monitor,
            store,
            given=given,
            making=making,
            checkpoint_seconds=config.checkpoint,
        )
        source = DriftSource(monitor, keeping, clock=time.monotonic, wall=time.time)
        schedule = Schedule(source, config.interval, _TIMEOUT_SECONDS)
        return Made(schedule, source.observe, {PATH: drift_reference(keeping.reference)})

    # With the references themselves: a file that was learned anew is a change.
    digests = tuple(sorted((model, reference.digest) for model, reference in given.items()))
    return Part("drift", (config, models, making, digests), make)


def _semantic(traffic: TrafficConfig | None) -> str:
    """Which embedding the semantic vectors are of; "" where none are made."""
    made = traffic is not None and "semantic" in traffic.vectors
    return embedding(traffic).identity if traffic and made else ""


def _given(
    config: DriftConfig, models: tuple[str, ...], *, semantic: str
) -> Mapping[str, Reference]:
    found: dict[str, Reference] = {}
    for path in config.references:
        reference = _read(path)
        if reference.model in found:
            _refuse(path, f"is of model {reference.model!r}, as another one is; keep one of them")
        if reference.model not in models:
            _refuse(
                path,
                f"is of model {reference.model!r}, which serve.traffic.models does not name "
                f"({', '.join(models)}); its requests would never be scored",
            )
        if semantic and reference.semantic not in ("", semantic):
            _refuse(
                path,
                f"has vectors of the embedding {reference.semantic!r}, and serve.traffic.semantic "
                f"makes those of {semantic!r}, which cannot be compared; build it again",
            )
        found[reference.model] = reference
    return found


def _read(path: Path) -> Reference:
    try:
        return read_reference(path)
    except FileNotFoundError:
        raise PlanError([f"serve.drift.references: {path}: is not there"]) from None
    except (DriftFileError, DriftReferenceError) as error:
        raise PlanError([f"serve.drift.references: {error}"]) from None


def _refuse(path: Path, why: str) -> None:
    raise PlanError([f"serve.drift.references: {path}: {why}"])
