"""What no tool checks: names are the catalogue's, alerts are documented and tested both ways."""

import re
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
import yaml

from tidegauge.catalog import CATALOG, Metric, signals, traffic
from tidegauge.catalog.default_signals import DEFAULT_SIGNALS
from tidegauge.drift.cells import CHANNELS, SIDES, VECTORS
from tidegauge.traffic.exchange import Outcome

Content = dict[str, object]

HEADINGS = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]
ALERT_NAME = re.compile(r"(LLM|Tidegauge)([A-Z][a-z]+|GPU)+")
NAME = re.compile(r"\b(?:llm|tidegauge)[_:][a-z0-9_:]+")
SELECTOR = re.compile(r"\b((?:llm|tidegauge)_[a-z0-9_]+)\{([^}]*)\}")
MATCHER = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"")
TARGET_LABELS = {"job", "instance", "pool", "replica"}  # http_sd and Prometheus put these on
DURATION = re.compile(r"(\d+)([smhd])")


def test_generated_files_are_in_step_with_their_templates(build: ModuleType) -> None:
    assert build.main(["--check"]) == 0


def test_expressions_name_only_what_is_exported_or_recorded(
    recordings: list[Content], bands: list[Content], alerts: list[Content]
) -> None:
    known = _exported() | {str(rule["record"]) for rule in (*recordings, *bands)}
    named = {name for rule in (*recordings, *bands, *alerts) for name in _names(rule)}
    assert named - known == set()
    assert len(named) > 20  # the pattern finds names at all


def test_selectors_use_only_labels_buckets_and_outcomes_that_are_exported(
    recordings: list[Content], bands: list[Content], alerts: list[Content]
) -> None:
    text = "\n".join(str(rule["expr"]) for rule in (*recordings, *bands, *alerts))
    selectors = SELECTOR.findall(text)
    wrong = [
        f"{name}{{{label}={value!r}}}"
        for name, matchers in selectors
        for label, value in MATCHER.findall(matchers)
        if not _selectable(_metric(name), label, value)
    ]
    assert selectors
    assert wrong == []


def test_rules_know_the_side_of_a_channel_by_its_name() -> None:
    """`channel=~"prompt_.+"` is how PromQL asks for the channels of a side."""
    prefixes = {"inputs": "prompt_", "outputs": "answer_"}
    assert set(prefixes) == set(SIDES)
    assert all(channel.name.startswith(prefixes[channel.side]) for channel in (*CHANNELS, *VECTORS))


def test_recordings_are_named_in_house_style_and_once(recordings: list[Content]) -> None:
    names = [str(rule["record"]) for rule in recordings]
    assert sorted(names) == sorted(set(names))
    assert all(re.fullmatch(r"llm:[a-z0-9_]+(:[a-z0-9_]+)?", name) for name in names)


def test_bands_record_what_tidegauge_control_exports_and_steps_on_the_way(
    bands: list[Content],
) -> None:
    exported = {str(rule["record"]) for rule in bands if ":" not in str(rule["record"])}
    assert exported == {
        metric.name
        for metric in (signals.VALUE, signals.UPPER, signals.LOWER, signals.SCORE, signals.AGE)
    }
    steps = {str(rule["record"]) for rule in bands} - exported
    assert all(re.fullmatch(r"llm:signal_[a-z]+(:[a-z]+)?", name) for name in steps)


def test_bands_are_of_the_default_signals_each_of_which_is_recorded(
    recordings: list[Content], bands: list[Content]
) -> None:
    watched = {
        str(rule["labels"]["signal"]): rule["expr"]  # type: ignore[index]
        for rule in bands
        if rule["record"] == signals.VALUE.name
    }
    assert watched == {signal.name: signal.expr for signal in DEFAULT_SIGNALS}
    assert set(watched.values()) <= {rule["record"] for rule in recordings}


@pytest.mark.parametrize("profile", ["production", "demo"])
def test_bands_hold_to_promql_that_every_ruler_knows(profile: str, build: ModuleType) -> None:
    """Prometheus 2.42, Mimir and Thanos: no experimental function, no arithmetic in durations."""
    text = re.sub(r"#.*", "", build.generate(profile, settings={})["bands.yml"])
    functions = set(re.findall(r"\b([a-z_]+) ?\(", text)) - {"by", "without", "on", "ignoring"}
    operators = {"and", "or", "unless", "group_left", "expr"}
    assert functions - operators <= {
        *("abs", "avg_over_time", "clamp_min", "count", "label_replace", "last_over_time", "max"),
        *("max_over_time", "min", "min_over_time", "quantile", "quantile_over_time", "time"),
        *("timestamp", "vector"),
    }
    assert "@" not in text


def test_alerts_are_named_and_labelled_in_house_style(alerts: list[Content]) -> None:
    for alert in alerts:
        name, annotations = str(alert["alert"]), alert["annotations"]
        assert ALERT_NAME.fullmatch(name)
        assert alert["labels"] in ({"severity": "page"}, {"severity": "ticket"}), name
        assert isinstance(annotations, dict)
        assert set(annotations) == {"summary", "description", "runbook_url"}, name
        assert annotations["runbook_url"] == f"docs/runbooks/{name}.md"
        assert annotations["description"].endswith("."), name


def test_each_alert_has_a_runbook_and_each_runbook_an_alert(
    root: Path, alerts: list[Content]
) -> None:
    runbooks = {path.stem: path.read_text() for path in (root / "docs" / "runbooks").glob("*.md")}
    assert set(runbooks) == {str(alert["alert"]) for alert in alerts}
    for name, text in runbooks.items():
        lines = text.splitlines()
        assert lines[0] == f"# {name}"
        assert [line for line in lines if line.startswith("## ")] == HEADINGS, name
        assert "```promql" in text, f"{name}: diagnosis starts with a query"


def test_runbooks_query_only_what_is_exported_or_recorded(
    root: Path, recordings: list[Content], bands: list[Content]
) -> None:
    known = _exported() | {str(rule["record"]) for rule in (*recordings, *bands)}
    for path in (root / "docs" / "runbooks").glob("*.md"):
        assert set(NAME.findall(path.read_text())) - known == set(), path.name


def test_the_page_on_traffic_names_all_of_its_series_and_only_what_is_exported_or_recorded(
    root: Path, recordings: list[Content]
) -> None:
    page = (root / "docs" / "traffic-series.md").read_text().replace("`llm_traffic_*`", "")
    known = _exported() | {metric.name for metric in CATALOG}
    known |= {str(rule["record"]) for rule in recordings}
    assert set(NAME.findall(page)) - known == set()
    assert [metric.name for metric in traffic.METRICS if metric.name not in page] == []


def test_each_alert_fires_stays_silent_and_resolves_in_the_tests(
    root: Path, alerts: list[Content]
) -> None:
    cases = [
        (str(case["alertname"]), _seconds(str(case["eval_time"])), bool(case.get("exp_alerts")))
        for tests in _promtool_tests(root)
        for case in _cases(tests)
    ]
    names = {str(alert["alert"]) for alert in alerts}
    assert {name for name, _, fires in cases if fires} == names
    assert {name for name, _, fires in cases if not fires} == names


def test_each_alert_resolves_in_the_tests(root: Path, alerts: list[Content]) -> None:
    """In one story: labels that fire at one time are gone at a later one."""
    resolving = {name for test in _promtool_tests(root) for name in _resolving(test)}
    assert resolving == {str(alert["alert"]) for alert in alerts}


@pytest.mark.parametrize("profile", ["production", "demo"])
def test_inhibitions_name_alerts_that_exist(
    profile: str, build: ModuleType, alerts: list[Content]
) -> None:
    files = build.generate(profile, settings={})
    names = {str(alert["alert"]) for alert in alerts}
    matchers = [
        matcher
        for rule in yaml.safe_load(files["alertmanager.yml"])["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
        if matcher.startswith("alertname")
    ]
    patterns = [re.search(r'"(.*)"', matcher) for matcher in matchers]
    unmatched = [
        pattern[1]
        for pattern in patterns
        if pattern and not all(_any_is(part, names) for part in _alternatives(pattern[1]))
    ]
    assert matchers
    assert unmatched == []


def _exported() -> set[str]:
    return {name for metric in CATALOG for name in _series(metric)}


def _series(metric: Metric) -> set[str]:
    if metric.kind != "histogram":
        return {metric.name}
    return {f"{metric.name}_{part}" for part in ("bucket", "sum", "count")}


def _names(rule: Content) -> set[str]:
    return set(NAME.findall(str(rule["expr"])))


def _metric(series: str) -> Metric:
    return next(metric for metric in CATALOG if series in _series(metric))


def _selectable(metric: Metric, label: str, value: str) -> bool:
    if label == "le":
        return metric.buckets is not None and float(value) in metric.buckets
    if label == "outcome":
        return set(value.split("|")) <= set(get_args(Outcome))
    return label in metric.labels or label in TARGET_LABELS


def _promtool_tests(root: Path) -> list[Content]:
    files = sorted((root / "alert-rules" / "tests").glob("*.yml"))
    return [test for path in files for test in yaml.safe_load(path.read_text())["tests"]]


def _cases(test: Content) -> list[Content]:
    cases = test.get("alert_rule_test", [])
    assert isinstance(cases, list)
    return cases


def _resolving(test: Content) -> set[str]:
    """Alerts of which some labels are expected at one time, and no longer at a later one."""
    found = set()
    fired: dict[str, set[str]] = {}
    for case in sorted(_cases(test), key=lambda case: _seconds(str(case["eval_time"]))):
        name = str(case["alertname"])
        expected = case.get("exp_alerts") or []
        assert isinstance(expected, list)
        now = {str(sorted(alert["exp_labels"].items())) for alert in expected}
        if fired.get(name, set()) - now:
            found.add(name)
        fired.setdefault(name, set()).update(now)
    return found


def _seconds(time: str) -> int:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    return sum(int(count) * units[unit] for count, unit in DURATION.findall(time))


def _alternatives(pattern: str) -> list[str]:
    return [pattern] if "(" in pattern else pattern.split("|")


def _any_is(pattern: str, names: set[str]) -> bool:
    return any(re.fullmatch(pattern, name) for name in names)
