"""`tidegauge reference`: builds from JSON lines, refuses what is wrong, shows what was learned."""

import argparse
import json
from pathlib import Path

import pytest

from tidegauge.cli import reference
from tidegauge.drift.reference_text import load

GOOD = [
    json.dumps({"prompt": "Hello there?" * (n % 9 + 1), "completion_tokens": n % 20})
    for n in range(120)
]


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser(prog="tidegauge")
    reference.add_parser(parser.add_subparsers(dest="command"))
    parsed = parser.parse_args(["reference", *arguments])
    status: int = parsed.run(parsed)
    return status


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "chat-7b.json"


def build(output: Path, lines: list[str] | list[bytes]) -> int:
    source = output.with_name("input.jsonl")
    raw = [line.encode() if isinstance(line, str) else line for line in lines]
    source.write_bytes(b"\n".join(raw) + b"\n")
    return run("build", "--model", "chat-7b", "--output", str(output), str(source))


def test_a_reference_is_built_and_can_be_loaded(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(output, [*GOOD, "", "  "]) == 0
    learned = load(output.read_bytes())
    assert learned.model == "chat-7b"
    assert [c.requests for c in learned.channels] == [120, 120, 120]
    assert learned.digest in capsys.readouterr().out
    assert {path.name for path in output.parent.iterdir()} == {"chat-7b.json", "input.jsonl"}


def test_no_text_is_kept(output: Path) -> None:
    build(output, GOOD)
    assert "Hello" not in output.read_text()


def test_without_completion_tokens_the_answers_length_is_left_out(output: Path) -> None:
    assert build(output, ['{"prompt": "Hello?"}'] * 100) == 0
    assert [c.channel for c in load(output.read_text()).channels] == ["prompt_length", "prompt_mix"]


@pytest.mark.parametrize(
    "line,message",
    [
        pytest.param("{", "line 121: Invalid JSON: EOF", id="half a line"),
        pytest.param("{}", "line 121: prompt: Field required", id="no prompt"),
        pytest.param(
            '{"prompt": 7}', "line 121: prompt: Input should be a valid string", id="no text"
        ),
        pytest.param(
            '{"prompt": ""}', "line 121: prompt: String should have at least 1", id="empty"
        ),
        pytest.param('["secret"]', "line 121: Input should be", id="a list"),
        pytest.param(
            '{"prompt": "secret", "completion_tokens": -1}',
            "line 121: completion_tokens: Input should be greater than or equal to 0, not -1",
            id="tokens below zero",
        ),
        pytest.param(
            '{"prompt": "secret", "completion_tokens": "many"}',
            "line 121: completion_tokens: Input should be a valid integer, not 'many'", id="a word",
        ),
        pytest.param(b'{"prompt": "\xff"}', "line 121: Invalid JSON", id="no UTF-8"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_without_its_text(
    output: Path, capsys: pytest.CaptureFixture[str], line: str | bytes, message: str
) -> None:
    raw = line if isinstance(line, bytes) else line.encode()
    assert build(output, [*(good.encode() for good in GOOD), raw]) == 2
    error = capsys.readouterr().err
    assert error.startswith("tidegauge reference: error: ")
    assert message in error
    assert "secret" not in error
    assert error.count("\n") == 1
    assert not output.exists()


def test_too_few_lines_are_refused_and_an_older_reference_stays(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output.write_text("older")
    assert build(output, GOOD[:99]) == 2
    assert "99 usable lines, at least 100 needed" in capsys.readouterr().err
    assert output.read_text() == "older"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("show", "nowhere.json"), id="no file to show"),
        pytest.param(("build", "--model", "m", "--output", "o", "nowhere.jsonl"), id="no input"),
    ],
)
def test_a_missing_file_is_named(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(*arguments) == 2
    assert "nowhere.json" in capsys.readouterr().err


def test_no_folder_to_write_to_is_named(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (output.parent / "input.jsonl").write_text("\n".join(GOOD))
    missing = output.parent / "missing" / "out.json"
    source = str(output.parent / "input.jsonl")
    assert run("build", "--model", "m", "--output", str(missing), source) == 2
    assert f"{missing}: No such file or directory" in capsys.readouterr().err


def test_show_prints_every_bin(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(output, GOOD)
    capsys.readouterr()
    assert run("show", str(output)) == 0
    shown = capsys.readouterr().out
    learned = load(output.read_text())
    assert shown.startswith(f"chat-7b  features 2  digest {learned.digest}")
    assert all(label in shown for channel in learned.channels for label in channel.bins.labels)


def test_show_refuses_what_is_no_reference(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output.write_text("{}")
    assert run("show", str(output)) == 2
    assert f"{output}: format: is missing" in capsys.readouterr().err
