"""Draw score, evidence, threshold and budget over real traces: the pictures of docs/drift.md.

What is watched, and by what, is benchmarks/drift_traffic.py's: the product's own Sequence over
lengths of prompts and answers, in steps of ten seconds. Scores are the product's index over its
window. Prints a JSON line for each panel.

    .venv/bin/python docs/drift_pictures.py --traces DIR [PICTURE …]
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # so that it runs as a script, from anywhere

import numpy as np  # noqa: E402

from benchmarks.replaying import traces  # noqa: E402
from benchmarks.replaying.counted import (  # noqa: E402
    START,
    TICK_SECONDS,
    Counted,
    Requests,
    requests,
)
from benchmarks.replaying.days import DAY_TICKS, Days  # noqa: E402
from benchmarks.replaying.runs import swapped  # noqa: E402
from benchmarks.replaying.watch import Watch  # noqa: E402
from docs.drawing.panel import Panel  # noqa: E402
from docs.drawing.svg import picture  # noqa: E402
from docs.drawing.traces import Span  # noqa: E402
from tidegauge.drift.block import Block, joined  # noqa: E402
from tidegauge.drift.cells import CHANNELS, SIDES, Side  # noqa: E402
from tidegauge.drift.psi import PopulationStability  # noqa: E402
from tidegauge.drift.window import Window, WindowLimits  # noqa: E402
from tidegauge.thresholds.tracker import Judged  # noqa: E402

PICTURES = HERE / "drift"
AZURE = "azure-2023-conv.csv"
MOONCAKE = "mooncake-synthetic.jsonl"
SERVEGEN = "servegen-m-large-days0-6.csv"

CUT_OFF = 0.1
LIMITS = WindowLimits(requests=500, seconds=600.0, min_requests=100)
REFERENCE_TICKS = 150
HOUR = 3600.0
DAY = 24 * HOUR
JUDGED_DAYS = 5
HIGHEST = 2.0
"""Times the threshold: evidence above it is drawn there, as a whole swap's is ten times as much."""


def main() -> int:
    """Write docs/drift/*.svg."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=Path, required=True)
    parser.add_argument("names", nargs="*", metavar="PICTURE", help="all of them if none")
    options = parser.parse_args()
    drawn = _pictures(options.traces)
    for name in options.names or drawn:
        _write(name, drawn[name]())
    return 0


def _pictures(folder: Path) -> dict[str, Callable[[], list[Panel]]]:
    """Every picture, not drawn so far."""
    return {"hour": partial(_hour, folder), "days": partial(_days, folder)}


def _hour(folder: Path) -> list[Panel]:
    """The trace as it is; for ten minutes half of it is another service's."""
    rng = np.random.default_rng(1)
    ordinary, others = _read(folder / AZURE), _read(folder / MOONCAKE)
    ticks = int(ordinary.ticks[-1])
    swap = (ticks - 90, ticks - 30)
    shifted = _with_swap(ordinary, others, swap, share=0.5, rng=rng)
    counted = Counted(shifted.between(0, ticks), ticks)
    watch = Watch(counted, REFERENCE_TICKS, budget_seconds=HOUR)
    spans = [_span("half is another service's", *swap)]
    followed = _Followed()
    for tick in range(REFERENCE_TICKS, ticks):
        followed.take(watch, counted, tick, at=_at(tick))
    index = [_index(f"{side}_tokens", counted, ticks, spans=spans) for side in ("prompt", "answer")]
    return [*index, *followed.panels("budget: one false alarm an hour", spans)]


def _days(folder: Path) -> list[Panel]:
    """Stitched days, a swap of a fifth in the last one; then what they spent of their budget."""
    rng = np.random.default_rng(1)
    ordinary, others = _read(folder / AZURE), _read(folder / MOONCAKE)
    days = Days(ordinary, traces.rates(folder / SERVEGEN))
    watch = Watch(Counted(days.day(0, rng), DAY_TICKS), DAY_TICKS, budget_seconds=DAY)
    noon = (DAY_TICKS // 2, DAY_TICKS // 2 + 120)
    followed = _Followed()
    for number in range(1, JUDGED_DAYS + 1):
        day = days.day(number, rng)
        if number == JUDGED_DAYS:
            day = _with_swap(day, others, noon, share=0.2, rng=rng)
        counted = Counted(day, DAY_TICKS)
        for tick in range(DAY_TICKS):
            followed.take(watch, counted, tick, at=_at(number * DAY_TICKS + tick))
    last = JUDGED_DAYS * DAY_TICKS
    spans = [_span("a fifth is another service's", last + noon[0], last + noon[1])]
    return [
        *followed.panels("budget: one false alarm a day", spans),
        followed.spent(budget_seconds=DAY, spans=spans),
    ]


class _Followed:
    """What a watch said of both sides, tick by tick."""

    def __init__(self) -> None:
        self._sides: dict[Side, list[Judged]] = {side: [] for side in SIDES}
        self._spent: list[tuple[float, int]] = []

    def take(self, watch: Watch, counted: Counted, tick: int, *, at: float) -> None:
        before = dict(watch.alarms_of_sides)
        watch.take(counted, tick)
        for side, evidence in watch.sides.items():
            self._sides[side].append(
                Judged(
                    at=at,
                    value=min(evidence.value, HIGHEST * evidence.threshold),
                    score=evidence.ratio,
                    lower=-math.inf,
                    upper=evidence.threshold,
                    alarm=watch.alarms_of_sides[side] > before[side],
                )
            )
        self._spent.append((at, watch.alarms))

    def panels(self, budget: str, spans: Sequence[Span]) -> list[Panel]:
        return [
            Panel(f"evidence, {side}", "", judged, f"{budget}; {_marks(judged)}", spans)
            for side, judged in self._sides.items()
        ]

    def spent(self, *, budget_seconds: float, spans: Sequence[Span]) -> Panel:
        begin = self._spent[0][0]
        judged = [
            Judged(at, float(alarms), None, -math.inf, (at - begin) / budget_seconds, alarm=False)
            for at, alarms in self._spent
        ]
        return Panel("alarms so far", "", judged, "green: what the budget allows so far", spans)


def _index(channel: str, counted: Counted, ticks: int, *, spans: Sequence[Span]) -> Panel:
    """The index of one channel, and the cut-off that others alarm at."""
    (of,) = (one for one in CHANNELS if one.name == channel)
    reference: Block = joined(counted.block(tick) for tick in range(REFERENCE_TICKS))
    test, window = PopulationStability(of, reference), Window(LIMITS, interval=TICK_SECONDS)
    judged, over = list[Judged](), False
    for tick in range(REFERENCE_TICKS, ticks):
        window.push(counted.block(tick), now=_at(tick))
        effect = test.effect(window.total) if window.enough else None
        size = None if effect is None else effect.size
        begins = size is not None and size > CUT_OFF and not over
        over = size is not None and size > CUT_OFF
        judged.append(Judged(_at(tick), size, None, -math.inf, CUT_OFF, begins))
    known = [one.value for one in judged if one.value is not None]
    share = sum(value > CUT_OFF for value in known) / len(known)
    said = f"above {CUT_OFF} in {share:.0%} of evaluations"
    return Panel(f"population stability index, {channel}", "", judged, said, spans)


def _read(path: Path) -> Requests:
    trace = traces.read(path)
    return requests(trace.times, trace.prompts, trace.answers)


def _with_swap(
    ordinary: Requests,
    others: Requests,
    ticks: tuple[int, int],
    *,
    share: float,
    rng: np.random.Generator,
) -> Requests:
    first, end = ticks
    last = int(ordinary.ticks[-1]) + 1
    changed = swapped(ordinary.between(first, end), others, share, rng)
    parts = ((0, ordinary.between(0, first)), (first, changed), (end, ordinary.between(end, last)))
    return Requests(
        np.concatenate([part.ticks + at for at, part in parts]),
        np.concatenate([part.prompts for _, part in parts]),
        np.concatenate([part.answers for _, part in parts]),
    )


def _at(tick: int) -> float:
    """The end of a tick."""
    return START + (tick + 1) * TICK_SECONDS


def _span(name: str, first: int, end: int) -> Span:
    return Span(name, _at(first) - TICK_SECONDS, _at(end) - TICK_SECONDS)


def _marks(judged: Sequence[Judged]) -> str:
    count = sum(one.alarm for one in judged)
    return f"{count} alarm{'s' if count != 1 else ''}"


def _write(name: str, panels: Sequence[Panel]) -> None:
    PICTURES.mkdir(exist_ok=True)
    title = "; ".join(f"{panel.title}: {panel.said}" for panel in panels)
    (PICTURES / f"{name}.svg").write_text(picture(panels, title=title), encoding="utf-8")
    for panel in panels:
        inside = [
            any(span.start <= mark.at <= span.end for span in panel.spans) for mark in panel.marks
        ]
        line = {"picture": name, "panel": panel.title, "said": panel.said, "inside": inside}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
