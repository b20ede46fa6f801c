"""The sections `serve.engine` and `serve.discovery`, made into sources."""

import time
from collections.abc import Sequence

from tidegauge.config.dialect import as_dialect
from tidegauge.config.engine import DiscoveryConfig, EngineConfig, EngineReading
from tidegauge.engines import Dialect, engine_named
from tidegauge.pipeline import Schedule
from tidegauge.sources.discovery import DiscoveredEngine
from tidegauge.sources.engine import EngineSource
from tidegauge.sources.engine_access import Access, Tls

# What an engine that nobody configured is read with: the defaults of serve.engine.
_FOUND_INTERVAL_SECONDS = 5.0
_FOUND_TIMEOUT_SECONDS = 3.0


def engine_schedule(config: EngineConfig) -> Schedule:
    """When and how the configured engine is read."""
    return Schedule(engine_source(config, config.url), config.interval, 2 * config.timeout)


def engine_source(config: EngineReading, url: str) -> EngineSource:
    """The engine at a base URL, read as `config` says."""
    return EngineSource(
        access(config, url),
        model=config.model,
        timeout_seconds=config.timeout,
        engine=_pinned(config),
        paths=(config.metrics_path,) if config.metrics_path else None,
        max_bytes=config.max_bytes,
    )


def _pinned(config: EngineReading) -> Dialect | None:
    if config.custom:
        return as_dialect(config.custom)
    return None if config.dialect == "auto" else engine_named(config.dialect)


def discovery_schedule(config: DiscoveryConfig, *, taken: Sequence[str]) -> Schedule:
    """When and how an engine that nobody configured is looked for; never at ports `taken` by us."""
    ours = {int(address.rpartition(":")[2]) for address in taken}
    source = DiscoveredEngine(
        [port for port in config.ports if port not in ours],
        lambda url: EngineSource(url, model="", timeout_seconds=_FOUND_TIMEOUT_SECONDS),
        interval_seconds=config.interval,
        clock=time.monotonic,
    )
    return Schedule(source, _FOUND_INTERVAL_SECONDS, 2 * _FOUND_TIMEOUT_SECONDS)


def access(config: EngineReading, url: str) -> Access:
    """How the engine at `url` is reached; a model that is asked for is never loaded for it."""
    authorization, basic, tls = config.authorization, config.basic_auth, config.tls_config
    params = dict(config.params)
    guard = () if "model" not in params or "autoload" in params else (("autoload", "false"),)
    literal = authorization.credentials if authorization else None
    return Access(
        url,
        params=(*config.params, *guard),
        scheme=authorization.type if authorization else "Bearer",
        credentials=literal.get_secret_value() if literal else None,
        credentials_file=authorization.credentials_file if authorization else None,
        username=basic.username if basic else None,
        password_file=basic.password_file if basic else None,
        headers={name: value.get_secret_value() for name, value in config.headers.items()},
        header_files=config.header_files,
        tls=Tls(
            ca_file=tls.ca_file,
            cert_file=tls.cert_file,
            key_file=tls.key_file,
            server_name=tls.server_name,
            insecure_skip_verify=tls.insecure_skip_verify,
        ),
    )
