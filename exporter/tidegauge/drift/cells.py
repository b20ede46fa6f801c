"""Every channel of drift: what is watched of a request, and where its cells lie in a row of counts.

No clock, no network, no logging: same arguments, same answer. CHANNELS is the whole list of
numbers and classes, VECTORS that of vectors; counts of all channels lie side by side in one array
of CELLS numbers, those of channel c in `c.place`.
"""

from dataclasses import dataclass
from typing import Literal

from tidegauge.drift.grid import Grid, classes, lengths, powers, shares, steps
from tidegauge.traffic.exchange import FINISH_REASONS
from tidegauge.traffic.features import FEATURES_VERSION
from tidegauge.traffic.texts.languages import LANGUAGES
from tidegauge.traffic.texts.scripts import SCRIPTS
from tidegauge.traffic.texts.vectors import VectorKind

Side = Literal["inputs", "outputs"]
SIDES: tuple[Side, ...] = ("inputs", "outputs")

GRIDS_VERSION = "1"
VERSION = f"{FEATURES_VERSION}.{GRIDS_VERSION}"
"""What a reference is only comparable within: of the features, and of the grids."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A number or a class of a request; `column` is its name in feature_vector.COLUMNS."""

    name: str
    side: Side
    column: str
    grid: Grid
    first: int

    @property
    def place(self) -> "slice[int, int, None]":
        """Its cells in the row of counts."""
        return slice(self.first, self.first + self.grid.cells)


@dataclass(frozen=True, slots=True)
class VectorChannel:
    """A vector of a request, of 256 signed bytes."""

    name: str
    side: Side
    kind: VectorKind


_LENGTHS = lengths(0.225, 1_000_000)
_PER_TOKEN = powers("characters", 0.25, 2 ** (1 / 8), 48)
_SHARES = shares(10, 4)
_PACKED = steps("ratio", 1 / 48, 64)
_BOTH: tuple[tuple[str, str, Grid], ...] = (
    ("tokens", "tokens_log", _LENGTHS),
    ("characters_per_token", "characters_per_token", _PER_TOKEN),
    ("non_ascii", "non_ascii_ratio", _SHARES),
    ("punctuation", "punctuation_ratio", _SHARES),
    ("digits", "digit_ratio", _SHARES),
    ("upper_case", "upper_ratio", _SHARES),
    ("compression", "compression_ratio", _PACKED),
    ("newlines", "newline_ratio", _SHARES),
    ("script", "script", classes(SCRIPTS)),
    ("language", "language", classes(LANGUAGES)),
)
_OUTPUTS: tuple[tuple[str, str, Grid], ...] = (
    ("finish_reason", "finish_reason", classes(FINISH_REASONS)),
    ("refusal", "refusal", classes(("no", "yes"))),
    ("loops", "loop_ratio", _SHARES),
    ("seconds_per_token", "seconds_per_token", powers("seconds", 1e-4, 1.3, 60)),
)


def _laid_out() -> tuple[Channel, ...]:
    named: tuple[tuple[Side, str, str, Grid], ...] = (
        *(("inputs", f"prompt_{name}", f"prompt_{column}", grid) for name, column, grid in _BOTH),
        *(
            ("outputs", f"answer_{name}", f"answer_{column}", grid)
            for name, column, grid in (*_BOTH, *_OUTPUTS)
        ),
    )
    first, channels = 0, list[Channel]()
    for side, name, column, grid in named:
        channels.append(Channel(name, side, column, grid, first))
        first += grid.cells
    return tuple(channels)


CHANNELS = _laid_out()
CELLS = sum(channel.grid.cells for channel in CHANNELS)
VECTORS = (
    VectorChannel("prompt_semantic", "inputs", "semantic"),
    VectorChannel("answer_style", "outputs", "style"),
)
FIRSTS = tuple(channel.first for channel in CHANNELS)
"""Where each channel's cells begin; np.add.reduceat by these sums up every channel at once."""
NAMES = (*(channel.name for channel in CHANNELS), *(vector.name for vector in VECTORS))
"""Label values of `channel`, in the order in which they are shown."""
