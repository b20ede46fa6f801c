"""Where these tests find the real tools, and the rules in both profiles."""

import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ("production", "demo")
Content = dict[str, object]


def find_tool(name: str) -> str:
    """Path of a program of Prometheus or Alertmanager: on PATH, or put there by `make setup`."""
    path = os.pathsep.join((os.environ.get("PATH", ""), str(ROOT / ".tools" / "bin")))
    spellings = (name, f"prometheus-{name}")  # Debian's Alertmanager
    found = next(filter(None, (shutil.which(spelling, path=path) for spelling in spellings)), None)
    if found is None:
        pytest.fail(f"{name} is neither on PATH nor in .tools/bin: run `make setup`")
    return found


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    return find_tool


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """alert-rules/build.py, by path: the folder's name is no package name."""
    spec = importlib.util.spec_from_file_location(
        "alert_rules_build", ROOT / "alert-rules" / "build.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session", params=PROFILES)
def built(
    request: pytest.FixtureRequest, build: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the generated files of each profile in turn."""
    folder = tmp_path_factory.mktemp(request.param)
    assert build.main(["--profile", request.param, "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def recordings(root: Path) -> list[Content]:
    return rules(root / "alert-rules" / "recording.yml")


@pytest.fixture(scope="session")
def bands(root: Path) -> list[Content]:
    return rules(root / "alert-rules" / "bands.yml")


@pytest.fixture(scope="session")
def alerts(root: Path) -> list[Content]:
    return rules(root / "alert-rules" / "alerts.yml")


def rules(path: Path) -> list[Content]:
    groups = yaml.safe_load(path.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]
