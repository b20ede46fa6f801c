"""References as a running sidecar keeps them: whatever is wrong with a file is one line in the log.

Nothing here raises: a file that cannot be used is set aside, one that cannot be written is tried
again when the caller next writes it, and drift goes on with what it has in memory.
"""

import json
import logging
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from tidegauge.drift.reference import DriftReferenceError, DriftVersionError, Reference
from tidegauge.drift.sequence import State
from tidegauge.sources.drift_files import DriftFileError, DriftFiles, Kind, Named, Stamp

logger = logging.getLogger(__name__)

_Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_STATE = TypeAdapter(dict[str, dict[str, Annotated[list[_Number], Field(min_length=2)]]])
_OTHER = "other-version"
_CORRUPT = "corrupt"


class DriftStore:
    """The files of all models.

    Reads and writes wait for the disk; one at a time, in whichever thread. `changed` may be asked
    meanwhile.
    """

    def __init__(self, files: DriftFiles) -> None:
        self.files = files
        self._known: dict[str, Stamp | None] = {}
        self._failing: set[tuple[str, str]] = set()

    def load(self, model: str, kind: Kind = "reference") -> Reference | None:
        """What is kept for a model; None if nothing is that can be used."""
        if kind == "reference":
            # Before reading: what replaces the file while we read it must be seen as a change.
            self._known[model] = self.files.stamp(model)
        try:
            reference = self.files.read(model, kind)
        except DriftFileError as error:
            self._failed(model, f"read {kind}", error)
            return None
        except DriftReferenceError as error:
            self._set_aside(model, kind, error)
            return None
        self._failing.discard((model, f"read {kind}"))
        return reference

    def save(self, reference: Reference, kind: Kind = "reference") -> bool:
        """Whether it is kept now; where not, the file that was there still is."""
        model = reference.model
        try:
            self.files.write(reference, kind)
        except DriftFileError as error:
            self._failed(model, f"write {kind}", error)
            return False
        if kind == "reference":
            self._known[model] = self.files.stamp(model)
        if (model, f"write {kind}") in self._failing:
            self._failing.discard((model, f"write {kind}"))
            logger.info("drift file written again", extra={"model": model, "kind": kind})
        return True

    def load_usual(self, model: str) -> State:
        """What had been counted to make thresholds of; nothing if that is not there, or damaged."""
        try:
            text = self.files.read_usual(model)
            return {} if text is None else _STATE.validate_json(text)
        except DriftFileError as error:
            self._failed(model, "read usual", error)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]["msg"]
            self._set_aside(model, "usual", DriftReferenceError(first))
        return {}

    def save_usual(self, model: str, state: State) -> None:
        """Keep what has been counted."""
        try:
            self.files.write_usual(model, json.dumps(state))
        except DriftFileError as error:
            self._failed(model, "write usual", error)
        else:
            self._failing.discard((model, "write usual"))

    def remove(self, model: str, kind: Kind) -> None:
        """Let go of what is kept."""
        try:
            self.files.remove(model, kind)
        except DriftFileError as error:
            self._failed(model, f"remove {kind}", error)

    def changed(self, model: str) -> bool:
        """Whether somebody has put another reference there since we read or wrote it; one stat.

        One that was removed is no change: what was read goes on being used.
        """
        now = self.files.stamp(model)
        return now is not None and now != self._known.get(model)

    def _set_aside(self, model: str, kind: Named, error: DriftReferenceError) -> None:
        ending = _OTHER if isinstance(error, DriftVersionError) else _CORRUPT
        facts = {"model": model, "kind": kind, "error": str(error)}
        try:
            aside = self.files.set_aside(model, kind, ending=ending)
        except DriftFileError as also:
            self._failed(model, f"read {kind}", DriftFileError(f"{error}; {also}"))
            return
        logger.error("drift file set aside", extra={**facts, "file": aside.name})

    def _failed(self, model: str, what: str, error: DriftFileError) -> None:
        """Once is news; it is said again after it has gone well."""
        if (model, what) not in self._failing:
            self._failing.add((model, what))
            extra = {"model": model, "what": what, "error": str(error)}
            logger.error("drift file failed", extra=extra)
