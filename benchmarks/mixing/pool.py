"""Texts as drift's rows, and windows of any of them as blocks.

Every text becomes what a sidecar would make of it: an Exchange, its row, its vector. Nothing
counted its tokens, so they are estimated at 4 bytes each, rounded up, as poorly as that is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import Block, directions
from tidegauge.drift.cells import CELLS, CHANNELS, SIDES, VECTORS, Side
from tidegauge.drift.row import Row, row_of
from tidegauge.drift.sketch import Sketch
from tidegauge.traffic.exchange import NO_GAPS, Exchange
from tidegauge.traffic.features import features
from tidegauge.traffic.texts.feature_vector import COLUMNS, feature_vector
from tidegauge.traffic.texts.vectors import DIMENSIONS, style_vector

BYTES_PER_TOKEN = 4
_TIMED = next(channel for channel in CHANNELS if channel.name == "answer_seconds_per_token")

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
Embed = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Texts of one side. `columns`: (texts, channels of the side), raw, NaN where not known.

    `cells`: (texts, channels) places in a row of counts, CELLS where not known; `has`: (texts,)
    whether there is a vector; `vectors`: (texts, 256), directions.
    """

    side: Side
    rows: Sequence[Row]
    columns: Numbers
    cells: Places
    has: NDArray[np.bool_]
    vectors: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.rows)

    def block(self, places: Places) -> Block:
        """These texts as one window, a text as often as it is named."""
        vector = SIDES.index(self.side)
        known, sums = np.zeros(len(VECTORS), np.int64), np.zeros((len(VECTORS), DIMENSIONS), int)
        known[vector] = self.has[places].sum()
        sums[vector] = self.vectors[places].sum(axis=0, dtype=np.int64)
        counts = np.bincount(self.cells[places].ravel(), minlength=CELLS + 1)[:CELLS]
        return Block.of(len(places), counts=counts, vectors=known, sums=sums)

    def sketch(self, places: Places) -> Sketch:
        """These texts as a reference, one a second."""
        sketch = Sketch("texts")
        for second, place in enumerate(places.tolist()):
            sketch.add(self.rows[place], at=float(second))
        return sketch

    def directions(self, places: Places) -> Numbers:
        """Of those of these texts that have a vector, (some, 256)."""
        return self.vectors[places[self.has[places]]].astype(np.float64)


def pool(side: Side, texts: Sequence[str], embed: Embed | None) -> Pool:
    """Prompts, with `embed` for their vectors, or answers, with style vectors."""
    exchanges = [_exchange(side, text) for text in texts]
    rows = [
        _row(side, exchange, _vector(side, text, embed))
        for text, exchange in zip(texts, exchanges, strict=True)
    ]
    cells = np.full((len(rows), max(len(row.cells) for row in rows)), CELLS)
    for place, row in zip(cells, rows, strict=True):
        place[: len(row.cells)] = row.cells
    made = [row.vectors[SIDES.index(side)] for row in rows]
    vectors = np.zeros((len(rows), DIMENSIONS), np.int16)
    for vector, bytes_ in zip(vectors, made, strict=True):
        if bytes_ is not None:
            vector[:] = directions(bytes_)[0]
    return Pool(
        side,
        rows,
        _columns(side, exchanges),
        cells,
        np.array([b is not None for b in made]),
        vectors,
    )


def names(side: Side) -> Sequence[str]:
    """Of the columns of a pool."""
    return [c.name for c in CHANNELS if c.side == side and c.name not in _left_out()]


def _left_out() -> Sequence[str]:
    return (_TIMED.name, "answer_finish_reason")  # texts in files have neither


def class_names(side: Side) -> Sequence[str]:
    """Those of `names` that are classes."""
    named = {channel.name for channel in CHANNELS if channel.grid.names}
    return [name for name in names(side) if name in named]


def _exchange(side: Side, text: str) -> Exchange:
    tokens = -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)
    prompt = side == "inputs"
    return Exchange(
        model="texts",
        streamed=False,
        outcome="ok",
        status=200,
        finish_reason=None,
        duration_seconds=0.0,
        first_token_seconds=None,
        gaps=NO_GAPS,
        prompt_tokens=tokens if prompt else None,
        generation_tokens=None if prompt else tokens,
        features=features(text, "") if prompt else features("", text),
    )


def _row(side: Side, exchange: Exchange, vector: bytes | None) -> Row:
    cells = (c for c in row_of(exchange).cells if not _TIMED.first <= c < _TIMED.place.stop)
    return Row(tuple(cells), (vector, None) if side == "inputs" else (None, vector))


def _vector(side: Side, text: str, embed: Embed | None) -> bytes | None:
    if side == "outputs":
        return style_vector(text)
    return None if embed is None else embed(text)


def _columns(side: Side, exchanges: Sequence[Exchange]) -> Numbers:
    by_name = {channel.name: COLUMNS.index(channel.column) for channel in CHANNELS}
    places = [by_name[name] for name in names(side)]
    vectors = [feature_vector(exchange) for exchange in exchanges]
    return np.array(
        [[np.nan if (v := row[place]) is None else v for place in places] for row in vectors]
    )
