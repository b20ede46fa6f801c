"""docs/drift.md and its pictures: it has all channels, series and tests, and what it says is so."""

import re
from pathlib import Path

import pytest
import yaml

from tidegauge.catalog.drift import METRICS
from tidegauge.cli.main import main
from tidegauge.config import load
from tidegauge.drift.bins import MAX_BINS
from tidegauge.drift.cells import CHANNELS, NAMES, SIDES
from tidegauge.drift.registry import DRIFT_TESTS
from tidegauge.drift.sequence import TOP_RATIO
from tidegauge.drift.sketch import BLOCK_SECONDS, MAX_BLOCKS, SAMPLE_ROWS
from tidegauge.thresholds.levels import LEVELS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "drift.md").read_text(encoding="utf-8")
PICTURES = sorted((ROOT / "docs" / "drift").glob("*.svg"))


@pytest.mark.parametrize("name", NAMES)
def test_every_channel_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_series_is_on_the_page_with_its_labels(metric) -> None:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    assert f"| `{metric.name}` | {labels} |" in PAGE


def test_every_series_that_the_page_names_exists() -> None:
    named = set(re.findall(r"\bllm_drift_[a-z_]+\b", PAGE))
    assert named <= {metric.name for metric in METRICS}


@pytest.mark.parametrize("name", DRIFT_TESTS)
def test_every_test_is_explained_with_what_it_cannot_see(name: str) -> None:
    (section,) = re.findall(rf"\n### [^\n]*\(`{name}`\)\n(.*?)(?=\n##)", PAGE, re.DOTALL)
    for part in ("What it says", "What size matters", "What it cannot see"):
        assert f"**{part}.**" in section


def test_the_configuration_loads_and_the_keys_it_explains_exist(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n# tidegauge.yml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "tidegauge.yml").write_text(block)
    drift = load(tmp_path / "tidegauge.yml").serve.drift
    assert drift is not None
    assert drift.warmup == 86_400
    named = {"warmup_requests", "window_requests", "refresh", "references", "interval", "test"}
    assert named <= set(type(drift).model_fields)
    assert set(yaml.safe_load(block)["serve"]["drift"]) <= set(type(drift).model_fields)


def test_the_flags_of_its_commands_exist(capsys: pytest.CaptureFixture[str]) -> None:
    used = re.findall(r"^    tidegauge reference (\w+)(.*)$", PAGE, re.MULTILINE)
    assert {action for action, _ in used} == {"build", "merge", "show", "compare", "promote"}
    for action, line in used:
        with pytest.raises(SystemExit):
            main(["reference", action, "--help"])
        helped = capsys.readouterr().out
        assert [flag for flag in re.findall(r"--[a-z.-]+", line) if flag not in helped] == []


def test_a_model_has_no_more_series_than_the_page_says() -> None:
    bins = sum(min(MAX_BINS, channel.grid.cells) for channel in CHANNELS)
    count = {
        ("model", "channel", "bin"): bins,
        ("model", "channel"): len(NAMES) + len(SIDES),
        ("model", "side"): len(SIDES),
        ("model", "side", "channel", "direction"): len(SIDES),
        ("model", "digest", "features", "origin"): 1,
        ("model",): 1,
    }
    most = sum(count[metric.labels] for metric in METRICS)
    assert f"at most {most} series" in PAGE


@pytest.mark.parametrize("warmup, seconds", [("1h", 3600), ("24h", 86_400), ("1w", 604_800)])
def test_a_warm_up_has_blocks_as_wide_as_the_page_says(warmup: str, seconds: int) -> None:
    width = BLOCK_SECONDS
    while seconds / width > MAX_BLOCKS:
        width *= 2
    assert re.search(rf"\| `{warmup}`[^|]*\| {width:g} s \|", PAGE)


def test_constants_are_those_of_the_code() -> None:
    assert f"each of {len(LEVELS)} possible thresholds" in PAGE
    assert f"while the ratio is below {TOP_RATIO:g} " in PAGE
    assert f"{MAX_BLOCKS:,} blocks at most" in PAGE
    assert f"sample of {SAMPLE_ROWS:,}\n" in PAGE


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_on_the_page_small_and_drawn_for_both_kinds_of_page(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    assert f"](drift/{picture.name})" in PAGE
    assert len(text) < 100_000
    assert "prefers-color-scheme:dark" in text
