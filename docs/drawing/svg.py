"""Panels one below the other, as an SVG that can be read on white and on black.

No library: a picture is a few paths. Of the points that share a column of pixels the least and the
greatest are drawn, so that no spike is lost and a month takes no more room than a day.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from docs.drawing.panel import Panel

WIDTH, LEFT, RIGHT = 960, 62, 12
HEIGHT, ABOVE, BELOW = 150, 40, 22
LETTER = 7  # pixels, about
DAY = 86400.0

_STYLE = """\
text{font:12px system-ui,sans-serif;fill:#57606a}.t{font-weight:600;fill:#1f2328}
.v{fill:none;stroke:#0969da;stroke-width:1}.b{fill:#1a7f37;fill-opacity:.16}
.e{fill:none;stroke:#1a7f37;stroke-opacity:.7;stroke-width:.8}.s{fill:#9a6700;fill-opacity:.14}
.m{fill:#cf222e}.g{stroke:#8c959f;stroke-opacity:.35;stroke-width:1}
@media(prefers-color-scheme:dark){text{fill:#9198a1}.t{fill:#f0f6fc}.v{stroke:#58a6ff}
.b{fill:#3fb950}.e{stroke:#3fb950}.s{fill:#e3b341}.m{fill:#ff7b72}}"""


@dataclass(frozen=True, slots=True)
class Frame:
    """From a panel's time and value to pixels."""

    start: float
    end: float
    low: float
    high: float
    top: float

    def x(self, at: float) -> float:
        share = (at - self.start) / (self.end - self.start)
        return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, share))

    def y(self, value: float) -> float:
        share = (min(self.high, max(self.low, value)) - self.low) / (self.high - self.low)
        return self.top + HEIGHT * (1 - share)


def picture(panels: Sequence[Panel], *, title: str) -> str:
    """The whole file."""
    each = ABOVE + HEIGHT + BELOW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {each * len(panels)}" '
        f'role="img"><title>{escape(title)}</title><style>{_STYLE}</style>'
    )
    drawn = (line for row, panel in enumerate(panels) for line in _panel(panel, each * row))
    return "\n".join([head, *drawn, "</svg>"]) + "\n"


def _panel(panel: Panel, top: float) -> Iterator[str]:
    frame = _frame(panel, top + ABOVE)
    bottom = frame.top + HEIGHT
    yield f'<text class="t" x="{LEFT}" y="{top + 16}">{escape(panel.title)}</text>'
    yield f'<text x="{WIDTH - RIGHT}" y="{top + 16}" text-anchor="end">{escape(panel.said)}</text>'
    yield from _spans(panel, frame)
    yield from _axes(panel, frame)
    yield from _band(panel, frame)
    yield f'<path class="v" d="{_line(_columns(panel, frame))}"/>'
    for mark in panel.marks:
        if mark.value is not None:
            x, y = frame.x(mark.at), frame.y(mark.value)
            yield f'<circle class="m" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
            yield f'<path class="m" d="M{x:.1f} {bottom - 8}l4 8h-8z"/>'


def _spans(panel: Panel, frame: Frame) -> Iterator[str]:
    """Shaded; a name that would run into the next one or the border ends where its span does."""
    lefts = [frame.x(span.start) for span in panel.spans]
    borders = [*lefts[1:], float(WIDTH)]
    for span, left, border in zip(panel.spans, lefts, borders, strict=False):
        right = max(left + 1.5, frame.x(span.end))
        size = f'x="{left:.1f}" y="{frame.top}" width="{right - left:.1f}" height="{HEIGHT}"'
        yield f'<rect class="s" {size}/>'
        crowded = left + LETTER * len(span.name) > border
        place = f'x="{right:.1f}" text-anchor="end"' if crowded else f'x="{left:.1f}"'
        yield f'<text {place} y="{frame.top - 5}">{escape(span.name)}</text>'


def _frame(panel: Panel, top: float) -> Frame:
    values = [one.value for one in panel.judged if one.value is not None]
    low, high = min(values), max(values)
    room = 0.06 * (high - low or abs(high) or 1.0)
    return Frame(panel.judged[0].at, panel.judged[-1].at, low - room, high + room, top)


def _axes(panel: Panel, frame: Frame) -> Iterator[str]:
    for value in _ticks(frame.low, frame.high):
        y = frame.y(value)
        yield f'<path class="g" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        label = f"{value:g}{panel.unit}"
        yield f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>'
    for at, label in _times(frame):
        x = frame.x(at)
        yield f'<path class="g" d="M{x:.1f} {frame.top}v{HEIGHT}"/>'
        yield f'<text x="{x + 3:.1f}" y="{frame.top + HEIGHT + 14}">{label}</text>'


def _ticks(low: float, high: float) -> list[float]:
    step = 10 ** math.floor(math.log10(high - low))
    step = next(s for s in (step / 5, step / 2, step, 2 * step) if (high - low) / s <= 5)  # noqa: PLR2004 -- lines
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _times(frame: Frame) -> list[tuple[float, str]]:
    length = frame.end - frame.start
    steps = (600.0, 3600.0, DAY, 2 * DAY, 7 * DAY, 28 * DAY)
    step = next((s for s in steps if length / s <= 12), steps[-1])  # noqa: PLR2004 -- lines
    form = "%b %d" if step >= DAY else "%H:%M"
    whole = range(math.ceil(frame.start / step), math.floor(frame.end / step) + 1)
    return [
        (n * step, datetime.fromtimestamp(n * step, UTC).strftime(form))
        for n in whole
        if frame.x(n * step) < WIDTH - RIGHT - LETTER * len(form)
    ]


def _band(panel: Panel, frame: Frame) -> Iterator[str]:
    """An edge beyond the picture is its border, so that a band without a lower edge is seen."""
    for run in _runs(panel, frame):
        lower = [(x, frame.y(low)) for x, low, _ in run]
        upper = [(x, frame.y(high)) for x, _, high in run]
        yield f'<path class="b" d="{_path([*upper, *reversed(lower)])}z"/>'
        inside = ([(x, y) for x, y in edge if _within(y, frame)] for edge in (upper, lower))
        for edge in inside:
            if edge:
                yield f'<path class="e" d="{_path(edge, gap=12)}"/>'


def _within(y: float, frame: Frame) -> bool:
    return frame.top < y < frame.top + HEIGHT


def _runs(panel: Panel, frame: Frame) -> Iterator[list[tuple[float, float, float]]]:
    """Stretches with a band: for each column (x, lower, upper), the narrowest it was there."""
    run: list[tuple[float, float, float]] = []
    for one in panel.judged:
        if not (math.isfinite(one.lower) or math.isfinite(one.upper)):
            if run:
                yield run
            run = []
            continue
        x = float(round(frame.x(one.at)))
        if run and run[-1][0] == x:
            run[-1] = (x, max(run[-1][1], one.lower), min(run[-1][2], one.upper))
        else:
            run.append((x, one.lower, one.upper))
    if run:
        yield run


def _columns(panel: Panel, frame: Frame) -> Iterator[list[tuple[float, float]]]:
    """The value as lines that break where a value is missing."""
    line: list[tuple[float, float]] = []
    usual = min(b.at - a.at for a, b in zip(panel.judged, panel.judged[1:], strict=False))
    before = panel.judged[0].at
    column: list[float] = []
    place = -1.0
    for one in panel.judged:
        if one.value is None or one.at - before > 3 * usual:
            line += _column(place, column)
            if line:
                yield line
            line, column, place = [], [], -1.0
        before = one.at
        if one.value is None:
            continue
        x, y = float(round(frame.x(one.at))), frame.y(one.value)
        if x != place:
            line += _column(place, column)
            place, column = x, []
        column.append(y)
    yield line + _column(place, column)


def _column(x: float, ys: Sequence[float]) -> list[tuple[float, float]]:
    """First, least, greatest and last of those that share a column, in their order."""
    if not ys:
        return []
    places = sorted({0, ys.index(min(ys)), ys.index(max(ys)), len(ys) - 1})
    return [(x, ys[place]) for place in places]


def _line(lines: Iterable[list[tuple[float, float]]]) -> str:
    return "".join(_path(line) for line in lines if line)


def _path(points: Sequence[tuple[float, float]], *, gap: float = math.inf) -> str:
    """Relative moves in halves of a pixel keep the file small; beyond `gap` the pen is lifted."""
    x, y = _halves(points[0])
    said = [f"M{x:g} {y:g}"]
    for point in points[1:]:
        to_x, to_y = _halves(point)
        if (to_x, to_y) != (x, y):
            between = "" if to_y < y else " "
            said.append(f"{'m' if to_x - x > gap else 'l'}{to_x - x:g}{between}{to_y - y:g}")
            x, y = to_x, to_y
    return "".join(said)


def _halves(point: tuple[float, float]) -> tuple[float, float]:
    return round(point[0] * 2) / 2, round(point[1] * 2) / 2
