"""What the documents say is so: links lead somewhere, examples load, commands exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tidegauge.config import load

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout.split()
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", TRACKED)
def test_every_link_leads_somewhere(name: str) -> None:
    path = ROOT / name
    links = [link for link in LINK.findall(path.read_text()) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_readme_s_configuration_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reference.json").touch()
    (tmp_path / "tidegauge.yml").write_text(block)
    config = load(tmp_path / "tidegauge.yml")
    assert config.serve.traffic
    assert config.serve.drift


@pytest.mark.parametrize("command", ["serve", "control", "signals", "inject", "reference"])
def test_every_command_explains_itself(command: str) -> None:
    words = [sys.executable, "-m", "tidegauge.cli.main", command, "--help"]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30)
    assert said.stdout.startswith(f"usage: tidegauge {command}")


@pytest.mark.parametrize("target", re.findall(r"^ {4}make (\w+)", README, re.MULTILINE))
def test_every_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_architecture_names_every_package_and_none_that_is_gone() -> None:
    package = ROOT / "exporter" / "tidegauge"
    lines = (ROOT / "ARCHITECTURE.md").read_text().splitlines()
    named = {found[1] for line in lines if (found := re.match(r" {8}(\w+)/ ", line))}
    assert named == {path.parent.name for path in package.glob("*/__init__.py")}


def test_nothing_is_left_to_fill_in() -> None:
    assert re.findall(r"\b[A-Z]+_(?:OUTPUT|MINUTES)\b|TODO|FIXME", README) == []


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
