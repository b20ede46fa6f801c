"""A new reference in the place of the one in use, and the way back."""

from collections.abc import Iterator
from pathlib import Path

from tidegauge.cli.reference.showing import change_lines, head
from tidegauge.drift.reference import DriftReferenceError, Reference
from tidegauge.sources.drift_files import DriftFileError, DriftFiles, read_reference


def promote(files: DriftFiles, model: str, *, given: Path | None) -> Iterator[str]:
    """Make the candidate, or the file that is given, the reference; lines of what happened.

    What is said of the change comes before it is made. The one in use is kept as the previous one
    first, so that there is a whole reference at every moment.

    Raises:
        DriftReferenceError: there is no candidate, or it is none.
        DriftFileError: a file cannot be read or written.
    """
    candidate = _candidate(files, model, given)
    yield from _taking(files, model, candidate)
    if given is None:
        files.remove(model, "candidate")


def promote_back(files: DriftFiles, model: str) -> Iterator[str]:
    """Swap the reference with the previous one; lines of what happened.

    Raises:
        DriftReferenceError: there is no previous one, or it is none.
        DriftFileError: a file cannot be read or written.
    """
    previous = files.read(model, "previous")
    if previous is None:
        path = files.path(model, "previous")
        raise DriftReferenceError(f"{path}: is not there; nothing was promoted before")
    yield from _taking(files, model, previous)


def _candidate(files: DriftFiles, model: str, given: Path | None) -> Reference:
    if given is None:
        candidate, path = files.read(model, "candidate"), files.path(model, "candidate")
        if candidate is None:
            raise DriftReferenceError(
                f"{path}: is not there; a sidecar writes it once it has seen a whole period, "
                "or give a reference with --candidate"
            )
        return candidate
    candidate = _read(given)
    if candidate.model != model:
        raise DriftReferenceError(f"{given}: is of model {candidate.model!r}, not of {model!r}")
    return candidate


def _read(path: Path) -> Reference:
    try:
        return read_reference(path)
    except FileNotFoundError:
        raise DriftReferenceError(f"{path}: is not there") from None


def _taking(files: DriftFiles, model: str, taken: Reference) -> Iterator[str]:
    path = files.path(model)
    try:
        before = files.read(model)
    except (DriftReferenceError, DriftFileError) as error:
        # It is of no use to the sidecar either; that must not stand in the way of a good one.
        before = None
        yield f"note: the one in use is lost: {error}"
    if before is not None:
        yield from change_lines(before, taken)
        yield ""
        if before.digest != taken.digest:
            files.write(before, "previous")
    files.write(taken)
    yield f"{path}: {head(taken)}"
    if before is not None:
        yield f"{files.path(model, 'previous')}: {head(before)}"
