"""Features in the engine's process: at once, or with vectors where the engine asks for them."""

from collections.abc import Callable

from tidegauge.traffic.ended import Ended
from tidegauge.traffic.measuring import Measuring, Record, with_features
from tidegauge.traffic.measuring_in_loop import measuring_in_loop
from tidegauge.traffic.texts.vector_settings import Result, VectorSettings, VectorTallies


class Featuring:
    """Makes features of what has ended. `left_out` hears of each exchange without its vectors."""

    def __init__(self, settings: VectorSettings, left_out: Callable[[], None]) -> None:
        self._settings = settings
        self._tallies = _Tallies(left_out)
        self._measuring: Measuring | None = None

    def measure(self, ended: Ended, record: Record) -> None:
        """Call `record` with the exchange and its features: now, or once its vectors are made."""
        if not self._settings.kinds:
            record(with_features(ended))  # needs no event loop of asyncio's
            return
        if self._measuring is None:
            self._measuring = measuring_in_loop(self._settings, self._tallies)
        self._measuring.measure(ended, record)

    def close(self) -> None:
        """Record at once whatever waits for its vectors."""
        if self._measuring:
            self._measuring.close()
        self._measuring = None


class _Tallies(VectorTallies):
    def __init__(self, left_out: Callable[[], None]) -> None:
        super().__init__()
        self._left_out = left_out

    def count(self, result: Result) -> None:
        if result not in {"made", "sampled_out"}:
            self._left_out()
