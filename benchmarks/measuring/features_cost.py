"""What features and vectors cost, in CPU time, beside two peers on the same texts."""

import json
import statistics
import time
import zlib
from collections.abc import Callable, Mapping, Sequence

from benchmarks.measuring.exchanges import TextPair
from benchmarks.measuring.per_character import shares
from tidegauge.traffic.ended import Ended, Texts
from tidegauge.traffic.exchange import NO_GAPS, Exchange
from tidegauge.traffic.features import features
from tidegauge.traffic.measuring import Measuring
from tidegauge.traffic.texts.feature_vector import feature_vector
from tidegauge.traffic.texts.text_features import text_features
from tidegauge.traffic.texts.vector_settings import VectorSettings, VectorTallies
from tidegauge.traffic.texts.vectors import style_vector
from tidegauge.traffic.texts.vectors_semantic import SemanticMissingError, load

ROUNDS = 40
MICRO = 1e6

Work = Callable[[TextPair], object]


class DifferError(Exception):
    """Our shares are not the peer's."""


def measure(name: str, pairs: Sequence[TextPair]) -> float:
    """Print a JSON line; the microseconds that features cost.

    Raises:
        DifferError: ours and the peer's results differ, so that their costs compare nothing.
    """
    _compare(pairs)
    costs = _alternated(_works(), pairs)
    size = statistics.mean(len((pair.prompt + pair.answer).encode()) for pair in pairs)
    line: dict[str, object] = {"case": name, "exchanges": len(pairs), "bytes": round(size)}
    line |= {f"{work}_us": round(cost * MICRO, 1) for work, cost in costs.items()}
    line["features_by_zlib"] = round(costs["features"] / costs["zlib"], 3)
    line["features_by_per_character"] = round(costs["features"] / costs["per_character"], 3)
    print(json.dumps(line), flush=True)
    return costs["features"] * MICRO


def _works() -> dict[str, Work]:
    works: dict[str, Work] = {
        "features": lambda pair: features(pair.prompt, pair.answer),
        "measuring": _measuring(),
        "style": lambda pair: style_vector(pair.answer),
        "zlib": lambda pair: (
            zlib.compress(pair.prompt.encode()),
            zlib.compress(pair.answer.encode()),
        ),
        "per_character": lambda pair: (shares(pair.prompt), shares(pair.answer)),
    }
    try:
        embed = load()
    except SemanticMissingError as error:
        print(json.dumps({"left_out": "semantic", "because": str(error)}), flush=True)
        return works
    return works | {"semantic": lambda pair: embed(pair.prompt)}


def _zlib(text: str) -> bytes:
    return zlib.compress(text.encode())


def _measuring() -> Work:
    """All that the tap does with texts, and the row that drift gets."""
    measuring = Measuring(
        VectorSettings(),
        hand_back=lambda call: call(),
        tallies=VectorTallies(),
        clock=time.monotonic,
        draw=lambda: 0.0,
    )
    exchange = Exchange("m", True, "ok", 200, "stop", 9.0, 0.5, NO_GAPS, 500, 500, None)  # noqa: FBT003

    def record(measured: Exchange) -> None:
        feature_vector(measured)

    def work(pair: TextPair) -> None:
        measuring.measure(Ended(exchange, Texts(pair.prompt, pair.answer)), record)

    return work


def _compare(pairs: Sequence[TextPair]) -> None:
    for pair in pairs:
        ours = text_features(pair.prompt)
        theirs = shares(pair.prompt)
        if ours is None or (*ours.mix[:5], ours.non_ascii_ratio, ours.newline_ratio) != theirs:
            raise DifferError(f"ours: {ours}, the peer's: {theirs}")


def _alternated(works: Mapping[str, Work], pairs: Sequence[TextPair]) -> dict[str, float]:
    """Median CPU seconds an exchange; the order turns in every round, the first is warm-up."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(ROUNDS + 1):
        for name in sorted(works, reverse=turn % 2 == 1):
            work, begun = works[name], time.thread_time()
            for pair in pairs:
                work(pair)
            if turn:
                times[name].append((time.thread_time() - begun) / len(pairs))
    return {name: statistics.median(values) for name, values in times.items()}
