"""Who makes most of something, of any number of keys, in bounded memory: counters with names.

No clock, no network, no logging: `now` is an argument. Why it promises what it does: docs/adr/0022.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace

# What an event weighs halves with every HALF_LIFE_EVENTS * top events that come after it.
HALF_LIFE_EVENTS = 50

# Places per name: a key that is not remembered is taken to weigh up to 1/19 of what a name is for.
PLACES_PER_NAME = 20

# A series more in Prometheus is for good: beyond the first `top`, as many names as that at once,
# and then one a minute.
SECONDS_PER_NAME = 60.0

# Weights grow instead of all of them shrinking; a power of two takes nothing from their digits.
_GROWN = 2.0**400


@dataclass(slots=True)
class _Entry:
    """`weight` is never too low. `total` was counted while it had its name.

    `light`: it stands in the heap of those that may have to go.
    """

    weight: float
    total: float = 0.0
    named: bool = False
    light: bool = False


class Top:
    """Amounts by key, for the `top` keys that count most lately; all others are one sum.

    Each amount is added, once, to the counter of its key if that has a name at the time, else to
    `others`. So every counter only grows, and what they grow by is all that was added. A key that
    loses its name goes on in `others`; when it gets it back its counter goes on from where it was,
    unless so many others came meanwhile that it was forgotten (then it is new, from 0).

    The promise: whoever makes more than 1/top of the recent weight has a name from its next event
    on. Recent is what `HALF_LIFE_EVENTS` says. The first `top` keys get theirs at once; after that
    a name is for half of 1/top, so that chance does not pass names around.

    SpaceSaving (Metwally, Agrawal, El Abbadi, 2005) on weights that fade: a key that is not
    remembered takes the place of the lightest, and its weight, so that all weights always add up
    to everything. A newcomer needs 1 + 1/(2 top) times the weight of the lightest name: with more
    than 1/top it has that, or the names and it would add up to more than everything.
    """

    def __init__(self, top: int) -> None:
        self._top = top
        self._places = PLACES_PER_NAME * top
        self._growth = 2.0 ** (1 / (HALF_LIFE_EVENTS * top))
        self._unit = 1.0
        self._all = 0.0
        self._entries: dict[str, _Entry] = {}
        self._named: set[str] = set()
        # The lightest of those without a name: (weight when it was put there, key), each once.
        self._light: list[tuple[float, str]] = []
        self._others = 0.0
        self._names_left = float(top)
        self._names_at: float | None = None

    @property
    def others(self) -> float:
        """What was added for keys that had no name at the time."""
        return self._others

    def named(self) -> dict[str, float]:
        """The counter of each key that has a name now; `top` of them at most."""
        return {key: self._entries[key].total for key in self._named}

    def add(self, key: str, amount: float, *, now: float) -> None:
        """Add `amount`, at least 0, for `key`. `now` is in seconds and does not go back."""
        entry = self._weighed(key, amount)
        if not entry.named and self._deserves(entry):
            self._give_name(key, entry, now)
        if entry.named:
            entry.total += amount
        else:
            self._others += amount

    def _weighed(self, key: str, amount: float) -> _Entry:
        self._unit *= self._growth
        if self._unit > _GROWN:
            self._shrink()
        self._all += amount * self._unit
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = self._place()
            self._lighten(key, entry)
        entry.weight += amount * self._unit
        return entry

    def _place(self) -> _Entry:
        """A place for a key that has none; the lightest without a name gives up its own."""
        if len(self._entries) < self._places:
            return _Entry(0.0)
        while True:
            weight, key = self._light[0]
            entry = self._entries[key]
            if entry.named:
                heappop(self._light)
                entry.light = False
            elif entry.weight > weight:
                heapreplace(self._light, (entry.weight, key))
            else:
                heappop(self._light)
                del self._entries[key]
                return _Entry(entry.weight)

    def _deserves(self, entry: _Entry) -> bool:
        if len(self._named) < self._top:
            return True
        if entry.weight < self._all / (2 * self._top):
            return False
        return entry.weight > self._entries[self._least()].weight * (1 + 1 / (2 * self._top))

    def _give_name(self, key: str, entry: _Entry, now: float) -> None:
        if len(self._named) == self._top:
            if not self._may_name(now):
                return
            least = self._least()
            self._named.remove(least)
            self._entries[least].named = False
            self._lighten(least, self._entries[least])
        self._named.add(key)
        entry.named = True

    def _may_name(self, now: float) -> bool:
        since = 0.0 if self._names_at is None else now - self._names_at
        self._names_at = now
        self._names_left = min(self._top, self._names_left + since / SECONDS_PER_NAME)
        if self._names_left < 1:
            return False
        self._names_left -= 1
        return True

    def _least(self) -> str:
        return min(self._named, key=lambda key: self._entries[key].weight)

    def _lighten(self, key: str, entry: _Entry) -> None:
        if not entry.light:
            entry.light = True
            heappush(self._light, (entry.weight, key))

    def _shrink(self) -> None:
        self._unit /= _GROWN
        self._all /= _GROWN
        for entry in self._entries.values():
            entry.weight /= _GROWN
        self._light = [(weight / _GROWN, key) for weight, key in self._light]
        heapify(self._light)
