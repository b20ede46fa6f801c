"""docs/running.md: its examples are taken by the programs that they are for."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tidegauge.cli.main import main
from tidegauge.config import load
from tidegauge.config.web import load_web

ROOT = Path(__file__).resolve().parents[2]
PROMTOOL = ROOT / ".tools" / "bin" / "promtool"
PAGE = (ROOT / "docs" / "running.md").read_text()
BLOCKS = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))


def test_every_example_is_known() -> None:
    assert sorted(BLOCKS) == ["prometheus.yml", "tidegauge.yml", "web.yml"]


def test_prometheus_takes_the_scrape_configuration(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(BLOCKS["prometheus.yml"])
    command = [PROMTOOL, "check", "config", tmp_path / "prometheus.yml"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def test_what_prometheus_asks_for_is_what_may_be_asked(tmp_path: Path) -> None:
    (tmp_path / "tidegauge.yml").write_text(BLOCKS["tidegauge.yml"])
    probe = load(tmp_path / "tidegauge.yml").serve.probe
    (job,) = yaml.safe_load(BLOCKS["prometheus.yml"])["scrape_configs"]
    assert probe
    assert list(probe.targets) == job["static_configs"][0]["targets"]
    assert set(job["params"]["module"]) <= set(probe.modules)


def test_the_web_configuration_is_taken(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text(BLOCKS["web.yml"])
    assert load_web(tmp_path / "web.yml").tls_server_config.enabled


@pytest.mark.parametrize("command", ["serve", "control"])
def test_every_flag_of_the_table_exists(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    helped = capsys.readouterr().out
    flags = set(re.findall(r"^\| `?(--[a-z.-]+)", PAGE, re.MULTILINE))
    assert len(flags) > 5
    only_serve = {"--engine", "--traffic.listen-address", "--errors.stdin"}
    assert {flag for flag in flags if flag not in helped} == (
        only_serve if command == "control" else set()
    )
