"""Memory of models that are watched and learn."""

import gc
import tracemalloc
from collections.abc import Iterator, Sequence

from benchmarks.measuring.drift_parts import BEGIN, DAY, SETTINGS, TICK_SECONDS
from tidegauge.drift.monitor import Model
from tidegauge.drift.reference import Reference
from tidegauge.drift.row import Row, row_of
from tidegauge.drift.sketch import BLOCK_SECONDS, MAX_BLOCKS, Sketch
from tidegauge.drift.watched import Watched
from tidegauge.traffic.exchange import Exchange

MODELS = 100
IN_BLOCK = 2  # requests: a block is at its largest from some tens on, and then twice as large
MEBI = 2**20


def memory(exchanges: Sequence[Exchange]) -> Iterator[dict[str, object]]:
    """A line with vectors and one without; `exchanges` have vectors."""
    rows = [row_of(exchange) for exchange in exchanges]
    without = [Row(row.cells) for row in rows]
    for name, of in (("with both vectors", rows), ("lengths and shares only", without)):
        one, more = _taken(of)
        yield {
            "case": f"memory, {name}",
            "blocks": MAX_BLOCKS,
            "model_mib": round(one, 2),
            f"models_{MODELS}_mib": round(one + more * (MODELS - 1), 1),
        }


def _taken(rows: Sequence[Row]) -> tuple[float, float]:
    """Mebibytes that a model takes while it is kept, and that another one takes beside it."""
    gc.collect()
    tracemalloc.start()
    kept, taken = list[Model](), list[float]()
    for number in range(2):
        kept.append(_watched(f"model-{number}", rows))
        gc.collect()
        taken.append(tracemalloc.get_traced_memory()[0] / MEBI)
    tracemalloc.stop()
    first, both = taken
    return first, both - first


def _watched(name: str, rows: Sequence[Row]) -> Model:
    """With a reference and something learned that both have as many blocks as may be.

    The rows themselves are not counted: a sketch keeps those of its sample packed, as its own.
    """
    model = Model(name, SETTINGS, learns=True)
    model.watched = Watched(Reference.of(_full(name, rows, BEGIN), made_by="benchmark"), SETTINGS)
    model.resume(_full(name, rows, BEGIN + DAY), alarmed=False)
    for number, row in enumerate(rows, 1):
        model.watched.observe(row)
        if number % IN_BLOCK == 0:
            model.watched.tick(now=number / IN_BLOCK * TICK_SECONDS)
    return model


def _full(name: str, rows: Sequence[Row], begin: float) -> Sketch:
    sketch = Sketch(name)
    for number in range(MAX_BLOCKS * IN_BLOCK):
        sketch.add(rows[number % len(rows)], at=begin + number * BLOCK_SECONDS / IN_BLOCK)
    return sketch
