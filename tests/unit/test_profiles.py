"""alert-rules/build.py, and the profiles it reads."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[2] / "alert-rules"
COUNTS = {
    "burn_min_requests",
    "drift_min_requests",
    "feedback_min",
    "others_min_requests",
    "signal_min_points",
    "traffic_min_requests",
}
SHORT_THEN_LONG = [
    ("scrape_timeout", "scrape_interval"),
    ("scrape_interval", "rate_window"),
    ("evaluation_interval", "rate_window"),
    ("scrape_interval", "burn_fast_short"),
    ("burn_fast_short", "burn_fast_long"),
    ("burn_fast_long", "burn_slow_long"),
    ("burn_slow_short", "burn_slow_long"),
    ("for_drift", "keep_drift"),
    ("keep_drift", "drift_window"),
    ("evaluation_interval", "drift_interval"),
    ("drift_interval", "drift_window"),
    ("drift_window", "drift_alarms_window"),
    ("event_window", "seen_window"),
    ("control_interval", "control_stalled_after"),
    ("start_timeout", "for_below_desired"),
    ("query_timeout", "control_interval"),
    ("group_wait", "group_interval"),
    ("group_interval", "repeat_interval"),
    ("scale_up_stabilization", "scale_down_stabilization"),
    ("haproxy_check_interval", "unhealthy_timeout"),
    ("kill_grace", "drain_cap"),
    ("evaluation_interval", "signal_smooth"),
    ("signal_smooth", "signal_hour"),
    ("signal_step", "signal_hour"),
    ("signal_hour", "signal_day"),
    ("signal_query_offset", "signal_interval"),
    ("signal_interval", "signal_refresh"),
    ("signal_refresh", "signal_history"),
]


def _load_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("alert_rules_build", FOLDER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = _load_build()


def test_profiles_have_the_same_keys_in_the_same_order() -> None:
    profiles = yaml.safe_load((FOLDER / "profiles.yml").read_text())
    assert set(profiles) == {"production", "demo"}
    assert list(profiles["production"]) == list(profiles["demo"])


@pytest.mark.parametrize("profile", ["production", "demo"])
def test_everything_but_counts_is_a_duration(profile: str) -> None:
    values = build.load_profile(profile)
    assert set(values) > COUNTS
    for key, value in values.items():
        assert float(value) > 0 if key in COUNTS else build.seconds(value) >= 0, key


@pytest.mark.parametrize("profile", ["production", "demo"])
@pytest.mark.parametrize("short, long", SHORT_THEN_LONG)
def test_durations_fit_each_other(short: str, long: str, profile: str) -> None:
    values = build.load_profile(profile)
    assert build.seconds(values[short]) <= build.seconds(values[long])


@pytest.mark.parametrize("profile", ["production", "demo"])
@pytest.mark.parametrize("window", ["rate_window", "burn_fast_short", "queue_window"])
def test_a_rate_window_holds_four_scrapes_and_more(window: str, profile: str) -> None:
    values = build.load_profile(profile)
    assert build.seconds(values[window]) >= 4 * build.seconds(values["scrape_interval"])


@pytest.mark.parametrize("profile", ["production", "demo"])
def test_what_a_step_found_holds_when_the_next_one_is_late(profile: str) -> None:
    values = build.load_profile(profile)
    assert build.seconds(values["signal_fresh"]) > 2 * build.seconds(values["signal_step"])


@pytest.mark.parametrize("profile", ["production", "demo"])
def test_days_are_looked_at_where_a_step_left_something(profile: str) -> None:
    """An offset that no step divides would find what is up to a step older."""
    values = build.load_profile(profile)
    for long in ("signal_hour", "signal_day"):
        assert build.seconds(values[long]) % build.seconds(values["signal_step"]) == 0


def test_templates_leave_every_duration_to_the_profile() -> None:
    templates = {path.name: path.read_text() for path in (FOLDER / "templates").glob("*.yml")}
    literal = re.compile(r"\[\d+(?:ms|[smhd])\]|: *\d+(?:ms|[smhd])\b")
    found = {name: literal.findall(re.sub(r"#.*", "", text)) for name, text in templates.items()}
    assert found == {
        name: []
        for name in (
            "alertmanager.yml",
            "alerts.yml",
            "bands.yml",
            "prometheus.yml",
            "recording.yml",
        )
    }


@pytest.mark.parametrize(
    "duration, expected",
    [("0s", 0), ("500ms", 0.5), ("2s", 2), ("1m", 60), ("1h30m", 5400), ("1d", 86_400)],
)
def test_seconds(duration: str, expected: float) -> None:
    assert build.seconds(duration) == expected


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "-5m", "1.5h", "5min"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(build.BuildError, match="is not a duration"):
        build.seconds(text)


def test_prometheus_templates_and_dollars_pass_through() -> None:
    text = "a: <<a>>\nb: '{{ $value | printf \"%.2f\" }} {{ with $labels.x }}{{ . }}{{ end }}'"
    assert build.render(text, {"a": "1"}) == text.replace("<<a>>", "1")


def test_a_value_is_not_read_again_for_placeholders() -> None:
    assert build.render("<<a>> <<b>>", {"a": "<<b>>", "b": "x"}) == "<<b>> x"


@pytest.mark.parametrize(
    "template, values, message",
    [
        pytest.param("<<a>> <<b>>", {"a": "1"}, "unknown placeholder b", id="unknown placeholder"),
        pytest.param("<<a>>", {"a": "1", "c": "2"}, "no placeholder uses c", id="unused value"),
        pytest.param("<<A>>", {}, "not a placeholder: '<<A>>'", id="a name in capitals"),
        pytest.param("x: <<a", {}, "not a placeholder: 'x: <<a'", id="left open"),
        pytest.param("<<a|minutes>>", {"a": "1m"}, "only form is seconds", id="an unknown form"),
        pytest.param("<<a|seconds>>", {"a": "soon"}, "'soon' is not a duration", id="no duration"),
    ],
)
def test_a_template_that_does_not_fit_is_refused(
    template: str, values: dict[str, str], message: str
) -> None:
    with pytest.raises(build.BuildError, match=re.escape(message)):
        build.render(template, values)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--profile", "x"), "build.py: profile 'x': profiles.yml has demo, production\n"),
        (("--set", "x"), "build.py: --set x: must be NAME=VALUE\n"),
        (
            ("--set", "x=1"),
            "build.py: --set x: neither in profiles.yml nor in parameters.yml\n",
        ),
        (
            ("--set", "drain_cap=1s"),
            "build.py: --set drain_cap: no template in templates/ uses it\n",
        ),
        (
            ("--set", "control_stalled_after=x"),
            "build.py: templates/alerts.yml: 'x' is not a duration such as 30s, 5m or 1h30m\n",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_mistake_is_one_line_and_writes_nothing(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert build.main([*arguments, "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == message
    assert list(tmp_path.iterdir()) == []


def test_settings_reach_the_files_and_their_first_line(tmp_path: Path) -> None:
    setting = "control=127.0.0.1:19480"
    assert build.main(["--profile", "demo", "--out", str(tmp_path), "--set", setting]) == 0
    lines = (tmp_path / "prometheus.yml").read_text().splitlines()
    assert lines[0].startswith("# Generated from the template prometheus.yml by ")
    assert f"--profile demo --set {setting}`" in lines[0]
    assert "      - url: http://127.0.0.1:19480/sd" in lines


def test_check_names_what_is_out_of_step_and_repairs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--out", str(tmp_path)]
    assert build.main(folder) == 0
    assert build.main([*folder, "--check"]) == 0
    alerts = tmp_path / "alerts.yml"
    alerts.write_text(alerts.read_text() + "\n")
    (tmp_path / "recording.yml").unlink()
    assert build.main([*folder, "--check"]) == 1
    names = [line.split(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert names == ["alerts.yml", "recording.yml"]
    assert not (tmp_path / "recording.yml").exists()


def test_other_templates_are_built_alike(tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "tidegauge.yml").write_text("drain_cap: <<drain_cap|seconds>>\n")
    arguments = ["--profile", "demo", "--templates", str(templates), "--out", str(tmp_path)]
    assert build.main(arguments) == 0
    assert yaml.safe_load((tmp_path / "tidegauge.yml").read_text()) == {"drain_cap": 20}


@pytest.mark.parametrize(
    "setting,value,problem",
    [
        ("ttft_bound", "3", "ttft_bound: '3' is no bucket bound; choose one of 0.01, "),
        ("ttft_bound", "soon", "ttft_bound: 'soon' is no bucket bound"),
        (
            "ttft_objective_ratio",
            "0.9",
            "ttft_objective_ratio: '0.9' must be a ratio between 0.931",
        ),
        ("success_objective_ratio", "1", "success_objective_ratio: '1' must be a ratio between"),
        ("success_objective_ratio", "99%", "success_objective_ratio: '99%' must be a ratio"),
    ],
)
def test_an_objective_over_which_a_rule_would_be_silent_is_refused(
    setting: str, value: str, problem: str
) -> None:
    with pytest.raises(build.BuildError) as caught:
        build.generate("production", settings={setting: value})
    assert str(caught.value).startswith(problem)


def test_a_whole_bound_is_written_as_it_is_exported() -> None:
    files = build.generate("production", settings={"ttft_bound": "5"})
    assert 'le="5.0"' in files["recording.yml"]
