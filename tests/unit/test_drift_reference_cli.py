"""`tidegauge reference`: builds, fetches, merges, shows, compares and promotes references."""

import argparse
import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import bcrypt
import pytest
from aiohttp import web

from tests.face import plain_face, standing
from tests.unit.drift_references import ROWS, altered, reference_of
from tidegauge import __version__
from tidegauge.cli import reference
from tidegauge.drift.cells import CHANNELS
from tidegauge.drift.reference import Reference
from tidegauge.drift.reference_text import dump, load
from tidegauge.sources.drift_files import DriftFiles, read_reference, write_reference
from tidegauge.web import Page, Rules, drift_reference
from tidegauge.web.drift_reference import PATH

GOOD = [
    json.dumps({"prompt": "Hello there?" * (n % 9 + 1), "completion_tokens": n % 20})
    for n in range(120)
]
FULL: dict[str, object] = {
    "prompt": "Hello there?",
    "answer": "It is a fine day.",
    "prompt_tokens": 4,
    "completion_tokens": 6,
    "finish_reason": "stop",
    "duration_seconds": 0.8,
    "first_token_seconds": 0.1,
}
BEFORE, AFTER = reference_of(ROWS[:100]), reference_of(ROWS[50:])


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser(prog="tidegauge")
    reference.add_parser(parser.add_subparsers(dest="command"))
    parsed = parser.parse_args(["reference", *map(str, arguments)])
    status: int = parsed.run(parsed)
    return status


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "chat.json"


def build(output: Path, lines: list[str] | list[bytes], *flags: str) -> int:
    source = output.with_name("input.jsonl")
    raw = [line.encode() if isinstance(line, str) else line for line in lines]
    source.write_bytes(b"\n".join(raw) + b"\n")
    return run("build", "--model", "chat", "--output", output, *flags, source)


def timed(lines: int, **fields: object) -> list[str]:
    """One every five seconds."""
    return [
        json.dumps(FULL | {"time": f"2026-01-31T12:{n // 12:02}:{n % 12 * 5:02}+00:00"} | fields)
        for n in range(lines)
    ]


def channels(output: Path) -> set[str]:
    total = read_reference(output).sketch.total
    return {channel.name for channel in CHANNELS if total.counts[channel.place].any()}


def test_a_reference_is_built_and_can_be_loaded(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(output, [*GOOD, "", "  "]) == 0
    learned = load(output.read_bytes())
    said = capsys.readouterr().out
    assert (learned.model, learned.sketch.requests) == ("chat", 120)
    assert f"{output}: chat, 120 requests, digest {learned.digest}\n" in said
    assert {path.name for path in output.parent.iterdir()} == {"chat.json", "input.jsonl"}
    assert "Hello" not in output.read_text() + said


def test_requests_without_times_are_laid_one_a_second_and_it_is_said(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(output, GOOD) == 0
    learned = read_reference(output)
    assert not learned.timed
    assert (learned.sketch.begin, learned.sketch.end) == (0.0, 119.0)
    assert "note: the requests had no times" in capsys.readouterr().out


@pytest.mark.parametrize("time", ["2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00Z", 1769860800])
def test_times_are_those_of_the_lines(output: Path, time: object) -> None:
    assert build(output, timed(99) + timed(1, time=time)) == 0
    learned = read_reference(output)
    assert learned.timed
    assert (learned.sketch.begin, learned.sketch.end) == (1769860800.0, 1769860800.0 + 490)
    assert len(list(learned.sketch.blocks())) == 50


def test_every_channel_that_lines_speak_of_is_learned(output: Path) -> None:
    build(output, timed(100))
    assert channels(output) == {channel.name for channel in CHANNELS}
    build(output, ['{"prompt": "Hello?"}'] * 100)
    assert {name.partition("_")[0] for name in channels(output)} == {"prompt"}
    build(output, timed(100, duration_seconds=None, first_token_seconds=None))
    assert {c.name for c in CHANNELS} - channels(output) == {"answer_seconds_per_token"}


def test_vectors_are_made_as_they_are_asked_for(output: Path) -> None:
    build(output, timed(100))
    assert read_reference(output).sketch.total.vectors.tolist() == [0, 0]
    build(output, timed(100), "--vectors", "style")
    learned = read_reference(output)
    assert (learned.sketch.total.vectors.tolist(), learned.semantic) == ([0, 100], "")


def test_semantic_vectors_name_their_embedding(output: Path) -> None:
    pytest.importorskip("tokenizers")
    if build(output, timed(100), "--vectors", "semantic,style") == 0:
        learned = read_reference(output)
        assert learned.sketch.total.vectors.tolist() == [100, 100]
        assert learned.semantic == "wordllama l2_supercat_256"


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
            '{"prompt": "secret", "answer": ["secret"]}',
            "line 121: answer: Input should be a valid string", id="an answer that is a list",
        ),
        pytest.param(
            '{"prompt": "secret", "completion_tokens": -1}',
            "line 121: completion_tokens: Input should be greater than or equal to 0, not -1",
            id="tokens below zero",
        ),
        pytest.param(
            '{"prompt": "secret", "prompt_tokens": "many"}',
            "line 121: prompt_tokens: Input should be a valid integer, not 'many'", id="a word",
        ),
        pytest.param(b'{"prompt": "\xff"}', "line 121: Invalid JSON", id="no UTF-8"),
        pytest.param(
            '{"prompt": "secret", "time": "2026-01-31T12:00:00"}',
            "line 121: time: '2026-01-31T12:00:00' is neither a time with a zone, such as",
            id="a time without a zone",
        ),
        pytest.param(
            '{"prompt": "secret", "time": "yesterday"}', "line 121: time: 'yesterday' is neither",
            id="no time",
        ),
        pytest.param(
            '{"prompt": "secret", "time": 1e300}', "line 121: time: 1e+300 is neither",
            id="a time too far",
        ),
        pytest.param(
            '{"prompt": "secret", "time": 1769860800}',
            "request 121: time: give it of all requests, or of none", id="one time of all",
        ),
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
    "arguments,message",
    [
        pytest.param(("show", "nowhere.json"), "nowhere.json: No such file", id="none to show"),
        pytest.param(("merge", "nowhere.json", "--output", "o"), "nowhere.json: No such file",
            id="none to merge"),
        pytest.param(("build", "--model", "m", "--output", "o", "nowhere.jsonl"),
            "nowhere.jsonl: No such file", id="no input"),
        pytest.param(("build", "--model", "m", "--output", "o"),
            "give either INPUT.jsonl or --from URL", id="neither input nor sidecar"),
        pytest.param(("build", "--model", "m", "--output", "o", "--from", "http://a", "b.jsonl"),
            "give either INPUT.jsonl or --from URL", id="both"),
        pytest.param(("build", "--model", "m", "--output", "o", "--vectors", "audio", "b.jsonl"),
            "--vectors: 'audio'; known are style, semantic", id="another vector"),
        pytest.param(("build", "--model", "m", "--output", "o", "--from", "ftp://a"),
            "--from: 'ftp://a' is no URL, such as http://127.0.0.1:9470", id="no HTTP"),
        pytest.param(("build", "--model", "m", "--output", "o", "--from", "http://a:b:c"),
            "is no URL, such as", id="no URL"),
        pytest.param(("build", "--model", "m", "--output", "o", "--from", "http://u:pass@a"),
            "--from: a password in a URL shows", id="a password in the URL"),
        pytest.param(("build", "--model", "m", "--output", "o", "--from", "http://a",
            "--from.username", "ann"), "give both, or none", id="half a password"),
    ],
)  # fmt: skip
def test_what_is_asked_for_wrongly_is_said(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "pass@" not in error
    assert error.count("\n") == 1


def test_no_folder_to_write_to_is_named(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(output.parent / "missing.json", GOOD) == 0
    source = output.parent / "input.jsonl"
    missing = output.parent / "missing" / "out.json"
    assert run("build", "--model", "m", "--output", missing, source) == 2
    assert f"{missing}: cannot be written: No such file" in capsys.readouterr().err


def test_show_prints_the_head_and_every_channel(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(output, timed(100), "--vectors", "style")
    capsys.readouterr()
    assert run("show", output) == 0
    shown = capsys.readouterr().out
    assert f"digest     {read_reference(output).digest}\n" in shown
    assert "period     2026-01-31T12:00:00Z to 2026-01-31T12:08:15Z\n" in shown
    assert "requests   100 in 50 blocks of 10 s\n" in shown
    assert "vectors    answer_style: 100\n" in shown
    assert "\nanswer_finish_reason  100 requests, class\n  stop             100.00%  ####" in shown
    assert all(f"\n{channel.name}  100 requests" in shown for channel in CHANNELS)
    assert "Hello" not in shown
    assert "fine" not in shown


@pytest.mark.parametrize(
    "text,message",
    [
        pytest.param("{}", "format: is missing", id="no reference"),
        pytest.param('{"format": 1, "features": "2"}', "build the reference again", id="old"),
        pytest.param(altered(dump(BEFORE), begin=1.0), "the file was altered or cut", id="altered"),
    ],
)  # fmt: skip
def test_what_is_no_reference_is_refused(
    output: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    output.write_text(text)
    assert run("show", output) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"tidegauge reference: error: {output}: ")
    assert message in error


def test_halves_that_are_merged_are_the_whole(output: Path) -> None:
    lines = timed(400)
    whole, even, odd = (output.with_name(name) for name in ("whole", "even", "odd"))
    build(whole, lines, "--vectors", "style")
    build(even, lines[::2], "--vectors", "style")
    build(odd, lines[1::2], "--vectors", "style")

    assert run("merge", odd, even, "--output", output) == 0

    assert read_reference(output).digest == read_reference(whole).digest
    assert output.read_bytes() == whole.read_bytes()


def test_what_does_not_merge_is_named(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chat, code = output.with_name("chat"), output.with_name("code")
    write_reference(chat, BEFORE)
    write_reference(code, reference_of(ROWS[:20], model="code"))

    assert run("merge", chat, code, "--output", output) == 2

    said = f"{code}: model 'code': is not 'chat' (of {chat})\n"
    assert capsys.readouterr().err == f"tidegauge reference: error: {said}"
    assert not output.exists()


def test_compare_says_the_largest_change_first(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = output.with_name("other.json")
    build(output, timed(120))
    build(other, timed(120, prompt_tokens=900, finish_reason="length", prompt="Hello there!"))
    capsys.readouterr()

    assert run("compare", output, other) == 0

    lines = capsys.readouterr().out.splitlines()
    table = [line.split() for line in lines[lines.index("") + 1 :]]
    sizes = [float(row[2]) for row in table[1:]]
    assert lines[0].startswith("from  chat, 120 requests, digest ")
    assert sizes == sorted(sizes, reverse=True)
    by_name = {row[0]: row for row in table}
    assert "higher" in by_name["prompt_tokens"]
    assert "lower" not in by_name["answer_finish_reason"]
    assert by_name["answer_finish_reason"][-4:] == ["stop:", "100.0%", "->", "0.0%"]
    assert by_name["answer_tokens"][2] == "0.0000"


def test_compare_says_what_cannot_be_compared(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = output.with_name("other.json")
    write_reference(output, BEFORE)
    write_reference(other, reference_of(ROWS, model="code", semantic="other"))
    assert run("compare", output, other) == 0
    shown = capsys.readouterr().out
    assert "note: they are of different models\n" in shown
    assert "note: vectors of words and other cannot be compared\n" in shown
    assert "prompt_semantic" not in shown
    assert "answer_style" in shown


def promote(files: DriftFiles, *flags: object) -> int:
    return run("promote", "--directory", files.directory, "--model", "chat", *flags)


def test_a_candidate_is_promoted_and_there_is_a_way_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = DriftFiles(tmp_path)
    files.write(BEFORE)
    files.write(AFTER, "candidate")

    assert promote(files) == 0
    shown = capsys.readouterr().out
    assert f"digest {BEFORE.digest}" in shown
    assert "CHANNEL" in shown
    assert (files.read("chat"), files.read("chat", "previous")) == (AFTER, BEFORE)
    assert files.read("chat", "candidate") is None

    assert promote(files, "--back") == 0
    assert (files.read("chat"), files.read("chat", "previous")) == (BEFORE, AFTER)


def test_the_first_reference_may_be_given(tmp_path: Path, output: Path) -> None:
    files = DriftFiles(tmp_path / "drift")
    write_reference(output, AFTER)

    assert promote(files, "--candidate", output) == 0

    assert files.read("chat") == AFTER
    assert output.exists()
    assert files.read("chat", "previous") is None


def test_a_good_candidate_takes_the_place_of_a_corrupt_reference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = DriftFiles(tmp_path)
    files.path("chat").write_text("{")
    files.write(AFTER, "candidate")

    assert promote(files) == 0

    assert "note: the one in use is lost: " in capsys.readouterr().out
    assert files.read("chat") == AFTER


@pytest.mark.parametrize(
    "candidate,flags,message",
    [
        pytest.param(None, (), "chat.candidate.json: is not there", id="none"),
        pytest.param(None, ("--back",), "chat.previous.json: is not there", id="no previous one"),
        pytest.param(None, ("--candidate", "/nowhere/x"), "/nowhere/x: is not there", id="no file"),
        pytest.param("{", (), "chat.candidate.json: no reference", id="half of one"),
        pytest.param(altered(dump(AFTER), features="1"), (), "build the reference again", id="old"),
        pytest.param(dump(reference_of(ROWS[:9], model="code")), (), "is of model 'code', not of",
            id="another model's"),
    ],
)  # fmt: skip
def test_what_cannot_be_promoted_is_said_and_changes_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    candidate: str | None,
    flags: tuple[str, ...],
    message: str,
) -> None:
    files = DriftFiles(tmp_path)
    files.write(BEFORE)
    if candidate:
        files.path("chat", "candidate").write_text(candidate)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert promote(files, *flags) == 2

    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@contextmanager
def serving(page: Page, rules: Rules | None = None) -> Iterator[str]:
    """The page of a sidecar, in a loop of its own: the command runs one, too."""
    url, stop, ready = list[str](), asyncio.Event(), threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        face = replace(plain_face(), more_pages=lambda: {PATH: page})
        async with standing(face, rules) as front:
            url.append(f"http://127.0.0.1:{front.ports[0]}")
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield url[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def sidecar(*references: Reference) -> Page:
    return drift_reference({each.model: each for each in references}.get)


def fetch(output: Path, *urls: str, flags: Sequence[object] = ()) -> int:
    asked = [word for url in urls for word in ("--from", url)]
    return run("build", "--model", "chat", "--output", output, *asked, *flags)


def test_references_of_running_sidecars_are_fetched_and_merged(output: Path) -> None:
    lines = timed(200)
    build(output, lines)
    whole = read_reference(output)
    halves = list[Reference]()
    for start in (0, 1):
        build(output, lines[start::2])
        halves.append(read_reference(output))

    with serving(sidecar(halves[0])) as first, serving(sidecar(halves[1])) as second:
        assert fetch(output, second, f"{first}/") == 0

    assert read_reference(output).digest == whole.digest


def test_a_sidecar_with_a_password_is_told_it(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = output.with_name("secret")
    secret.write_text("secret-of-ann\n")
    users = {"ann": bcrypt.hashpw(b"secret-of-ann", bcrypt.gensalt(4)).decode()}
    flags = ("--from.username", "ann", "--from.password-file", secret)

    with serving(sidecar(BEFORE), Rules(users=users)) as url:
        assert fetch(output, url) == 2
        said = capsys.readouterr().err
        assert "answered 401" in said
        assert said.endswith("programs of the sidecar's machine, and for --from.username\n")
        assert fetch(output, url, flags=flags) == 0

    assert read_reference(output) == replace(BEFORE, made_by=__version__)


async def wrong_model(_: web.Request) -> web.Response:
    return web.Response(text=dump(reference_of(ROWS[:9], model="code")))


async def garbage(_: web.Request) -> web.Response:
    return web.Response(text="<html>")


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(49):
        await response.write(bytes(1 << 20))
    return response


@pytest.mark.parametrize(
    "page,message",
    [
        pytest.param(sidecar(), "answered 404: it has no reference of 'chat' yet", id="none"),
        pytest.param(wrong_model, "is of model 'code', not of 'chat'", id="another model's"),
        pytest.param(garbage, "no reference: Invalid JSON", id="no reference"),
        pytest.param(endless, "more than 50331648 bytes", id="without end"),
    ],
)
def test_an_answer_that_is_of_no_use_is_named(
    output: Path, capsys: pytest.CaptureFixture[str], page: Page, message: str
) -> None:
    with serving(page) as url:
        assert fetch(output, url) == 2

    error = capsys.readouterr().err
    assert f"{url}/drift/reference" in error
    assert message in error
    assert error.count("\n") == 1
    assert not output.exists()


def test_nobody_at_an_address_is_named(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch(output, "http://127.0.0.1:9") == 2
    assert "http://127.0.0.1:9/drift/reference: no connection: " in capsys.readouterr().err
