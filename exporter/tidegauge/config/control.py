"""The `control:` section: which Prometheus to ask, which pools to keep at size, what to watch."""

import string
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from tidegauge.config.signals import SignalsConfig
from tidegauge.config.values import (
    Addresses,
    Header,
    HttpUrl,
    Name,
    PositiveSeconds,
    ReadableFile,
    Seconds,
    Section,
    UrlTemplate,
    Variable,
)


class BasicAuthConfig(Section):
    """HTTP basic authentication."""

    username: str = Field(description="User name.")
    password_file: ReadableFile = Field(description="File that holds the password.")


class TlsConfig(Section):
    """TLS towards Prometheus."""

    ca_file: ReadableFile | None = Field(default=None, description="CA bundle to trust.")
    cert_file: ReadableFile | None = Field(default=None, description="Client certificate.")
    key_file: ReadableFile | None = Field(default=None, description="Client key.")
    insecure_skip_verify: bool = Field(default=False, description="Accept any certificate.")


class PrometheusConfig(Section):
    """The Prometheus (or Mimir, Thanos, VictoriaMetrics) that is asked."""

    url: HttpUrl = Field(description="Base URL, with its path prefix if it has one.")
    timeout: PositiveSeconds = Field(default=5.0, description="When a query counts as unanswered.")
    bearer_token_file: ReadableFile | None = Field(
        default=None, description="File that holds a bearer token; read anew for each query."
    )
    basic_auth: BasicAuthConfig | None = Field(default=None, description="Instead of a token.")
    headers: dict[Header, Header] = Field(
        default={}, description="Extra request headers, such as X-Scope-OrgID for a tenant."
    )
    header_files: dict[Header, ReadableFile] = Field(
        default={}, description="The same for secrets: each value is the content of a file."
    )
    tls: TlsConfig = TlsConfig()

    @model_validator(mode="after")
    def _one_kind_of_authentication(self) -> Self:
        if self.bearer_token_file and self.basic_auth:
            raise ValueError("bearer_token_file and basic_auth are both set; keep one of them")
        return self


class ReplicasConfig(Section):
    """Bounds of a pool's size."""

    min: int = Field(default=1, ge=0, description="Never fewer replicas than this.")
    max: int = Field(ge=1, description="Never more replicas than this.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max < self.min:
            raise ValueError(f"max: {self.max} is below min ({self.min})")
        return self


class ScalingConfig(Section):
    """How demand becomes a number of replicas."""

    demand: str = Field(
        min_length=1,
        description="PromQL that gives the pool's demand as one number, in the unit of `capacity`.",
    )
    reporting: str = Field(
        min_length=1,
        description="PromQL that counts the replicas whose measurements are in `demand` and fresh. "
        "While it is below the number of replicas that have ever served and still run, unhealthy "
        "and draining ones included, the pool does not shrink.",
    )
    capacity: float = Field(
        gt=0, allow_inf_nan=False, description="Demand that one replica carries well."
    )
    tolerance: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Demand within this share of a size's capacity changes nothing.",
    )
    up_stabilization: Seconds = Field(
        default=0.0, description="Grow to the lowest size asked for in this time."
    )
    down_stabilization: Seconds = Field(
        default=300.0, description="Shrink to the highest size asked for in this time."
    )


class PartConfig(Section):
    """One process of a replica.

    `{PORT}` in command, env and ready is replaced by that port's number, `{replica}` by its name.
    """

    name: Name = Field(description="Name of the process, unique in the replica.")
    command: tuple[str, ...] = Field(min_length=1, description="Program and arguments; no shell.")
    env: dict[Variable, str] = Field(
        default={}, description="Environment added to the controller's."
    )
    ready: UrlTemplate = Field(description="Answers 200 when the process can serve.")
    restarts: bool = Field(
        default=False,
        description="The replica serves on without this process, as with a sidecar whose engine is "
        "the `backup`: when it ends or hangs, it alone is started again.",
    )


class ProcessPoolConfig(Section):
    """Replicas as groups of local processes."""

    run_dir: Path = Field(description="Where replicas are recorded; adopted after a restart.")
    ports: tuple[Name, ...] = Field(
        min_length=1, description="Names of the loopback ports that each replica gets."
    )
    serve: Name = Field(description="The port that receives traffic.")
    scrape: Name = Field(description="The port that Prometheus scrapes.")
    backup: Name | None = Field(
        default=None,
        description="The port that receives traffic while none answers at `serve` in the whole "
        "pool: the bare engine's, behind a sidecar. Left out: none does.",
    )
    parts: tuple[PartConfig, ...] = Field(min_length=1, description="Processes, in start order.")
    start_timeout: PositiveSeconds = Field(
        default=300.0, description="A replica that is not ready by then is replaced."
    )
    unhealthy_timeout: PositiveSeconds = Field(
        default=60.0, description="A replica that fails its checks for this long is replaced."
    )
    kill_grace: PositiveSeconds = Field(
        default=10.0, description="Time between SIGTERM and SIGKILL."
    )

    @model_validator(mode="after")
    def _ports_exist(self) -> Self:
        if len(set(self.ports)) != len(self.ports):
            raise ValueError(f"ports: names must differ (got {', '.join(self.ports)})")
        if "replica" in self.ports:
            raise ValueError("ports: 'replica' is the replica's own name; call the port otherwise")
        named = (("serve", self.serve), ("scrape", self.scrape), ("backup", self.backup))
        for key, port in named:
            if port is not None and port not in self.ports:
                raise ValueError(f"{key}: {port!r} is not among ports ({', '.join(self.ports)})")
        if self.backup == self.serve:
            raise ValueError(f"backup: {self.backup!r} is what serve names; name the engine's port")
        names = [part.name for part in self.parts]
        if len(set(names)) != len(names):
            raise ValueError(f"parts: names must differ (got {', '.join(names)})")
        for part in self.parts:
            self._check_fields(part)
        return self

    def _check_fields(self, part: PartConfig) -> None:
        for text in (*part.command, *part.env.values(), part.ready):
            if unknown := _fields(text) - {*self.ports, "replica"}:
                raise ValueError(
                    f"parts[{part.name}]: {text!r} names {{{min(unknown)}}}, which is neither a "
                    f"port ({', '.join(self.ports)}) nor replica; double a brace that is meant"
                )


def _fields(text: str) -> set[str]:
    """What stands in braces; a brace without its partner counts as a name that nothing has."""
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError:
        return {""}
    return {
        name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
        for _, name, form, conversion in parsed
        if name is not None
    }


class HaproxyConfig(Section):
    """Route: HAProxy's runtime API."""

    socket: Path = Field(
        description="UNIX socket of the runtime API (`stats socket … level admin`)."
    )
    backend: Name = Field(description="Backend whose servers are managed.")
    check_interval: PositiveSeconds = Field(
        default=1.0, description="Time between two health checks of a server."
    )
    drain_cap: PositiveSeconds = Field(
        default=300.0, description="A draining replica is stopped by then, open answers or not."
    )
    timeout: PositiveSeconds = Field(default=3.0, description="When a command counts as failed.")


class PoolConfig(Section):
    """One replica pool and its route."""

    name: Name = Field(description="Label value of `pool`.")
    replicas: ReplicasConfig
    scaling: ScalingConfig
    process: ProcessPoolConfig
    haproxy: HaproxyConfig


class ControlConfig(Section):
    """The fleet side, `tidegauge control`."""

    listen_address: Addresses = Field(
        default=("127.0.0.1:9480",),
        description="Where /metrics, /sd and /-/healthy are served: HOST:PORT, or a list of them.",
    )
    interval: PositiveSeconds = Field(default=15.0, description="Time between two decisions.")
    prometheus: PrometheusConfig
    pools: tuple[PoolConfig, ...] = Field(default=(), description="Pools, by name.")
    signals: SignalsConfig | None = Field(
        default=None,
        description="What is watched for unusual values (`signals: {}` for the default ones).",
    )

    @model_validator(mode="after")
    def _has_something_to_do(self) -> Self:
        if not self.pools and self.signals is None:
            raise ValueError(
                "pools: is empty, and signals is not set; keep a pool or watch signals"
            )
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [pool.name for pool in self.pools]
        if len(set(names)) != len(names):
            raise ValueError(f"pools: names must differ (got {', '.join(names)})")
        directories = [str(pool.process.run_dir) for pool in self.pools]
        if len(set(directories)) != len(directories):
            raise ValueError(f"pools: run_dir must differ (got {', '.join(directories)})")
        return self
