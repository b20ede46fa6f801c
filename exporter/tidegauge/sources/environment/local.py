"""Facts about this machine that may take time to read, or hang with a file system: for a thread."""

import os
import platform
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from tidegauge.sources.environment import libraries, open_files
from tidegauge.sources.environment.facts import Clock, Descriptors, Library, Space
from tidegauge.sources.environment.file_systems import space_at
from tidegauge.sources.environment.kernel_clock import KernelClock

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 -- it is looked at, nothing is put there

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look. `engine_process` is a part of the engine's command line; empty: don't look."""

    disks: tuple[Path, ...] = ()
    shared_memory: Path = SHARED_MEMORY
    libraries: Path | None = None
    library_names: tuple[str, ...] = ()
    engine_process: str = ""


@dataclass(frozen=True, slots=True)
class Local:
    """What was read; `problems` are (what, why not), for those that were asked for."""

    disks: tuple[Space, ...] = ()
    shared_memory: Space | None = None
    libraries: tuple[Library, ...] = ()
    descriptors: tuple[Descriptors, ...] = ()
    clock: Clock | None = None
    kernel: str = ""
    problems: tuple[tuple[str, str], ...] = ()


class LocalReader:
    """Reads everything that `places` names; each failure costs its own fact."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._clock = KernelClock()

    def read(self) -> Local:
        yield_to_others()
        places, tries = self._places, _Tries()
        disks = (tries.one(f"disk {path}", partial(space_at, path)) for path in places.disks)
        words = places.engine_process
        descriptors = (
            tries.one("own descriptors", open_files.own),
            tries.one("engine's descriptors", partial(open_files.engine, words)) if words else None,
        )
        return Local(
            disks=tuple(space for space in disks if space),
            shared_memory=tries.one("shared memory", partial(space_at, places.shared_memory)),
            libraries=self._libraries(tries),
            descriptors=tuple(one for one in descriptors if one),
            clock=tries.one("clock", self._clock.read),
            kernel=platform.release(),
            problems=tuple(tries.problems),
        )

    def _libraries(self, tries: "_Tries") -> tuple[Library, ...]:
        folder, names = self._places.libraries, self._places.library_names
        if folder is None:
            return ()
        what = f"libraries {folder}"
        return tries.one(what, partial(libraries.installed, folder, names)) or ()


class _Tries:
    """What was tried, and what came in the way."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []

    def one(self, what: str, ask: Callable[[], Fact]) -> Fact | None:
        try:
            return ask()
        except (OSError, ValueError) as error:  # ValueError: a file that is not as it should be
            self.problems.append((what, str(error)))
            return None


def yield_to_others() -> None:
    """Lowest priority for the calling thread: on Linux, priorities belong to threads."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
