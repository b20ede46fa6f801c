"""The models that are watched, each at its stage: learning its first reference, or scored.

No clock, no network, no logging: same arguments, same answer. What takes long, or touches a file,
is somebody else's: a reference that has been learned is given out, and taken in when it is ready.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tidegauge.catalog import drift as catalog
from tidegauge.drift.learning import Learning
from tidegauge.drift.row import Row, row_of
from tidegauge.drift.settings import DriftSettings
from tidegauge.drift.sketch import Sketch
from tidegauge.drift.watched import Watched
from tidegauge.samples import Sample
from tidegauge.traffic.exchange import Exchange


class DriftMonitor:
    """`models` are those that are watched; with `learns`, also those without a reference."""

    def __init__(self, models: Iterable[str], settings: DriftSettings, *, learns: bool) -> None:
        self.settings = settings
        self.learns = learns
        self.models: Mapping[str, Model] = {
            name: Model(name, settings, learns=learns) for name in models
        }

    def observe(self, exchange: Exchange, *, at: float) -> None:
        """Take note of an exchange if it ended well. `at`: seconds of the wall clock."""
        model = self.models.get(exchange.model)
        if model is not None and exchange.outcome == "ok":
            row = row_of(exchange)
            model.observe(row, at=at)

    def take_over(self, before: "DriftMonitor") -> None:
        """Go on where another monitor was, which is told of nothing more.

        Models that are watched as before go on being scored; the others are scored anew. Both must
        be told of vectors of one embedding.
        """
        for name, model in self.models.items():
            known = before.models.get(name)
            if known is None:
                continue
            if self.learns and before.learns:
                model.resume(known.learning.sketch, alarmed=known.alarmed)
            if self.settings == before.settings:
                model.watched = known.watched


@dataclass(frozen=True, slots=True)
class Learned:
    """A period that is over. `alarmed`: not all of it was as the reference has it."""

    sketch: Sketch
    alarmed: bool


class Model:
    """One of them. `watched` is None until there is a reference.

    What is learned goes on all the time: once there is a reference, to have another one at hand.
    `alarmed`: a side was over its threshold since this period of learning began; `resumed`: the
    period began with somebody else.
    """

    def __init__(self, name: str, settings: DriftSettings, *, learns: bool) -> None:
        self.name = name
        self._learns = learns
        self.watched: Watched | None = None
        self.learning = self._fresh(Sketch(name), settings)
        self.alarmed = False
        self.resumed = False
        self._settings = settings
        self._last: float | None = None

    def observe(self, row: Row, *, at: float) -> None:
        """A request that ended well at `at`, in seconds of the wall clock."""
        if self._learns:
            self.learning.add(row, at=at)
        if self.watched:
            self.watched.observe(row)

    def resume(self, sketch: Sketch, *, alarmed: bool) -> None:
        """Go on learning where another was before us; what has come since then counts, too."""
        self.resumed = True
        self.alarmed = self.alarmed or alarmed
        sketch.join(self.learning.sketch)
        self.learning = self._fresh(sketch, self._settings)

    def tick(self, *, now: float) -> Learned | None:
        """Look at what came; `now`: seconds, of a clock that only rises.

        Returns what has just been learned, if a period is over.
        """
        passed = 0.0 if self._last is None else max(0.0, now - self._last)
        self._last = now
        self.learning.pass_time(passed)
        if self.watched:
            self.watched.tick(now=now)
            self.alarmed = self.alarmed or self.watched.alarms
        if not self.learning.is_over:
            return None
        learned = Learned(self.learning.sketch, alarmed=self.alarmed)
        self.learning = self._fresh(Sketch(self.name), self._settings)
        self.alarmed = False
        return learned

    def samples(self, *, at: float) -> Iterator[Sample]:
        """Its series."""
        if self.watched or self._learns:
            learned = 1.0 if self.watched else self.learning.ratio
            yield Sample(catalog.LEARNED_RATIO, learned, (self.name,))
        if self.watched:
            yield from self.watched.samples(at=at)

    def _fresh(self, sketch: Sketch, settings: DriftSettings) -> Learning:
        return Learning(sketch, seconds=settings.warmup_seconds, requests=settings.warmup_requests)
