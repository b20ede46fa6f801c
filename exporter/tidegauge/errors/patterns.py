"""Records grouped into patterns: known ones by name, the others by drain3 on what may be shown.

No clock, no network, no logging: same arguments, same answer. drain3 sees masked tokens only, so
nothing that is kept here was ever part of a line: counts, times, words of the vocabulary, and
salted 64-bit hashes of lines, which name a line's pattern without masking it again.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from drain3.drain import Drain

from tidegauge.errors.known import known_as
from tidegauge.errors.known_pattern import Known
from tidegauge.errors.masking import GAP, Mask
from tidegauge.errors.records import Record
from tidegauge.errors.severity import Level
from tidegauge.errors.vocabulary import words

_CLUSTERS = 500  # the one that was needed longest ago gives way
_DEPTH = 4
_CHILDREN = 2000  # more than the vocabulary has words: few clusters are compared with each message
_ALIKE = 0.8  # the share of words that two messages of one pattern have in common
_REMEMBERED = 20_000  # lines whose pattern is remembered by their hash
_MASKED = 5000  # masked messages whose pattern is remembered
# A message that was never there costs up to a millisecond in drain3. A log whose every message is
# new is noise: of it one in twenty is mined after the first _NEW, and the rest is one pattern.
_NEW = 2000
_NEW_EACH = 0.05
_MINED: frozenset[Level] = frozenset({"warning", "error", "fatal"})
_DIGITS = str.maketrans("123456789", "000000000")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What records have in common. `shows` is all that anybody sees of them."""

    id: str
    shows: str
    severity: Level
    known: Known | None = None


class Patterns:
    """Says which pattern a record belongs to. `more_words` may be shown too."""

    def __init__(self, more_words: Iterable[str] = ()) -> None:
        self._mask = Mask(words(more_words))
        self._drain = Drain(
            depth=_DEPTH,
            sim_th=_ALIKE,
            max_children=_CHILDREN,
            max_clusters=_CLUSTERS,
            param_str=GAP,
            parametrize_numeric_tokens=False,
        )
        self._named: OrderedDict[int, str] = OrderedDict()  # a cluster's first words, its id
        self._masked: dict[tuple[str, Level], Pattern] = {}
        self._new = float(_NEW)
        self._remembered: dict[tuple[int, Level], Pattern | None] = {}

    @property
    def size(self) -> int:
        """How many things are remembered: clusters, their names, masked messages, hashes."""
        drain3 = len(self._drain.clusters) + len(self._named)
        return drain3 + len(self._masked) + len(self._remembered)

    def of(self, record: Record) -> Pattern | None:
        """The record's pattern; None for one that is no worse than information."""
        # A number's digits don't make another pattern: most lines of one kind are one key.
        key = (hash((record.message + "\n" + record.ending).translate(_DIGITS)), record.level)
        try:
            return self._remembered[key]
        except KeyError:
            pass
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        found = self._remembered[key] = self._found(record)
        return found

    def _found(self, record: Record) -> Pattern | None:
        for text in (record.ending, record.message):
            if text and (known := known_as(text, record.level)):
                return Pattern(known.name, known.shows, known.severity, known)
        if record.level not in _MINED:
            return None
        tokens = (*self._mask.tokens(record.message), *self._mask.tokens(record.ending))
        self._new = min(self._new + _NEW_EACH, _NEW)
        return self._by_mask(" ".join(tokens), record.level)

    def _by_mask(self, masked: str, level: Level) -> Pattern:
        known = self._masked.get((masked, level))
        if known is not None:
            return known
        if self._new < 1:
            return Pattern(_NOISE, GAP, level)
        self._new -= 1
        if len(self._masked) >= _MASKED:
            self._masked.clear()
        found = self._masked[masked, level] = self._mined(masked, level)
        return found

    def _mined(self, masked: str, level: Level) -> Pattern:
        cluster, _ = self._drain.add_log_message(masked)
        shows = self._named.get(cluster.cluster_id)
        if shows is None:
            shows = self._named[cluster.cluster_id] = cluster.get_template() or GAP
            if len(self._named) > _CLUSTERS:
                self._named.popitem(last=False)
        return Pattern(_id(shows), shows, level)


def _id(shows: str) -> str:
    """The same on every replica and after every restart. Of what is shown, so it tells no more."""
    return "p" + hashlib.sha256(shows.encode()).hexdigest()[:10]


_NOISE = _id(GAP)
