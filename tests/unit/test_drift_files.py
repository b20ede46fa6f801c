"""References in a directory: whole or not there, and no file stops the sidecar."""

import errno
import logging
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.unit.drift_references import ROWS, altered, reference_of
from tidegauge.drift.reference import DriftReferenceError
from tidegauge.drift.reference_text import dump
from tidegauge.sources.drift_files import DriftFileError, DriftFiles, slug, write_reference
from tidegauge.sources.drift_store import DriftStore

NOBODY = 65534
USUAL, OTHER = reference_of(ROWS[:20]), reference_of(ROWS[:30])


@pytest.fixture
def files(tmp_path: Path) -> DriftFiles:
    return DriftFiles(tmp_path / "drift")


def names(files: DriftFiles) -> set[str]:
    return {path.name for path in files.directory.iterdir()}


def test_what_was_written_is_read_by_its_owner_alone(files: DriftFiles) -> None:
    files.write(USUAL)

    assert files.read("chat") == USUAL
    assert stat.S_IMODE(files.path("chat").stat().st_mode) == 0o600
    assert names(files) == {"chat.reference.json"}


def test_nothing_is_there_at_first(files: DriftFiles) -> None:
    assert files.read("chat") is None
    assert files.models() == ()
    files.tidy(before=time.time())


@pytest.mark.parametrize(
    "model,name",
    [
        pytest.param("chat-7b", "chat-7b", id="plain"),
        pytest.param("meta/llama", "meta%2Fllama", id="a slash"),
        pytest.param("..", "%2E.", id="dots"),
        pytest.param("été", "%C3%A9t%C3%A9", id="beyond ASCII"),
    ],
)
def test_a_models_name_is_in_that_of_its_file(files: DriftFiles, model: str, name: str) -> None:
    files.write(reference_of(ROWS[:5], model=model), "candidate")

    assert names(files) == {f"{name}.candidate.json"}
    assert files.models("candidate") == (model,)
    assert files.models() == ()


def test_a_long_name_is_cut_and_still_its_own(files: DriftFiles) -> None:
    first, second = "m" * 5000, "m" * 4999
    files.write(reference_of(ROWS[:5], model=first))

    assert len(slug(first)) < 150
    assert files.read(second) is None
    found = files.read(first)
    assert found is not None
    assert found.model == first


def test_another_models_file_is_refused(files: DriftFiles) -> None:
    files.write(USUAL)
    files.path("chat").rename(files.path("code"))

    with pytest.raises(DriftReferenceError, match=r"is of model 'chat', not of 'code'$"):
        files.read("code")


def test_a_pipe_is_not_waited_for(files: DriftFiles) -> None:
    files.directory.mkdir()
    os.mkfifo(files.path("chat"))

    with pytest.raises(DriftFileError, match=r"is no file$"):
        files.read("chat")


def test_a_file_without_end_is_not_read(files: DriftFiles) -> None:
    files.directory.mkdir()
    with files.path("chat").open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(DriftReferenceError, match="1099511627776 bytes; a reference has at most"):
        files.read("chat")


def test_a_writer_that_is_killed_leaves_the_old_one_whole(files: DriftFiles) -> None:
    files.write(USUAL)
    program = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from tidegauge.sources import drift_files\n"
        "def stuck(_):\n    print('writing', flush=True)\n    time.sleep(60)\n"
        "os.fsync = stuck\n"
        "drift_files._replace(Path(sys.argv[1]), '{}' * 100000)\n"
    )
    command = [sys.executable, "-c", program, str(files.path("chat"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        writer.send_signal(signal.SIGKILL)

    assert files.read("chat") == USUAL
    assert len(names(files)) == 2
    assert files.models() == ("chat",)
    files.tidy(before=time.time() - 600)
    assert len(names(files)) == 2, "it may be somebody's who is still writing"
    files.tidy(before=time.time() + 1)
    assert names(files) == {"chat.reference.json"}


def test_a_full_disk_leaves_the_old_one_and_nothing_else(
    files: DriftFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write(USUAL)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DriftFileError, match=r"cannot be written: No space left on device$"):
        files.write(OTHER)

    assert names(files) == {"chat.reference.json"}
    assert files.read("chat") == USUAL


def test_no_directory_can_be_made_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "drift").write_text("a file")

    with pytest.raises(DriftFileError, match="drift: "):
        DriftFiles(tmp_path / "drift").write(USUAL)
    with pytest.raises(DriftFileError, match=r"nowhere/out.json: cannot be written: No such"):
        write_reference(tmp_path / "nowhere" / "out.json", USUAL)


def test_a_reference_that_somebody_promotes_is_seen(files: DriftFiles) -> None:
    running = DriftStore(files)
    assert running.load("chat") is None
    assert not running.changed("chat")

    assert running.save(USUAL)
    assert not running.changed("chat")

    files.write(OTHER)
    assert running.changed("chat")
    assert running.load("chat") == OTHER
    assert not running.changed("chat")

    files.remove("chat", "reference")
    assert not running.changed("chat"), "what was read goes on being used"
    files.write(USUAL)
    assert running.changed("chat")


def test_a_candidate_is_no_change_of_the_reference(files: DriftFiles) -> None:
    running = DriftStore(files)
    running.save(USUAL)

    running.save(OTHER, "candidate")
    running.save(OTHER, "learning")

    assert not running.changed("chat")
    assert running.load("chat", "learning") == OTHER
    running.remove("chat", "learning")
    assert running.load("chat", "learning") is None


@pytest.mark.parametrize(
    "text,ending,why",
    [
        pytest.param("{", "corrupt", "no reference: Invalid JSON", id="half a file"),
        pytest.param(dump(USUAL)[:500], "corrupt", "no reference: Invalid JSON", id="cut"),
        pytest.param(altered(dump(USUAL), requests=7), "corrupt", "requests: 7", id="altered"),
        pytest.param(altered(dump(USUAL), features="1"), "other-version", "'1'", id="of another"),
    ],
)
def test_what_cannot_be_used_is_set_aside_with_one_line(
    files: DriftFiles, caplog: pytest.LogCaptureFixture, text: str, ending: str, why: str
) -> None:
    files.directory.mkdir()
    files.path("chat").write_text(text)
    running = DriftStore(files)

    assert running.load("chat") is None
    assert running.load("chat") is None

    assert names(files) == {f"chat.reference.json.{ending}"}
    assert [record.message for record in caplog.records] == ["drift file set aside"]
    assert why in str(vars(caplog.records[0])["error"])
    assert running.save(USUAL)


def test_a_disk_that_fails_is_said_once_and_that_it_works_again(
    files: DriftFiles, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    files.directory.write_text("in the way")
    running = DriftStore(files)

    assert not running.save(USUAL)
    assert not running.save(USUAL)
    files.directory.unlink()
    assert running.save(USUAL)
    assert running.save(USUAL)

    said = [record.message for record in caplog.records]
    assert said == ["drift file failed", "drift file written again"]
    assert running.load("chat") == USUAL


@contextmanager
def somebody() -> Iterator[None]:
    """Not root, who may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_directory_that_is_read_only_is_said() -> None:
    with TemporaryDirectory() as folder:
        files = DriftFiles(Path(folder))
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        files.write(USUAL)  # what root writes belongs to the directory's owner, who can read it
        files.directory.chmod(0o500)
        with somebody():
            running = DriftStore(files)
            with pytest.raises(DriftFileError, match=r"cannot be written: Permission denied$"):
                files.write(OTHER)
            assert not running.save(OTHER)
            assert running.load("chat") == USUAL
        files.directory.chmod(0o700)
