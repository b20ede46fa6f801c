"""Where references lie in a directory, and how they are read and written: whole or not at all.

The sidecar and `tidegauge reference promote` both go by this. A file is for its owner alone, since
a sample of vectors is in it.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

from tidegauge.drift.reference import DriftReferenceError, Reference
from tidegauge.drift.reference_text import MAX_TEXT_BYTES, dump, load

Kind = Literal["reference", "candidate", "previous", "learning"]
"""reference: the one in use; candidate: a recent ordinary period, to be promoted; previous: the one
before the last promotion; learning: a reference that is still being learned."""

Named = Kind | Literal["usual"]
"""usual: no reference, but what has been counted since to make thresholds of."""

Stamp = tuple[int, int, int]
"""Tells a file from the one that was there before."""

_UNFINISHED = ".unfinished"
_SLUG_LONGEST = 150  # with a kind, and what a temporary name adds, below 255 bytes
_SLUG_KEPT = 100


class DriftFileError(Exception):
    """A file can't be read or written; one line, with its path."""


class DriftFiles:
    """The references of all models in one directory; it is made when something is written."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, model: str, kind: Named = "reference") -> Path:
        """Where a model's is."""
        return self.directory / f"{slug(model)}.{kind}.json"

    def read(self, model: str, kind: Kind = "reference") -> Reference | None:
        """What is there for the model; None if nothing is.

        Raises:
            DriftFileError: it cannot be read.
            DriftReferenceError: it is no reference, or another model's.
        """
        path = self.path(model, kind)
        try:
            reference = read_reference(path)
        except FileNotFoundError:
            return None
        if reference.model != model:
            wrong = f"{path}: is of model {reference.model!r}, not of {model!r}"
            raise DriftReferenceError(wrong)
        return reference

    def write(self, reference: Reference, kind: Kind = "reference") -> None:
        """Put it in the place of what is there.

        Raises:
            DriftFileError: it cannot be written; what was there still is.
        """
        self._make()
        write_reference(self.path(reference.model, kind), reference)

    def write_usual(self, model: str, text: str) -> None:
        """Put what has been counted in the place of what is there.

        Raises:
            DriftFileError: it cannot be written; what was there still is.
        """
        self._make()
        _write(self.path(model, "usual"), text)

    def read_usual(self, model: str) -> bytes | None:
        """What has been counted; None if nothing is there.

        Raises:
            DriftFileError: it cannot be read.
        """
        path = self.path(model, "usual")
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DriftFileError(f"{path}: cannot be read: {error.strerror}") from None

    def remove(self, model: str, kind: Kind) -> None:
        """Let go of it, if it is there.

        Raises:
            DriftFileError: it cannot be removed.
        """
        path = self.path(model, kind)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise DriftFileError(f"{path}: cannot be removed: {error.strerror}") from None

    def stamp(self, model: str, kind: Kind = "reference") -> Stamp | None:
        """That of the file that is there now; None where there is none, or none can be seen."""
        try:
            found = self.path(model, kind).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def models(self, kind: Kind = "reference") -> tuple[str, ...]:
        """Those that one is there of; a name so long that it was cut is left out."""
        ending = f".{kind}.json"
        names = (name.removesuffix(ending) for name in self._names() if name.endswith(ending))
        return tuple(sorted(unquote(name) for name in names if "+" not in name and name[0] != "."))

    def set_aside(self, model: str, kind: Named, *, ending: str) -> Path:
        """Rename it, in the place of an earlier one with that ending; its new path.

        Raises:
            DriftFileError: it cannot be renamed.
        """
        path = self.path(model, kind)
        try:
            return path.replace(path.with_name(f"{path.name}.{ending}"))
        except OSError as error:
            raise DriftFileError(f"{path}: cannot be set aside: {error.strerror}") from None

    def tidy(self, *, before: float) -> None:
        """Remove what writers that were killed before this Unix time left half written."""
        for name in self._names():
            if name.startswith(".") and name.endswith(_UNFINISHED):
                path = self.directory / name
                with suppress(OSError):
                    if path.stat().st_mtime < before:
                        path.unlink()

    def _make(self) -> None:
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DriftFileError(f"{self.directory}: {error.strerror}") from None

    def _names(self) -> Iterator[str]:
        with suppress(OSError):
            yield from os.listdir(self.directory)  # noqa: PTH208  # names are all we want


def slug(model: str) -> str:
    """A model's name as the beginning of a file's: percent-encoded, a long one cut and hashed.

    >>> slug("meta-llama/Llama-3.1-8B")
    'meta-llama%2FLlama-3.1-8B'
    """
    encoded = quote(model, safe="", errors="surrogatepass")
    if encoded.startswith("."):
        encoded = f"%2E{encoded[1:]}"
    if len(encoded) <= _SLUG_LONGEST:
        return encoded
    digest = sha256(model.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{encoded[:_SLUG_KEPT]}+{digest}"  # quote() leaves no + of a name's own


def read_reference(path: Path) -> Reference:
    """The reference in a file.

    Raises:
        FileNotFoundError: nothing is there.
        DriftFileError: it cannot be read.
        DriftReferenceError: it is none; the message begins with the path.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # to open a pipe waits for somebody to write
            raise DriftFileError(f"{path}: is no file")
        if found.st_size > MAX_TEXT_BYTES:
            limit = f"a reference has at most {MAX_TEXT_BYTES}"
            raise DriftReferenceError(f"{path}: {found.st_size} bytes; {limit}")
        text = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DriftFileError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return load(text)
    except DriftReferenceError as error:
        raise type(error)(f"{path}: {error}") from None


def write_reference(path: Path, reference: Reference) -> None:
    """Readers see the old file or the new one, whole, even if we are killed on the way.

    Raises:
        DriftFileError: it cannot be written; what was there still is.
    """
    _write(path, dump(reference))


def _write(path: Path, text: str) -> None:
    try:
        _replace(path, text)
    except OSError as error:
        raise DriftFileError(f"{path}: cannot be written: {error.strerror}") from None


def _replace(path: Path, text: str) -> None:
    descriptor, unfinished = tempfile.mkstemp(  # mode 0600
        dir=path.parent, prefix=f".{path.name[:_SLUG_LONGEST]}.", suffix=_UNFINISHED
    )
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            _give_to_owner_of(path.parent, file.fileno())
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _give_to_owner_of(directory: Path, descriptor: int) -> None:
    """Root promotes in the directory of a sidecar whose user must be able to read the file."""
    if os.geteuid() == 0:
        owner = directory.stat()
        with suppress(OSError):
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _sync(directory: Path) -> None:
    """So that the new name outlives a power cut; not every file system can."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
