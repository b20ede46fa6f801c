"""docs/thresholds.md and its pictures: it has all detectors and series, and its examples work."""

import math
import random
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from tidegauge.catalog.default_signals import DEFAULT_SIGNALS
from tidegauge.catalog.signals import METRICS
from tidegauge.cli.main import main
from tidegauge.config import load
from tidegauge.thresholds.budget import MIN_POINTS, episode_seconds
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.novelty import ASIDE_SECONDS
from tidegauge.thresholds.peak_hold import HELD_POINTS, PeakHold
from tidegauge.thresholds.registry import DEFAULT_DETECTOR, DETECTORS
from tidegauge.thresholds.tracker import Tracker, TrackerSettings

ROOT = Path(__file__).resolve().parents[2]
PROMTOOL = ROOT / ".tools" / "bin" / "promtool"
PAGE = (ROOT / "docs" / "thresholds.md").read_text(encoding="utf-8")
PICTURED = (ROOT / "docs" / "thresholds-pictures.md").read_text(encoding="utf-8")
PROMQL = re.findall(r"```promql\n(.*?)\n```", PAGE, re.DOTALL)
PICTURES = sorted((ROOT / "docs" / "thresholds").glob("*.svg"))


def query(start: str) -> str:
    """The one block of PromQL that begins so."""
    (found,) = (block for block in PROMQL if block.startswith(start))
    return found


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_is_explained(name: str) -> None:
    assert f"\n- **`{name}`** " in PAGE


@pytest.mark.parametrize("name", [metric.name for metric in METRICS])
def test_every_series_is_on_the_page(name: str) -> None:
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("name", [signal.name for signal in DEFAULT_SIGNALS])
def test_every_default_signal_is_on_the_page(name: str) -> None:
    assert f"| `{name}` |" in PAGE


def test_every_series_that_the_page_names_exists() -> None:
    known = {metric.name for metric in METRICS}
    assert set(re.findall(r"\bllm_signal_[a-z_]+\b", PAGE)) <= known


def test_the_configuration_loads(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n# tidegauge.yml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "tidegauge.yml").write_text(block)
    control = load(tmp_path / "tidegauge.yml").control
    assert control is not None
    assert control.signals is not None
    assert [signal.name for signal in control.signals.custom] == ["error_ratio", "checkout_latency"]


def test_the_flags_of_its_commands_exist(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("signals", "control"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        helped = capsys.readouterr().out
        used = re.findall(rf"tidegauge {command} (.*)", PAGE)
        flags = {flag for line in used for flag in re.findall(r"--[a-z.-]+", line)}
        assert flags
        assert {flag for flag in flags if flag not in helped} == set()


def test_a_band_needs_as_many_points_as_the_page_says() -> None:
    rng = random.Random(1)
    values = [rng.gauss(10, 1) for _ in range(600)]
    points = [points_until_a_band(f"a{n}", values) for n in range(60)]
    hours = [math.floor(min(points) * 300 / 3600), math.ceil(max(points) * 300 / 3600)]
    assert f"{MIN_POINTS} judged points (`min_points`)" in PAGE
    assert f"takes {points_until_a_score(values)}:" in PAGE
    assert f"after {hours[0]} to {hours[1]} hours at five minutes" in PAGE


def points_until_a_score(values: Sequence[float]) -> int:
    detector = DETECTORS[DEFAULT_DETECTOR](Grid(300, 8064))
    bands = (detector.update(value, taken * 300) for taken, value in enumerate(values))
    return next(taken for taken, band in enumerate(bands) if band.score is not None)


def points_until_a_band(name: str, values: Sequence[float]) -> int:
    """Of a series that is new, of which there is one at each refresh offset."""
    settings = TrackerSettings(DEFAULT_DETECTOR, 300, 28 * 86_400, 86_400, 1.0)
    tracker = Tracker(settings, name=name)
    for taken, value in enumerate(values):
        tracker.take(taken * 300, value)
        if math.isfinite(tracker.latest.upper):
            return taken
    raise AssertionError(name)


def test_an_event_is_told_again_and_learned_when_the_page_says() -> None:
    hold = PeakHold(episode_seconds(300.0))
    told = [point for point in range(HELD_POINTS) if hold.update(5.0, point * 300.0)]
    assert told == [0, 51]
    assert "still as high after 50 points (four hours at five minutes)" in PAGE
    assert "after six hours if it is not" in PAGE
    assert ASIDE_SECONDS == 6 * 3600


def test_the_past_of_rules_is_written_as_often_as_the_page_says() -> None:
    groups = yaml.safe_load((ROOT / "alert-rules" / "recording.yml").read_text())["groups"]
    recorded = {rule["record"]: rule["expr"] for group in groups for rule in group["rules"]}

    def times(name: str) -> int:
        read = set(re.findall(r"llm:[a-z0-9_:]+", recorded[name])) & set(recorded)
        return 1 + max(map(times, read), default=0)

    often = {signal.name: times(signal.expr) for signal in DEFAULT_SIGNALS}
    more = {name: number for name, number in often.items() if number > 1}
    assert more == {"error_ratio": 2, "feedback_bad_ratio": 3, "drift_score": 6}
    assert "twice for errors, three times for\nfeedback, and six times for drift" in PAGE


def test_every_parameter_of_rules_that_it_names_exists() -> None:
    known = yaml.safe_load((ROOT / "alert-rules" / "parameters.yml").read_text())
    named = set(re.findall(r"`((?:signal|gpu)_[a-z_]+)`", PAGE))
    assert named
    assert named <= set(known)


def test_prometheus_takes_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"page:query:{n}", "expr": block} for n, block in enumerate(PROMQL)]
    group = {"groups": [{"name": "page", "rules": rules}]}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(group))
    said = subprocess.run(
        [PROMTOOL, "check", "rules", tmp_path / "rules.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert len(PROMQL) > 6
    assert said.returncode == 0, said.stdout + said.stderr


def test_queries_answer_what_they_are_for(tmp_path: Path) -> None:
    rules = '{detector="rules",signal="%s",%s}'
    ours = '{detector="novelty",signal="%s",model="a",job="tidegauge",instance="control"}'
    first = "time_to_first_token_p95"
    series = {
        "llm_signal_value" + ours % first: "3x20",
        "llm_signal_upper" + ours % first: "4x20",
        "llm_signal_upper" + rules % (first, 'model="a"'): "9x20",
        "llm_signal_upper" + rules % (first, 'model="b"'): "7x20",
        "llm_signal_value" + ours % "error_ratio": "0.5x20",
        "llm_signal_anomaly_score" + ours % first: "1.5x20",
        "llm_signal_anomaly_score" + rules % (first, 'model="a"'): "0x20",
        "llm_signal_anomaly_score" + ours % "error_ratio": "1x20",
        "llm_signal_anomaly_score" + ours % "queue_time_p95": "0.9x20",
        "llm_signal_anomaly_score" + rules % ("kv_cache_usage", 'model="a"'): "2x20",
        "llm_signal_alarms_total" + ours % first: "0 0 1 2 3x16",
        "llm_signal_budget_alarms" + ours % first: "1x20",
        "llm_signal_backtest_alarms" + ours % first: "4x20",
        "llm_signal_history_seconds" + ours % first: "2419200x20",
        "llm_signal_age_seconds" + ours % first: "1000x20",
    }
    expected = {
        'llm_signal_upper{signal="': {
            "llm_signal_upper" + ours % first: 4,
            "llm_signal_upper" + rules % (first, 'model="b"'): 7,
        },
        "(\n  llm_signal_anomaly_score{": {
            "llm_signal_anomaly_score" + ours % first: 1.5,
            "llm_signal_anomaly_score" + ours % "error_ratio": 1,
            "llm_signal_anomaly_score" + rules % ("kv_cache_usage", 'model="a"'): 2,
        },
        "count by (model)": {'{model="a"}': 3},
        "round(": {ours % first: 3},
        "llm_signal_backtest_alarms /": {ours % first: 1},
        "llm_signal_value unless": {"llm_signal_value" + ours % "error_ratio": 0.5},
        "llm_signal_age_seconds >": {"llm_signal_age_seconds" + ours % first: 1000},
    }
    _tested(tmp_path, series, expected)


def _tested(
    folder: Path, series: Mapping[str, str], expected: Mapping[str, Mapping[str, float]]
) -> None:
    """Ask promtool what the blocks that begin so give after twenty minutes of these series."""
    asked = [
        {
            "expr": query(start),
            "eval_time": "20m",
            "exp_samples": [{"labels": labels, "value": value} for labels, value in rows.items()],
        }
        for start, rows in expected.items()
    ]
    given = [{"series": name, "values": values} for name, values in series.items()]
    test = {"interval": "1m", "input_series": given, "promql_expr_test": asked}
    text = yaml.safe_dump({"evaluation_interval": "1m", "tests": [test]}, sort_keys=False)
    (folder / "test.yml").write_text(text)
    command = [PROMTOOL, "test", "rules", folder / "test.yml"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_on_the_page_small_and_drawn_for_both_kinds_of_page(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    assert f"](thresholds/{picture.name})" in PICTURED
    assert len(text) < 100_000
    assert "prefers-color-scheme:dark" in text
