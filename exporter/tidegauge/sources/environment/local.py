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
        places, problems = self._places, list[tuple[str, str]]()

        def tried(what: str, ask: Callable[[], Fact]) -> tuple[Fact, ...]:
            try:
                return (ask(),)
            except (OSError, ValueError) as error:
                problems.append((what, str(error)))
                return ()

        disks = [tried(f"disk {path}", partial(space_at, path)) for path in places.disks]
        folder, words = places.libraries, places.engine_process
        found = folder and tried(
            f"libraries {folder}", lambda: libraries.installed(folder, places.library_names)
        )
        descriptors = (
            *tried("own descriptors", open_files.own),
            *(tried("engine's descriptors", lambda: open_files.engine(words)) if words else ()),
        )
        return Local(
            disks=tuple(space for one in disks for space in one),
            shared_memory=next(
                iter(tried("shared memory", lambda: space_at(places.shared_memory))), None
            ),
            libraries=found[0] if found else (),
            descriptors=descriptors,
            clock=next(iter(tried("clock", self._clock.read)), None),
            kernel=platform.release(),
            problems=tuple(problems),
        )


def yield_to_others() -> None:
    """Lowest priority for the calling thread: on Linux, priorities belong to threads."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
