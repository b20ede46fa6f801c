"""How often each device raised each Xid, as counters that are there before the first.

No clock, no network, no logging: same arguments, same answer.
"""

from dataclasses import dataclass

from tidegauge.catalog import gpu_health as catalog
from tidegauge.samples import Sample
from tidegauge.sources.gpu.xids import KNOWN

OTHERS_AT_MOST = 32
"""Codes beyond the known ones that get a series of their own; the rest is counted as `other`."""

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Xid:
    """`at` is in Unix seconds."""

    gpu: int
    uuid: str
    xid: int
    at: float


class XidLedger:
    """Counts for as long as it lives; keep it where a restart of what watches doesn't reach."""

    def __init__(self) -> None:
        self._codes = {str(known.code) for known in KNOWN}
        self._counts: dict[tuple[str, str, str], int] = {}
        self._latest: dict[tuple[str, str, str], float] = {}

    def watch(self, gpu: int, uuid: str) -> None:
        """The device's known Xids, at 0 unless they were counted before."""
        for known in KNOWN:
            self._counts.setdefault((str(gpu), uuid, str(known.code)), 0)

    def add(self, xid: Xid) -> None:
        """Count one."""
        self.watch(xid.gpu, xid.uuid)
        labels = (str(xid.gpu), xid.uuid, self._code(xid.xid))
        self._counts[labels] = self._counts.get(labels, 0) + 1
        self._latest[labels] = max(xid.at, self._latest.get(labels, xid.at))

    def samples(self) -> tuple[Sample, ...]:
        """All counters, and when each Xid that happened did so last.

        >>> ledger = XidLedger()
        >>> ledger.add(Xid(0, "GPU-a", 79, at=1700000000.0))
        >>> [s.value for s in ledger.samples() if s.labels == ("0", "GPU-a", "79")]
        [1.0, 1700000000.0]
        """
        return (
            *(Sample(catalog.XID_ERRORS, float(n), labels) for labels, n in self._counts.items()),
            *(Sample(catalog.XID_LAST, at, labels) for labels, at in self._latest.items()),
        )

    def _code(self, xid: int) -> str:
        code = str(xid)
        if code not in self._codes:
            if len(self._codes) >= len(KNOWN) + OTHERS_AT_MOST:
                return OTHER
            self._codes.add(code)
        return code
