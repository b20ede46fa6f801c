"""What Prometheus's and Alertmanager's own tools say of the generated files."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

Tool = Callable[[str], str]

FENCED = re.compile(r"```promql\n(.*?)```", re.DOTALL)


def test_promtool_accepts_the_rules(built: Path, tool: Tool) -> None:
    files = tuple(str(built / f"{name}.yml") for name in ("recording", "bands", "alerts"))
    out = _run(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *files)
    assert out.count("SUCCESS") == 3


def test_promtool_accepts_what_prometheus_loads(built: Path, tool: Tool) -> None:
    out = _run(tool("promtool"), "check", "config", str(built / "prometheus.yml"))
    assert "3 rule files found" in out


def test_amtool_accepts_the_routing(built: Path, tool: Tool) -> None:
    out = _run(tool("amtool"), "check-config", str(built / "alertmanager.yml"))
    assert "2 receivers" in out


@pytest.mark.parametrize(
    "labels, receiver",
    [
        pytest.param(("severity=page",), "page", id="a page goes to the pager"),
        pytest.param(("severity=ticket",), "ticket", id="a ticket waits for the morning"),
        pytest.param((), "ticket", id="an alert of somebody else's without severity wakes nobody"),
    ],
)
def test_routes(labels: tuple[str, ...], receiver: str, built: Path, tool: Tool) -> None:
    configuration = f"--config.file={built / 'alertmanager.yml'}"
    out = _run(tool("amtool"), "config", "routes", "test", configuration, "alertname=X", *labels)
    assert out.split() == [receiver]


@pytest.mark.parametrize(
    "path",
    sorted((Path(__file__).resolve().parents[2] / "alert-rules" / "tests").glob("*.yml")),
    ids=lambda path: path.stem,
)
def test_rules_fire_stay_silent_and_resolve(path: Path, tool: Tool) -> None:
    assert "SUCCESS" in _run(tool("promtool"), "test", "rules", str(path))


def test_promtool_can_parse_every_query_in_the_documents(
    root: Path, tool: Tool, tmp_path: Path
) -> None:
    pages = sorted(
        (*(root / "docs" / "runbooks").glob("*.md"), root / "docs" / "traffic-series.md")
    )
    queries = {
        f"{path.stem.replace('-', '_')}:{number}": query
        for path in pages
        for number, query in enumerate(FENCED.findall(path.read_text()))
    }
    rules = [{"record": name, "expr": query} for name, query in queries.items()]
    groups = tmp_path / "rules.yml"
    groups.write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": rules}]}))
    out = _run(tool("promtool"), "check", "rules", str(groups))
    assert f"{len(queries)} rules found" in out


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
