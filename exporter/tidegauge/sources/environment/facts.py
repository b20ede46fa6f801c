"""What checks judge: facts as they were read. Missing is None or an empty tuple, never 0.

No clock, no network, no logging: values only.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, by its index. A text is empty where the driver does not say it."""

    index: str
    driver: str = ""
    cuda: str = ""
    persistence: str = ""
    uncorrected_errors: float | None = None
    row_remap_pending: bool | None = None
    row_remap_failed: bool | None = None
    retired_pages: float | None = None
    retired_pages_pending: bool | None = None
    recovery_action: int | None = None


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine that runs: its dialect's name, and the version that it says itself."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Library:
    """An installed distribution; `requires` are its own requirements, as it declares them."""

    name: str
    version: str
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Space:
    """A file system by a path on it; `free_bytes` is what is left to a user without privileges."""

    path: str
    size_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Clock:
    """The kernel's word on its clock (adjtimex). `was_synchronised`: at any read of ours so far."""

    synchronised: bool
    max_error_seconds: float
    was_synchronised: bool = False


@dataclass(frozen=True, slots=True)
class Descriptors:
    """File descriptors that a process has open, and how many it may have."""

    component: str
    open: int
    limit: int


@dataclass(frozen=True, slots=True)
class Files:
    """A group of the model's files: the digest now, and the one it had when the engine came up.

    `loaded` is empty while no engine is known to serve.
    """

    component: str
    digest: str
    loaded: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known at one moment."""

    gpus: tuple[Gpu, ...] = ()
    engine: Engine | None = None
    libraries: tuple[Library, ...] = ()
    disks: tuple[Space, ...] = ()
    shared_memory: Space | None = None
    clock: Clock | None = None
    descriptors: tuple[Descriptors, ...] = ()
    files: tuple[Files, ...] = ()
    kernel: str = ""
