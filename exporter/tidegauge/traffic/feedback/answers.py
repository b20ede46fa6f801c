"""Which answers feedback can be joined to: for a bounded time, and a bounded number of them.

No clock of its own, no network, no logging. An answer costs about 200 bytes: its key, and one
whole number that holds when it ended, whose it was, and what is thought of it.
"""

from array import array
from collections import deque
from dataclasses import dataclass

from tidegauge.traffic.feedback.rating import VERDICTS, Verdict

_VERDICT_BITS, _STATE_BITS, _OWNER_BITS = 2, 3, 16
_WHEN_BITS = _STATE_BITS + _OWNER_BITS  # below them; the time is above
_MOST_OWNERS = 1 << _OWNER_BITS
_TICKS = 16  # per second: finer than feedback can be told apart, and the number stays small


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is remembered: its model, its version, and its verdict if there is one.

    `categorised` says whether a category was given with a verdict on it.
    """

    model: str
    version: str
    verdict: Verdict | None = None
    categorised: bool = False


class Answers:
    """Remembers `most` answers at most, each for `seconds`; the oldest is forgotten first.

    `now` is of one monotonic clock everywhere.
    """

    def __init__(self, *, most: int = 100_000, seconds: float = 86_400.0) -> None:
        self._most = most
        self._seconds = seconds
        self._held: dict[int, int] = {}
        # In the order in which they ended; a dict has to search for its oldest.
        self._order: deque[int] = deque()
        self._owners: dict[tuple[str, str], int] = {}
        self._named: list[tuple[str, str]] = []
        self._gone = _Gone(most)

    def __len__(self) -> int:
        return len(self._held)

    def bound(self, *, most: int, seconds: float) -> None:
        """Go by other bounds from the next answer on."""
        if most != self._most:
            self._gone = _Gone(most)
        self._most, self._seconds = most, seconds

    def add(self, key: int, *, model: str, version: str, now: float) -> None:
        """An answer has ended. One that is known already stays as it is."""
        self.expire(now)
        if key in self._held:
            return
        while len(self._held) >= self._most:
            self._forget_oldest()
        self._order.append(key)
        self._held[key] = _packed(now, self._owner(model, version))

    def find(self, key: int, now: float) -> Answer | None:
        """What is known of an answer; None if it is not, or no more."""
        self.expire(now)
        packed = self._held.get(key)
        if packed is None:
            return None
        model, version = self._named[packed >> _STATE_BITS & _MOST_OWNERS - 1]
        code = packed & (1 << _VERDICT_BITS) - 1
        categorised = bool(packed >> _VERDICT_BITS & 1)
        return Answer(model, version, VERDICTS[code - 1] if code else None, categorised)

    def judge(self, key: int, verdict: Verdict, *, categorised: bool) -> None:
        """Remember what is thought of an answer that `find` found."""
        cleared = self._held[key] >> _STATE_BITS << _STATE_BITS
        state = categorised << _VERDICT_BITS | VERDICTS.index(verdict) + 1
        self._held[key] = cleared | state

    def is_gone(self, key: int) -> bool:
        """Whether an answer was known once, and is no more; after long, that is forgotten too."""
        return self._gone.has(key)

    def expire(self, now: float) -> None:
        """Forget those that are too old."""
        oldest = _ticks(now - self._seconds)
        while self._order and self._held[self._order[0]] >> _WHEN_BITS < oldest:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        key = self._order.popleft()
        del self._held[key]
        self._gone.add(key)

    def _owner(self, model: str, version: str) -> int:
        """Labels are bounded by configuration; were they not, the last place would be shared."""
        owner = (model, version)
        if owner not in self._owners:
            if len(self._named) == _MOST_OWNERS:
                return _MOST_OWNERS - 1
            self._owners[owner] = len(self._named)
            self._named.append(owner)
        return self._owners[owner]


class _Gone:
    """Keys that were let go, four bytes each; a later one takes the place of an earlier one."""

    def __init__(self, most: int) -> None:
        self._marks = array("I", bytes(4 * most))

    def add(self, key: int) -> None:
        self._marks[key % len(self._marks)] = _mark(key)

    def has(self, key: int) -> bool:
        return self._marks[key % len(self._marks)] == _mark(key)


def _mark(key: int) -> int:
    """Never 0, which an empty place holds."""
    return key >> 32 & 0xFFFFFFFF or 1


def _packed(now: float, owner: int) -> int:
    return (_ticks(now) << _OWNER_BITS | owner) << _STATE_BITS


def _ticks(now: float) -> int:
    return max(0, round(now * _TICKS))
