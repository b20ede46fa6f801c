"""A log file that is rotated, truncated, removed and written in pieces, as real files are."""

import os
from pathlib import Path

import pytest

from tidegauge.sources.logs.file import LogFile
from tidegauge.sources.logs.followed import MOST_FILES, FollowedFiles
from tidegauge.sources.logs.lines import LINE_BYTES, Counts, Lines


def added(file: LogFile) -> bytes:
    """All that there is to read now, across a rotation."""
    file.look()
    read = b""
    while True:
        if chunk := file.read():
            read += chunk
        elif file.moved():
            file.look()
        else:
            return read


def append(path: Path, text: str) -> None:
    with path.open("a") as writer:
        writer.write(text)


def test_a_file_that_was_there_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("old\n")
    file = LogFile(path, from_start=False)
    assert added(file) == b""
    append(path, "ne")
    append(path, "w\n")
    assert added(file) == b"new\n"
    assert added(file) == b""


def test_it_is_read_from_its_start_where_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("old\n")
    assert added(LogFile(path, from_start=True)) == b"old\n"


def test_a_file_that_comes_later_is_read_from_its_start(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "log", from_start=False)
    assert not file.look()
    assert added(file) == b""
    append(tmp_path / "log", "first\n")
    assert added(file) == b"first\n"


def test_rotation_by_rename_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.touch()
    file = LogFile(path, from_start=False)
    assert added(file) == b""
    append(path, "before\n")
    path.rename(tmp_path / "log.1")
    append(tmp_path / "log.1", "still to the old one\n")
    append(path, "to the new one\n")
    assert added(file) == b"before\nstill to the old one\nto the new one\n"


def test_copy_and_truncate_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.touch()
    file = LogFile(path, from_start=False)
    append(path, "a long line before\n") if added(file) == b"" else None
    assert added(file) == b"a long line before\n"
    os.truncate(path, 0)
    assert added(file) == b""
    append(path, "after\n")
    assert added(file) == b"after\n"


def test_a_removed_file_is_read_on_until_another_takes_its_place(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.touch()
    file = LogFile(path, from_start=False)
    assert added(file) == b""
    with path.open("a") as writer:
        path.unlink()
        writer.write("its writer goes on\n")
        writer.flush()
        assert added(file) == b"its writer goes on\n"
    append(path, "back\n")
    assert added(file) == b"back\n"


def test_a_link_is_followed_to_what_it_leads_to_now(tmp_path: Path) -> None:
    one, two, link = tmp_path / "0.log", tmp_path / "1.log", tmp_path / "link"
    one.touch()
    two.write_text("of the second\n")
    link.symlink_to(one)
    file = LogFile(link, from_start=False)
    assert added(file) == b""
    append(one, "of the first\n")
    link.unlink()
    link.symlink_to(two)
    assert added(file) == b"of the first\nof the second\n"


def test_a_fifo_is_read_and_never_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    file = LogFile(path, from_start=False)
    assert added(file) == b""
    writer = os.open(path, os.O_WRONLY)
    os.write(writer, b"through\n")
    assert added(file) == b"through\n"
    os.close(writer)
    assert added(file) == b""


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        LogFile(tmp_path, from_start=False).look()


def test_files_of_a_pattern_come_and_go_and_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("old\n")
    files = FollowedFiles([str(tmp_path / "*.log")], Counts(), from_start=False)
    files.search(0)
    assert [added(each.file) for each in files] == [b""]
    for number in range(2 * MOST_FILES):
        (tmp_path / f"b{number}.log").write_text("new\n")
    files.search(1)
    assert len(tuple(files)) == 1  # it does not look that often
    files.search(10)
    assert len(tuple(files)) == MOST_FILES
    assert {added(each.file) for each in files} == {b"", b"new\n"}
    for path in tmp_path.glob("b*.log"):
        path.unlink()
    for each in files:
        added(each.file)
    assert len(files.search(20)) == MOST_FILES - 1
    assert [each.file.path.name for each in files] == ["a.log"]
    files.close()


def test_lines_are_bounded_skipped_and_counted() -> None:
    counts = Counts()
    lines = Lines(counts)
    assert lines.feed(b"one\ntw", 9) == [b"one"]
    assert lines.feed(b"o\n", 9) == [b"two"]
    assert lines.feed(b"x" * (LINE_BYTES + 1), 9) == [b"x" * LINE_BYTES]
    assert lines.feed(b"x" * LINE_BYTES, 9) == []
    assert lines.feed(b"the rest\nthree\nfour\nfive\n", 1) == [b"three"]
    assert lines.feed(b"six\nsev", 0) == []
    assert lines.feed(b"en\neight", 9) == []
    assert lines.end() == [b"eight"]
    assert (counts.read, counts.cut, counts.skipped) == (4, 1, 3)
