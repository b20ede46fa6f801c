"""From tidegauge.yml to the signals that are followed, and the command that tries them out."""

import json
import math
from pathlib import Path

import pytest

from tidegauge.catalog.default_signals import DEFAULT_SIGNALS
from tidegauge.cli.main import main
from tidegauge.cli.signals import _band, _series
from tidegauge.cli.watching import signals
from tidegauge.config import load
from tidegauge.config.signals import SignalsConfig
from tidegauge.control.signals.signal import Signal
from tidegauge.thresholds.tracker import Judged, TrackerSettings

NAMES = [signal.name for signal in DEFAULT_SIGNALS]


def made(**section: object) -> dict[str, Signal]:
    return {each.name: each for each in signals(SignalsConfig.model_validate(section))}


def test_the_default_signals_are_watched_by_default() -> None:
    found = made()
    assert list(found) == NAMES
    first = DEFAULT_SIGNALS[0]
    settings = TrackerSettings("novelty", 300, 4 * 604_800, 86_400, 4.0, first.direction)
    assert found[first.name] == Signal(first.name, first.expr, settings)


def test_a_signal_of_ones_own_comes_after_them_and_looks_both_ways() -> None:
    found = made(custom=[{"name": "p99", "expr": "p99", "budget": "2 per day"}])
    assert list(found) == [*NAMES, "p99"]
    assert found["p99"].expr == "p99"
    assert found["p99"].settings.direction == "both"
    assert found["p99"].settings.alarms_per_week == 14


def test_a_default_signal_is_changed_by_its_name_and_keeps_what_is_not_said() -> None:
    changes = {"name": "error_ratio", "interval": "1m", "history": "1w", "detector": "quantile"}
    found = made(custom=[changes])
    assert list(found) == NAMES
    settings = TrackerSettings("quantile", 60, 604_800, 86_400, 4.0, "above")
    assert found["error_ratio"] == Signal("error_ratio", "llm:request_errors:ratio", settings)


def test_default_signals_may_be_left_out_but_for_those_that_are_named() -> None:
    assert list(made(defaults=False, custom=[{"name": "error_ratio"}])) == ["error_ratio"]


def test_history_reaches_back_to_all_that_a_band_may_depend_on() -> None:
    span = made()["error_ratio"].history(until=10_000_000 * 300.0)
    assert span.end - span.start == 29 * 86_400
    assert span.points == 29 * 288 + 1


def test_signals_need_no_pools(tmp_path: Path) -> None:
    path = tmp_path / "tidegauge.yml"
    path.write_text("control: {prometheus: {url: 'http://127.0.0.1:9090'}, signals: {}}")
    config = load(path).control
    assert config
    assert (config.pools, config.signals) == ((), SignalsConfig())
    assert main(["control", "--config.file", str(path), "--config.check"]) == 0


@pytest.mark.parametrize(
    "section,words,status,message",
    [
        pytest.param({}, [], 2, "pools: is empty, and signals is not set", id="nothing at all"),
        pytest.param({"signals": {}}, ["--budget", "few"], 2, "'few' is no budget", id="no budget"),
        pytest.param(
            {"signals": {}}, ["latency"], 2, "'latency' is no signal of it", id="an unknown one"
        ),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    section: dict[str, object],
    words: list[str],
    status: int,
    message: str,
) -> None:
    path = tmp_path / "tidegauge.yml"
    path.write_text(
        json.dumps({"control": {"prometheus": {"url": "http://127.0.0.1:1"}, **section}})
    )
    assert main(["signals", "--config.file", str(path), *words]) == status
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_without_an_answer_the_command_says_so_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tidegauge.yml"
    path.write_text("control: {prometheus: {url: 'http://127.0.0.1:1'}, signals: {}}")
    assert main(["signals", "--config.file", str(path), "error_ratio"]) == 1
    assert capsys.readouterr().out.splitlines()[1].split() == ["error_ratio", "no", "answer"]


@pytest.mark.parametrize(
    "lower,upper,said",
    [
        (1.23456, 20.0, "1.235 to 20"),
        (-math.inf, 20.0, "up to 20"),
        (1.0, math.inf, "from 1"),
        (-math.inf, math.inf, "any value"),
    ],
)
def test_a_band_is_said_in_words_where_a_side_is_open(
    lower: float, upper: float, said: str
) -> None:
    assert _band(Judged(0.0, 2.0, 0.0, lower, upper, alarm=False)) == said


def test_a_series_is_a_cell_of_one_line_whatever_its_labels_hold() -> None:
    assert _series(("a", "", "b")) == "a,b"
    assert _series(("", "")) == "-"
    assert _series(("a\nb",)) == "'a\\nb'"
