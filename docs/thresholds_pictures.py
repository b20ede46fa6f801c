"""Draw bands and marks over published traces: the pictures of docs/thresholds-pictures.md.

Every band is the product's own Tracker with its default detector, from the trace's first point on.
What serves the requests is docs/drawing/fleet.py; what happens to it, docs/drawing/week.py. Prints
a JSON line for each panel.

    .venv/bin/python docs/thresholds_pictures.py --traces DIR --nab DIR [PICTURE …]
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # so that it runs as a script, from anywhere

from docs.drawing.panel import Panel, followed  # noqa: E402
from docs.drawing.svg import picture  # noqa: E402
from docs.drawing.traces import (  # noqa: E402
    Points,
    Request,
    azure,
    gridded,
    mooncake,
    nab,
    servegen,
)
from docs.drawing.week import LAST_WEEK, MONDAY, STEP, Weeks, weeks  # noqa: E402
from tidegauge.catalog.default_signals import DEFAULT_SIGNALS  # noqa: E402
from tidegauge.thresholds.registry import DEFAULT_DETECTOR, DETECTORS  # noqa: E402

PICTURES = HERE / "thresholds"


# How a signal is drawn: times what, and in which unit.
UNITS = {
    "time_to_first_token_p95": (1, " s"),
    "inter_token_p95": (1000, " ms"),
    "inter_token_p95, exact": (1000, " ms"),
    "queue_time_p95": (1, " s"),
    "tokens_per_replica": (1, "/s"),
    "kv_cache_usage": (100, " %"),
    "cost_per_token": (1e6, " $/M"),
    "error_ratio": (100, " %"),
    "drift_score": (1, ""),
    "feedback_bad_ratio": (100, " %"),
}
DIRECTIONS = {signal.name: signal.direction for signal in DEFAULT_SIGNALS}
PARTS = {
    "latency": (
        "time_to_first_token_p95",
        "inter_token_p95",
        "inter_token_p95, exact",
        "queue_time_p95",
    ),
    "load": ("tokens_per_replica", "kv_cache_usage", "cost_per_token"),
    "quality": ("error_ratio", "drift_score", "feedback_bad_ratio"),
}
NAB = {
    "realKnownCause/machine_temperature_system_failure.csv": "",
    "realKnownCause/ec2_request_latency_system_failure.csv": " ms",
    "realAWSCloudwatch/rds_cpu_utilization_e47b3b.csv": " %",
}


def main() -> int:
    """Write docs/thresholds/*.svg."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=Path, required=True)
    parser.add_argument("--nab", type=Path, required=True)
    parser.add_argument("--budget", type=float, default=4.0, help="alarms per week")
    parser.add_argument("names", nargs="*", metavar="PICTURE", help="all of them if none")
    options = parser.parse_args()
    drawn = _panels(options.traces, options.nab, options.budget)
    for name in options.names or drawn:
        _write(name, drawn[name]())
    return 0


def _panels(traces: Path, benchmark: Path, budget: float) -> dict[str, Callable[[], list[Panel]]]:
    """Every picture, not drawn so far."""
    conversations = azure(traces / "azure-2023-conv.csv")

    @cache
    def modelled() -> Weeks:
        return weeks(
            servegen(traces / "servegen-m-small-days0-6.csv"),
            conversations,
            mooncake(traces / "mooncake-synthetic.jsonl"),
        )

    def part(signals: Sequence[str]) -> list[Panel]:
        return [_signal(modelled(), signal, DEFAULT_DETECTOR, budget) for signal in signals]

    return {
        **{name: partial(part, signals) for name, signals in PARTS.items()},
        "detectors": lambda: [
            _signal(modelled(), "inter_token_p95, exact", detector, budget)
            for detector in DETECTORS
        ],
        "requests": lambda: [_rate(traces, model, budget) for model in ("m-small", "m-large")],
        "tokens": lambda: _hour(conversations, budget),
        "nab": lambda: [_nab(benchmark, name, unit, budget) for name, unit in NAB.items()],
    }


def _signal(four: Weeks, name: str, detector: str, budget: float) -> Panel:
    scale, unit = UNITS[name]
    points: Points = [
        (at, None if value is None else value * scale) for at, value in four.signals[name]
    ]
    return followed(
        name,
        points,
        unit=unit,
        step_seconds=STEP,
        detector=detector,
        alarms_per_week=budget,
        direction=DIRECTIONS[name.partition(",")[0]],
        since=LAST_WEEK,
        spans=four.incidents,
    )


def _rate(traces: Path, model: str, budget: float) -> Panel:
    rate = servegen(traces / f"servegen-{model}-days0-6.csv")
    return followed(
        f"requests per second, {model}",
        [(MONDAY + at, value) for at, value in rate.points],
        unit="/s",
        step_seconds=600.0,
        detector=DEFAULT_DETECTOR,
        alarms_per_week=budget,
    )


def _hour(requests: Sequence[Request], budget: float) -> list[Panel]:
    """Tokens of Azure's hour, every five seconds: what little history gives."""
    step, length = 5.0, requests[-1].at
    prompts, answers, counts = ([0.0] * int(length / step) for _ in range(3))
    for request in requests:
        if (place := int(request.at / step)) < len(counts):
            prompts[place] += request.prompt
            answers[place] += request.answer
            counts[place] += 1
    columns: dict[str, list[float | None]] = {
        "prompt tokens per second": [tokens / step for tokens in prompts],
        "answer tokens per second": [tokens / step for tokens in answers],
        "tokens of a prompt, mean": [
            tokens / count if count else None for tokens, count in zip(prompts, counts, strict=True)
        ],
    }
    return [
        followed(
            title,
            [(MONDAY + (place + 1) * step, value) for place, value in enumerate(values)],
            unit="",
            step_seconds=step,
            detector=DEFAULT_DETECTOR,
            alarms_per_week=budget,
            history_seconds=3600.0,
            refresh_seconds=600.0,
        )
        for title, values in columns.items()
    ]


def _nab(folder: Path, name: str, unit: str, budget: float) -> Panel:
    points, windows = nab(folder, name)
    return followed(
        Path(name).stem,
        list(gridded(points, STEP)),
        unit=unit,
        step_seconds=STEP,
        detector=DEFAULT_DETECTOR,
        alarms_per_week=budget,
        spans=windows,
    )


def _write(name: str, panels: Sequence[Panel]) -> None:
    PICTURES.mkdir(exist_ok=True)
    title = "; ".join(f"{panel.title}: {panel.said}" for panel in panels)
    (PICTURES / f"{name}.svg").write_text(picture(panels, title=title), encoding="utf-8")
    for panel in panels:
        inside = [
            any(span.start <= mark.at <= span.end + STEP for span in panel.spans)
            for mark in panel.marks
        ]
        line = {
            "picture": name,
            "panel": panel.title,
            "said": panel.said,
            "days": [round((mark.at - panel.judged[0].at) / 86400, 2) for mark in panel.marks],
            "inside": inside,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
