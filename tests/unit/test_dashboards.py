import itertools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards import build, overview
from dashboards.drawing import draw
from dashboards.expressions import filled, select
from dashboards.panels import COLUMNS, WHY_EMPTY, Panel, PanelQuery, Query, Row
from dashboards.settings import load_objectives
from tidegauge.catalog import CATALOG, control

ROOT = Path(__file__).resolve().parents[2]
QUERIES = overview.queries()
BOARD = json.loads(build.generate("production")["overview.json"])
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]

DRAWN_BY_GRAFANA = {"row", "stat", "state-timeline", "table", "timeseries"}  # none deprecated
GRAFANA_UNITS = {"Bps", "celsius", "none", "percentunit", "reqps", "s", "short", "watt"}
PROMETHEUS_OWN = {"up", "ALERTS"}
HAPROXY_OWN = {"haproxy_backend_active_servers", "haproxy_backend_current_queue"}


Json = dict[str, Any]


def title(panel: Json) -> str:
    return panel["title"]


@pytest.mark.parametrize("panel", PANELS, ids=title)
def test_every_panel_explains_itself(panel: Json) -> None:
    assert panel["title"][0].isupper()
    assert re.fullmatch(r"[A-Z].{20,}\.", panel["description"])
    assert panel["fieldConfig"]["defaults"]["unit"] in GRAFANA_UNITS


@pytest.mark.parametrize("panel", PANELS, ids=title)
def test_every_panel_asks_the_datasource_that_the_reader_chose(panel: Json) -> None:
    asked = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
    assert all(one == {"type": "prometheus", "uid": "${datasource}"} for one in asked)
    assert panel["targets"]
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_panels_are_told_apart() -> None:
    for key in ("id", "title"):
        values = [panel[key] for panel in BOARD["panels"]]
        assert len(set(values)) == len(values)


def test_only_current_panel_types_are_used() -> None:
    assert {panel["type"] for panel in BOARD["panels"]} <= DRAWN_BY_GRAFANA


def cells(panel: Json) -> set[tuple[int, int]]:
    place = panel["gridPos"]
    across = range(place["x"], place["x"] + place["w"])
    down = range(place["y"], place["y"] + place["h"])
    return set(itertools.product(across, down))


def test_no_two_panels_overlap_and_none_leaves_the_grid() -> None:
    taken = [cell for panel in BOARD["panels"] for cell in cells(panel)]
    assert len(set(taken)) == len(taken)
    assert {x for x, _ in taken} == set(range(COLUMNS))
    assert {y for _, y in taken} == set(range(max(y for _, y in taken) + 1)), "a gap between rows"


def panel_of(width: int) -> Panel:
    return Panel(f"P{width}", "", "short", "stat", (Query("up", ""),), width=width)


@pytest.mark.parametrize(
    "widths, message",
    [
        pytest.param((12, 13), "does not fit", id="a panel that does not fit beside its neighbour"),
        pytest.param((12, 11), "23 columns wide", id="a line that is not full"),
    ],
)
def test_a_crooked_row_is_refused(widths: tuple[int, ...], message: str) -> None:
    row = Row("Crooked", tuple(map(panel_of, widths)))
    with pytest.raises(ValueError, match=message):
        draw(overview.overview(load_objectives(), refresh="5s", span="1h"), (row,))


def test_the_board_is_the_same_one_after_every_build() -> None:
    assert BOARD["uid"] == "tidegauge-overview"
    assert BOARD["tags"] == ["llm", "tidegauge"]
    assert build.generate("production") == build.generate("production")


def test_the_reader_chooses_datasource_models_and_pools() -> None:
    variables = {variable["name"]: variable for variable in BOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    for name in ("model", "pool"):
        assert variables[name]["query"].startswith("label_values(")
        assert variables[name]["multi"]
        assert variables[name]["includeAll"]
    used = set(re.findall(r"\$(\w+)", " ".join(query.expr for query in QUERIES)))
    assert used == {"model", "pool", "__rate_interval"}


# Expressions


def names(expr: str) -> set[str]:
    """Metric names in an expression."""
    bare = re.sub(r'"[^"]*"', "", expr)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", bare)
    bare = re.sub(r"\b(by|on|without|ignoring|group_left|group_right) *\([^)]*\)", "", bare)
    words = re.findall(r"[A-Za-z_:][\w:]*(?! *\(|\w)", bare)
    return set(words) - {"and", "or", "unless", "bool"}


def recorded() -> set[str]:
    files = (ROOT / "alert-rules" / name for name in ("recording.yml", "bands.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return {rule["record"] for group in groups for rule in group["rules"]}


def known() -> set[str]:
    parts = ("_bucket", "_sum", "_count")
    exported = {
        metric.name + part
        for metric in CATALOG
        for part in (parts if metric.kind == "histogram" else ("",))
    }
    return exported | recorded() | PROMETHEUS_OWN | HAPROXY_OWN


def query_id(query: PanelQuery) -> str:
    return f"{query.panel}: {query.expr[:40]}"


@pytest.mark.parametrize("query", QUERIES, ids=query_id)
def test_every_name_in_a_query_is_exported_or_recorded(query: PanelQuery) -> None:
    assert names(query.expr), query.expr
    assert names(query.expr) <= known()


@pytest.mark.parametrize(
    "expr, expected",
    [
        ("sum by (le, model) (rate(a_b{x=~'c'}[$__rate_interval]))", {"a_b"}),
        ('min(llm:p:q{a="b"}) or vector(0)', {"llm:p:q"}),
        ("1 - up / on (pool) group_left () down", {"up", "down"}),
    ],
)
def test_names_are_found(expr: str, expected: set[str]) -> None:
    assert names(expr) == expected


def test_a_misspelt_label_can_not_be_built() -> None:
    with pytest.raises(ValueError, match=r"llm_pool_ready_replicas: no label \['pools'\]"):
        select(control.READY, pools="$pool")


@pytest.mark.parametrize("query", QUERIES, ids=query_id)
def test_windows_follow_the_scrape_interval(query: PanelQuery) -> None:
    ranges = re.findall(r"\[([^]]*)\]", query.expr)
    assert set(ranges) <= {"$__rate_interval"}
    assert query.expr.count("histogram_quantile") == query.expr.count("sum by (le, model)")


@pytest.mark.parametrize("query", QUERIES, ids=query_id)
def test_what_may_be_empty_is_marked_and_nothing_else(query: PanelQuery) -> None:
    found = names(query.expr)
    assert (query.needs in {"gpu", "xid"}) == any(name.startswith("llm_gpu_") for name in found)
    assert (query.needs == "xid") == any("_xid_" in name for name in found)
    assert (query.needs == "kv_cache") == any("kv_cache" in name for name in found)


def test_a_panel_that_may_be_empty_says_why() -> None:
    for query in QUERIES:
        if query.needs:
            panel = next(one for one in PANELS if one["title"] == query.panel)
            assert panel["fieldConfig"]["defaults"]["noValue"] == WHY_EMPTY[query.needs]


def promtool() -> str:
    path = os.pathsep.join((os.environ["PATH"], str(ROOT / ".tools" / "bin")))
    found = shutil.which("promtool", path=path)
    assert found, "promtool is not on PATH; `make setup` fetches it"
    return found


def checked(exprs: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """What promtool says of expressions, wrapped as recording rules."""
    rules = [{"record": f"query:{number}", "expr": expr} for number, expr in enumerate(exprs)]
    file = folder / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    command = [promtool(), "check", "rules", "--lint=none", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_every_query_parses(tmp_path: Path) -> None:
    exprs = [filled(query.expr, window="1m") for query in QUERIES]
    answer = checked(exprs, tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert f"{len(exprs)} rules found" in answer.stdout


def test_a_query_that_does_not_parse_is_found(tmp_path: Path) -> None:
    assert checked(["rate(up[$__rate_interval])"], tmp_path).returncode == 1


# Files


def test_the_file_in_the_tree_is_in_step() -> None:
    assert build.main(["--check"]) == 0


def test_a_file_out_of_step_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--out", str(tmp_path)]) == 0
    assert build.main(["--out", str(tmp_path), "--check"]) == 0
    (tmp_path / "overview.json").write_text("{}")
    assert build.main(["--out", str(tmp_path), "--check"]) == 1
    assert "overview.json: out of step" in capsys.readouterr().err


def test_an_unknown_profile_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["--profile", "staging", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        "build.py: profile 'staging': profiles.yml has demo, production\n"
    )


@pytest.mark.parametrize("profile", ["production", "demo"])
def test_the_profile_sets_the_refresh(profile: str) -> None:
    profiles = yaml.safe_load((ROOT / "alert-rules" / "profiles.yml").read_text())
    board = json.loads(build.generate(profile)["overview.json"])
    assert board["refresh"] == profiles[profile]["dashboard_refresh"]


def test_thresholds_are_those_of_the_alerts() -> None:
    objectives = load_objectives()
    bounds = {
        step["value"]
        for panel in PANELS
        if panel["type"] == "timeseries"
        for step in panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", ())
        if step.get("value") is not None
    }
    assert bounds == {
        objectives.ttft_bound,
        objectives.error_ratio,
        objectives.client_share,
        objectives.aborted_ratio,
        1,  # the edge of a signal's band, and evidence of drift that reaches its threshold
        0.01,  # requests outside of the reference that are to be expected
    }
