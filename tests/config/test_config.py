"""One file per mistake under mistakes/: its first line is the message that it must give."""

import os
from pathlib import Path

import pytest
import yaml

from tests.unit.drift_references import reference_of
from tidegauge.cli.main import main
from tidegauge.config import Config, ConfigError, load
from tidegauge.drift.reference_text import dump

MISTAKES = sorted((Path(__file__).parent / "mistakes").glob("*.yml"))


@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_a_mistake_is_one_line_that_names_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    expected = path.read_text().splitlines()[0].removeprefix("# ")
    with pytest.raises(ConfigError) as caught:
        load(Path(path.name))
    assert caught.value.lines == (expected,)


def test_every_mistake_of_a_file_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tidegauge.yml"
    path.write_text("serve: {listen_address: x, gpu: {fast_interval: y}}\nlog: {level: loud}\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    keys = [line.partition(":")[0] for line in caught.value.lines]
    assert keys == ["log.level", "serve.gpu.fast_interval", "serve.listen_address"]


def test_an_empty_file_and_no_file_are_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "empty.yml").write_text("# nothing yet\n")
    assert load(tmp_path / "empty.yml") == load(None) == Config()


@pytest.mark.parametrize(
    "make,problem",
    [
        pytest.param(lambda path: None, "cannot be read: No such file", id="missing"),
        pytest.param(lambda path: path.mkdir(), "cannot be read: Is a directory", id="a folder"),
        pytest.param(lambda path: path.write_bytes(b"\xff\xfe"), "not UTF-8", id="binary"),
        pytest.param(lambda path: path.write_bytes(b"a: \x00"), "no YAML", id="control characters"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, make, problem: str) -> None:
    path = tmp_path / "tidegauge.yml"
    make(path)
    with pytest.raises(ConfigError, match=problem) as caught:
        load(path)
    assert len(caught.value.lines) == 1


def test_flags_are_laid_over_the_file_and_checked_alike(tmp_path: Path) -> None:
    path = tmp_path / "tidegauge.yml"
    path.write_text(
        yaml.safe_dump({"serve": {"engine": {"url": "http://127.0.0.1:1", "model": "m"}}})
    )
    config = load(path, overrides={"serve.engine.url": "http://127.0.0.1:2/"})
    assert config.serve.engine
    assert (config.serve.engine.url, config.serve.engine.model) == ("http://127.0.0.1:2", "m")
    with pytest.raises(ConfigError, match=r"serve\.engine\.url: 'x' is no HTTP URL"):
        load(path, overrides={"serve.engine.url": "x"})


@pytest.mark.parametrize("command", ["serve", "control"])
def test_config_check_says_the_mistakes_and_exits_with_2(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tidegauge.yml"
    path.write_text("serve: {listen_address: x}\n")
    assert main([command, "--config.file", str(path), "--config.check"]) == 2
    output = capsys.readouterr()
    assert output.err.startswith(f"tidegauge {command}: error: serve.listen_address: 'x' is no")
    assert output.out == ""


def test_config_check_of_a_good_file_exits_with_0(tmp_path: Path) -> None:
    path = tmp_path / "tidegauge.yml"
    path.write_text("serve: {gpu: {enabled: false}}\n")
    assert main(["serve", "--config.file", str(path), "--config.check"]) == 0


def test_control_needs_its_section(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["control", "--config.check"]) == 2
    assert "control: is missing" in capsys.readouterr().err


def test_a_tap_needs_to_know_where_requests_go(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--config.check", "--traffic.listen-address", "127.0.0.1:0"]) == 2
    assert "serve.traffic.upstream: is missing" in capsys.readouterr().err


def test_a_reference_that_is_none_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference, path = tmp_path / "reference.json", tmp_path / "tidegauge.yml"
    reference.write_text("{}")
    path.write_text(
        yaml.safe_dump(
            {
                "serve": {
                    "drift": {"references": [os.fspath(reference)]},
                    "traffic": {"models": ["a"]},
                }
            }
        )
    )
    assert main(["serve", "--config.file", str(path), "--config.check"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"tidegauge serve: error: serve.drift.references: {reference}: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "traffic,said",
    [
        pytest.param(None, "serve.drift: needs serve.traffic.models", id="no tap"),
        pytest.param(
            {"listen_address": "127.0.0.1:0", "models": ["other"]},
            "is of model 'chat', which serve.traffic.models does not name (other)",
            id="another",
        ),
        pytest.param(
            {
                "listen_address": "127.0.0.1:0",
                "models": ["chat"],
                "vectors": ["semantic"],
                "semantic": {"endpoint": {"url": "http://127.0.0.1:1/v1/embeddings", "model": "e"}},
            },
            "has vectors of the embedding 'words', and serve.traffic.semantic makes those of "
            "'endpoint e'",
            id="another embedding",
        ),
    ],
)
def test_a_reference_that_nothing_could_be_held_against_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], traffic: object, said: str
) -> None:
    reference, path = tmp_path / "reference.json", tmp_path / "tidegauge.yml"
    reference.write_text(dump(reference_of()))
    drift = {"references": [os.fspath(reference)]}
    engine = {"url": "http://127.0.0.1:1"}
    path.write_text(
        yaml.safe_dump({"serve": {"engine": engine, "drift": drift, "traffic": traffic}})
    )
    assert main(["serve", "--config.file", str(path), "--config.check"]) == 2
    assert said in capsys.readouterr().err
