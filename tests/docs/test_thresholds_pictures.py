"""What draws docs/thresholds-pictures.md: traces are read, requests served, panels drawn."""

import math
from pathlib import Path
from xml.etree import ElementTree as ET

from docs.drawing.fleet import PATIENCE_SECONDS, SLOTS, serve
from docs.drawing.panel import Panel, followed
from docs.drawing.svg import picture
from docs.drawing.traces import Points, Request, Span, azure, gridded, mooncake, servegen

STEP = 300.0


def test_azures_trace_is_read(tmp_path: Path) -> None:
    path = tmp_path / "azure.csv"
    path.write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.6805900,396,109\n"
    )
    assert azure(path) == [Request(0.0, 374, 44), Request(4.0, 396, 109)]


def test_mooncakes_trace_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mooncake.jsonl"
    path.write_text('{"timestamp": 1500, "input_length": 40, "output_length": 6, "hash_ids": []}\n')
    assert mooncake(path) == [Request(1.5, 40, 6)]


def test_servegens_trace_is_read(tmp_path: Path) -> None:
    path = tmp_path / "servegen.csv"
    path.write_text("t_s,req_per_s\n0,200\n600,300\n")
    assert servegen(path).rate(300.0) == 250.0


def test_points_go_to_the_end_of_their_step() -> None:
    points: Points = [(1.0, 1.0), (300.0, 2.0), (301.0, None), (599.0, 3.0)]
    assert list(gridded(points, STEP)) == [(300.0, 2.0), (600.0, 3.0)]


def served(requests: list[Request], replicas: int = 1) -> list[float]:
    """How long each waited, or nan if it failed."""
    outcomes = serve(requests, replicas=lambda _: replicas, slower=lambda _: 1.0)
    return [math.nan if one.failed else one.start - one.request.at for one in outcomes]


def test_nobody_waits_for_a_free_slot() -> None:
    assert served([Request(0.0, 100, 100)] * SLOTS) == [0.0] * SLOTS


def test_one_more_than_there_are_slots_waits_for_the_first_to_end() -> None:
    waits = served([Request(0.0, 100, 100)] * (SLOTS + 1))
    assert waits[:-1] == [0.0] * SLOTS
    assert 0 < waits[-1] < PATIENCE_SECONDS


def test_who_would_wait_too_long_gives_up() -> None:
    waits = served([Request(0.0, 100, 5000)] * (SLOTS + 1))
    assert math.isnan(waits[-1])


def test_slower_machines_answer_later() -> None:
    request = Request(0.0, 600, 100)
    (usual,) = serve([request], replicas=lambda _: 1, slower=lambda _: 1.0)
    (slow,) = serve([request], replicas=lambda _: 1, slower=lambda _: 2.0)
    assert slow.end == 2 * usual.end


def panel(points: Points, since: float = -math.inf) -> Panel:
    return followed(
        "a signal",
        points,
        unit=" s",
        step_seconds=STEP,
        detector="spot",
        alarms_per_week=7.0,
        since=since,
        spans=(Span("a <span>", 90_000.0, 93_000.0),),
    )


def test_a_panel_is_drawn_with_its_band_and_its_marks() -> None:
    points: Points = [(n * STEP, float(n % 7)) for n in range(1, 900)]
    points[800] = (points[800][0], 1000.0)
    drawn = panel(points)
    assert [mark.value for mark in drawn.marks] == [1000.0]
    root = ET.fromstring(picture([drawn, drawn], title="two"))
    classes = [element.get("class") for element in root.iter()]
    assert classes.count("v") == 2
    assert classes.count("b") == 2
    assert "a <span>" in "".join(root.itertext())


def test_history_is_not_drawn() -> None:
    points: Points = [(n * STEP, float(n % 7)) for n in range(1, 900)]
    drawn = panel(points, since=800 * STEP)
    assert drawn.judged[0].at == 801 * STEP
    assert math.isfinite(drawn.judged[0].upper)


def test_a_gap_breaks_the_line() -> None:
    points: Points = [(n * STEP, float(n % 7)) for n in range(1, 900) if not 400 < n < 450]
    text = picture([panel(points)], title="gap")
    (line,) = [row for row in text.splitlines() if row.startswith('<path class="v"')]
    assert line.count("M") == 2
