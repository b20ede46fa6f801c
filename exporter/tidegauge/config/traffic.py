"""The `serve.traffic:` section: which requests are measured, and what of them becomes a label."""

from typing import Literal, Self

from pydantic import Field, model_validator

from tidegauge.config.clients import ClientsConfig
from tidegauge.config.semantic import SemanticConfig
from tidegauge.config.values import (
    Address,
    FileMode,
    HttpUrl,
    PositiveSeconds,
    Section,
    SocketPath,
)


class TrafficConfig(Section):
    """Requests and their answers, measured where they pass and never kept."""

    listen_address: Address | None = Field(
        default=None,
        description="Where the tap, a reverse proxy in front of the engine, accepts requests. "
        "Left out: no proxy.",
    )
    upstream: HttpUrl | None = Field(
        default=None, description="Where it passes them on; the engine's URL by default."
    )
    models: tuple[str, ...] = Field(
        default=(),
        description="Names of models and LoRA adapters that become label values; any other name "
        "is counted as `other`.",
    )
    versions: dict[str, str] = Field(
        default={},
        description="The version that each model runs in, for the label `version`; empty for "
        "models that are not named here.",
    )
    clients: ClientsConfig | None = Field(
        default=None, description="Left out: clients are not told apart."
    )
    connect_timeout: PositiveSeconds = Field(
        default=5.0, description="When to give up on reaching the engine."
    )
    socket: SocketPath | None = Field(
        default=None,
        description="The UNIX socket where processes with the middleware tell what they measured. "
        "Left out: none is heard.",
    )
    socket_mode: FileMode = Field(
        default="0660",
        description="The permissions of that socket: who may write to it may tell of requests. "
        "Its group is that of its directory, if that has the set-group-ID bit.",
    )
    vectors: tuple[Literal["style", "semantic"], ...] = Field(
        default=(),
        description="Vectors that are made of texts, for drift: `style` of answers, `semantic` of "
        "prompts, which needs `pip install 'tidegauge[semantic]'` or `serve.traffic.semantic`. "
        "docs/privacy.md says what they tell.",
    )
    semantic: SemanticConfig | None = Field(
        default=None,
        description="What embeds prompts. Left out: static embeddings, which cost least.",
    )
    vector_sample_ratio: float = Field(
        default=1.0, gt=0, le=1, description="Share of the exchanges that get vectors."
    )
    vector_budget_ratio: float = Field(
        default=0.05,
        gt=0,
        le=1,
        description="Share of one CPU core that vectors may take; exchanges beyond it get none.",
    )

    @model_validator(mode="after")
    def _semantic_is_used(self) -> Self:
        if self.semantic and "semantic" not in self.vectors and self.socket is None:
            raise ValueError("semantic is set, and vectors does not ask for `semantic`; add it")
        return self
