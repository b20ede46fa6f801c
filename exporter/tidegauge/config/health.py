"""The `serve.environment:` section."""

from pathlib import Path
from typing import Annotated, Literal, Self

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import AfterValidator, Field, model_validator

from tidegauge.config.values import PositiveSeconds, Section
from tidegauge.engines import ENGINES

CheckName = Literal[
    "version",
    "requirements",
    "ecc",
    "row_remap",
    "retired_pages",
    "recovery_action",
    "persistence",
    "disk",
    "shared_memory",
    "clock",
    "file_descriptors",
    "model_files",
]

_MIB = 1024 * 1024


def _specifier(text: str) -> str:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError(
            f"{text!r} is no version range; write one such as >=550.54.14 or >=0.10,<0.33"
        ) from None
    if not text:
        raise ValueError("'' is no version range; any version would be in it")
    return text


def _digest(text: str) -> str:
    digits = set("0123456789abcdef")
    if text and (len(text) < 12 or not set(text) <= digits):  # noqa: PLR2004 - as labels show it
        raise ValueError(
            f"{text!r} is no digest; write at least the 12 hexadecimal digits that "
            "llm_environment_info shows"
        )
    return text


Specifier = Annotated[str, AfterValidator(_specifier)]
Digest = Annotated[str, AfterValidator(_digest)]


class DiskConfig(Section):
    """Room on file systems."""

    paths: tuple[Path, ...] = Field(
        default=(), description="Folders whose file systems are watched; the model's is anyway."
    )
    free_ratio: float = Field(default=0.05, ge=0, le=1, description="Share that must be free.")
    free_bytes: int = Field(default=1024 * _MIB, ge=0, description="Bytes that must be free.")


class SharedMemoryConfig(Section):
    """Shared memory, which engines on several GPUs pass tensors through."""

    path: Path | None = Field(
        default=None,
        description="Left out: /dev/shm, judged where at least two GPUs are. A path: judged.",
    )
    size_bytes: int = Field(default=1024 * _MIB, ge=0, description="How large it must be.")
    free_bytes: int = Field(default=128 * _MIB, ge=0, description="Bytes that must be free.")


class ClockConfig(Section):
    """The kernel's clock."""

    max_error: PositiveSeconds = Field(
        default=1.0, description="How wrong it may be, by the kernel's own estimate."
    )
    required: bool = Field(
        default=False,
        description="Fail also where the kernel's clock has never been synchronised; "
        "false where a hypervisor keeps the time.",
    )


class DescriptorsConfig(Section):
    """File descriptors."""

    used_ratio: float = Field(default=0.8, gt=0, le=1, description="Share that may be in use.")
    engine_process: str = Field(
        default="",
        description="Part of the engine's command line (`vllm serve`), to look at its "
        "descriptors too; needs the same user or root, and to see its processes.",
    )


class ModelFilesConfig(Section):
    """The files of the model that is served."""

    path: Path | None = Field(
        default=None, description="Its folder, or its one file of weights. Left out: no digests."
    )
    weights: Digest = Field(default="", description="Digest that its weights must have.")
    config: Digest = Field(default="", description="Digest that its configuration must have.")
    tokenizer: Digest = Field(default="", description="Digest that its tokenizer must have.")


class EnvironmentConfig(Section):
    """Health of the environment that the engine runs in; docs/health.md lists the checks."""

    enabled: bool = Field(default=True, description="Run the checks.")
    interval: PositiveSeconds = Field(default=60.0, description="Time between two rounds.")
    patience: PositiveSeconds = Field(
        default=5.0, description="What is not known by then is left out of a round."
    )
    skip: tuple[CheckName, ...] = Field(default=(), description="Checks that are not run.")
    libraries: Path | None = Field(
        default=None, description="The engine's site-packages; left out: no libraries are judged."
    )
    versions: dict[str, Specifier] = Field(
        default={},
        description="Ranges that are known to work, by `driver`, `cuda`, `engine` (or its "
        "dialect's name) and library: `{driver: '>=550.54.14', vllm: '>=0.10,<0.33'}`.",
    )
    disk: DiskConfig = DiskConfig()
    shared_memory: SharedMemoryConfig = SharedMemoryConfig()
    clock: ClockConfig = ClockConfig()
    descriptors: DescriptorsConfig = DescriptorsConfig()
    model: ModelFilesConfig = ModelFilesConfig()

    @model_validator(mode="after")
    def _ranges_of_what_is_known(self) -> Self:
        known = {"driver", "cuda", "engine", *(dialect.name for dialect in ENGINES)}
        unknown = sorted(self.versions.keys() - known)
        if unknown and self.libraries is None:
            raise ValueError(
                f"versions: {unknown[0]!r} is not driver, cuda, engine or a dialect; a library is "
                "judged only where `libraries` says where it is"
            )
        return self
