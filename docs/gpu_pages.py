"""The pages on GPUs that follow from the code: which NVML call gives which series, and the Xids."""

from collections.abc import Iterator

from tidegauge.catalog import Metric
from tidegauge.sources.gpu.calls import QUESTIONS, Tier
from tidegauge.sources.gpu.gpm import METRICS as GPM
from tidegauge.sources.gpu.question import Call, Field, Question
from tidegauge.sources.gpu.questions_now import thermal_throttling
from tidegauge.sources.gpu.xids import KNOWN

_TIERS: tuple[tuple[Tier, str], ...] = (
    ("fast", "1 s by default, down to 0.1 s"),
    ("medium", "5 s by default"),
    ("slow", "30 s by default"),
)


def gpu_series() -> str:
    """Every question to NVML, tier by tier, with its fall-backs."""
    lines = [_HEAD]
    for tier, clock in _TIERS:
        lines += [f"## {tier.capitalize()} tier ({clock})", "", *_table(QUESTIONS[tier]), ""]
    lines += [_THERMAL, *_table(thermal_throttling("580.126.20")), "", _GPM]
    lines += ["| series | GPM metric |", "|---|---|"]
    lines += [f"| {_series(metric, labels)} | {number} |" for number, metric, labels, _ in GPM]
    return "\n".join(lines) + "\n"


def xids() -> str:
    """The Xids that have a series from the start."""
    rows = [f"| {known.code} | {known.cause} | {known.meaning} |" for known in KNOWN]
    return "\n".join([_XIDS, *rows]) + "\n"


def _table(questions: tuple[Question, ...]) -> Iterator[str]:
    yield "| series | asked, the first that the device knows |"
    yield "|---|---|"
    for question in questions:
        names = dict.fromkeys(series for row in question for series in _of(row))
        yield f"| {', '.join(names)} | {', else '.join(_asked(row) for row in question)} |"


def _of(row: Call | Field) -> tuple[str, ...]:
    metrics = (row.metric,) if isinstance(row, Field) else row.metrics
    return tuple(_series(metric, row.labels) for metric in metrics)


def _series(metric: Metric, values: tuple[str, ...]) -> str:
    names = metric.labels[len(metric.labels) - len(values) :]
    pairs = ",".join(f'{name}="{value}"' for name, value in zip(names, values, strict=True))
    return f"`{metric.name}{{{pairs}}}`" if values else f"`{metric.name}`"


def _asked(row: Call | Field) -> str:
    if isinstance(row, Call):
        return f"`{row.name}`"
    scale = "" if row.scale == 1 else f" * {row.scale:g}"
    return f"field {row.number}{scale}"


_HEAD = """# GPU series, by NVML call

Generated from the code by `python docs/build.py`. What each series means is in
[metrics.md](metrics.md#gpu), and how GPUs are read in [gpu.md](gpu.md). `/` stands before what a
call is asked for, and * before what makes a base unit of the driver's number.
"""

_THERMAL = """### Thermal throttling, medium tier

NVML renumbered these fields: 251 to 253 under drivers 575 to 580.65, 269 to 271 from 580.82 on, and
the other numbers mean something else. The driver's version decides; where it is not known for
certain, only field 75 is asked. As of 580.82:
"""

_GPM = """## GPM tier (opt-in)
"""

_XIDS = """# Xids

Generated from the code by `python docs/build.py`. The Xids that have a series at 0 from the start
([gpu.md](gpu.md#xids)), from NVIDIA's
[catalogue](https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html), which also says
what to do about each.

| Xid | cause | meaning |
|---|---|---|"""
