"""Which versions of named libraries are installed in a folder of Python packages."""

from collections.abc import Sequence
from importlib.metadata import Distribution
from pathlib import Path

from tidegauge.sources.environment.facts import Library


def installed(folder: Path, names: Sequence[str]) -> tuple[Library, ...]:
    """Those of `names` that `folder` (a site-packages) has, in the order of the names.

    Only their metadata is read: nothing of the engine is imported.

    Raises:
        OSError: there is no such folder, or it may not be read.
    """
    found = {
        path.name.partition("-")[0].lower(): path for path in sorted(folder.glob("*.dist-info"))
    }
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no folder of Python packages")
    paths = ((name, found.get(name.lower().replace("-", "_"))) for name in names)
    libraries = (_library(name, path) for name, path in paths if path)
    return tuple(library for library in libraries if library.version)


def _library(name: str, path: Path) -> Library:
    if not (path / "METADATA").is_file():  # what a broken upgrade leaves behind
        return Library(name, "")
    metadata = Distribution.at(path)
    return Library(name, metadata.version or "", tuple(metadata.requires or ()))
