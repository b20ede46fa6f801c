"""The log source: what it counts of real files and pipes, and how little it lets a flood cost."""

import os
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from demo.program import eventually
from tidegauge.errors.event import ErrorEvent
from tidegauge.errors.patterns import Pattern, Patterns
from tidegauge.errors.records import Record
from tidegauge.errors.tally import Limits, Tally
from tidegauge.samples import Sample
from tidegauge.sources.logs.pipe import Pipe
from tidegauge.sources.logs.source import LogSource
from tidegauge.sources.source import SourceError

OOM = "ERROR:    torch.OutOfMemoryError: CUDA out of memory. Tried to allocate\n"


class Clock:
    """Monotonic seconds that go on when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def source(
    *paths: Path,
    clock: Clock,
    pipe: Pipe | None = None,
    lines_per_second: int = 1000,
    patterns: Patterns | None = None,
    tell: Callable[[ErrorEvent], None] | None = None,
) -> AsyncIterator[LogSource]:
    made = LogSource(
        [str(path) for path in paths],
        pipe,
        from_start=True,
        lines_per_second=lines_per_second,
        patterns=patterns or Patterns(),
        tally=Tally(Limits(10, 0), 0),
        tell=tell,
        clock=lambda: 5000.0,
        monotonic=clock,
    )
    try:
        yield made
    finally:
        await made.close()


async def turn(made: LogSource, clock: Clock) -> dict[tuple[str, ...], float]:
    clock.now += 1
    return values(await made.read())


def values(samples: Sequence[Sample]) -> dict[tuple[str, ...], float]:
    return {
        (s.metric.name, *s.labels): s.value for s in samples if isinstance(s.value, int | float)
    }


async def test_a_line_is_counted_when_nothing_follows_it(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "log"
    path.write_text("INFO:     fine\n" + OOM)
    async with source(path, clock=clock) as made:
        first = await turn(made, clock)
        assert first["llm_log_lines_total", "info"] == 1
        assert first["llm_error_patterns_total", "cuda_out_of_memory", "fatal"] == 0
        after = await turn(made, clock)
        assert after["llm_error_patterns_total", "cuda_out_of_memory", "fatal"] == 1
        assert after["llm_log_lines_total", "error"] == 1
        assert after[
            "llm_error_pattern_info",
            "cuda_out_of_memory",
            "memory",
            "docs/known-errors.md#cuda_out_of_memory",
        ]
        known = "llm_error_pattern_first_seen_timestamp_seconds", "cuda_out_of_memory"
        assert after[known] == 5000
        assert after["tidegauge_log_files",] == 1


async def test_a_flood_costs_what_was_allowed_and_the_rest_is_counted(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "log"
    path.write_text(OOM * 50_000)
    async with source(path, clock=clock, lines_per_second=100) as made:
        after = await turn(made, clock)
        read, skipped = (
            after["tidegauge_log_lines_total", result] for result in ("read", "skipped")
        )
        assert read == 200  # of the second before the first look, too
        assert read + skipped == 50_000
        with path.open("a") as writer:
            writer.write("WARNING:  new\n" * 3)
        after = await turn(made, clock)
        assert after["tidegauge_log_lines_total", "read"] == 203


async def test_a_file_that_floods_leaves_room_for_others(tmp_path: Path) -> None:
    clock = Clock()
    for name in ("a", "b"):
        (tmp_path / name).write_text("ERROR:    flood\n" * 5000 if name == "a" else OOM)
    async with source(tmp_path / "a", tmp_path / "b", clock=clock, lines_per_second=10) as made:
        await turn(made, clock)
        after = await turn(made, clock)
        assert after["llm_error_patterns_total", "cuda_out_of_memory", "fatal"] == 1


async def test_no_file_is_an_error_but_what_was_counted_stays(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "log"
    async with source(path, clock=clock) as made:
        with pytest.raises(SourceError, match="no log file is there"):
            await turn(made, clock)
        known = "llm_error_patterns_total", "cuda_out_of_memory", "fatal"
        assert values(made.unread())[known] == 0
        path.write_text(OOM)
        await turn(made, clock)
        assert (await turn(made, clock))[known] == 1


async def test_a_rotation_ends_the_record_that_was_open(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "log"
    path.write_text(OOM.strip())
    async with source(path, clock=clock) as made:
        await turn(made, clock)
        path.rename(tmp_path / "log.1")
        path.write_text("INFO:     fine\n")
        after = await turn(made, clock)
        assert after["llm_error_patterns_total", "cuda_out_of_memory", "fatal"] == 1


async def test_events_are_told_of_known_and_of_new_patterns(tmp_path: Path) -> None:
    clock, path, told = Clock(), tmp_path / "log", list[ErrorEvent]()
    path.write_text(OOM * 3 + "ERROR:    Failed to load tomato\n" * 2 + "INFO:     fine\n")
    async with source(path, clock=clock, tell=told.append) as made:
        await turn(made, clock)
    assert [(each.cls, each.severity, each.count) for each in told] == [
        ("memory", "fatal", 3),
        ("unknown", "error", 1),
    ]
    assert "tomato" not in repr(told)


class Broken(Patterns):
    """Quotes the line in its exception, as a library might."""

    def of(self, record: Record) -> Pattern | None:
        raise KeyError(record.message)


async def test_an_exception_of_ours_quotes_no_line(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "log"
    path.write_text("ERROR:    zqxjmarker\nINFO:     fine\n")
    async with source(path, clock=clock, patterns=Broken()) as made:
        with pytest.raises(SourceError) as caught:
            await turn(made, clock)
    said = "".join(traceback.format_exception(caught.value))
    assert "KeyError" in said
    assert "zqxjmarker" not in said


async def test_a_pipe_never_blocks_its_writer() -> None:
    """Written with no turn at all: more than a pipe and all our room hold."""
    reader, writer = os.pipe()
    pipe, clock = Pipe(reader), Clock()
    async with source(clock=clock, pipe=pipe) as made:
        await turn(made, clock)
        for _ in range(16):
            os.write(writer, b"INFO:     fine\n" * 70_000)  # 1 MB each
        os.write(writer, b"")
        os.close(writer)
        await eventually(lambda: _is(pipe.ended), seconds=30, what="the pipe's end")
        after = await turn(made, clock)
        read, skipped = (
            after["tidegauge_log_lines_total", result] for result in ("read", "skipped")
        )
        assert read == 1000
        assert read + skipped == pytest.approx(16 * 70_000, abs=500)  # a line that was cut in two
    os.close(reader)


async def test_after_a_reload_the_new_source_has_the_pipe() -> None:
    reader, writer = os.pipe()
    pipe, clock = Pipe(reader), Clock()
    async with source(clock=clock, pipe=pipe) as after:
        async with source(clock=clock, pipe=pipe) as before:
            pipe.start(after)  # made while the one before runs, which then is closed
            assert before is not after
        os.write(writer, b"INFO:     fine\n")
        os.close(writer)
        await eventually(lambda: _is(pipe.ended), seconds=30, what="the pipe's end")
        assert (await turn(after, clock))["llm_log_lines_total", "info"] == 1
    os.close(reader)


async def test_a_pipe_is_drained_when_nobody_wants_it_any_more() -> None:
    reader, writer = os.pipe()
    pipe, clock = Pipe(reader), Clock()
    async with source(clock=clock, pipe=pipe) as made:
        await turn(made, clock)
    writing = threading.Thread(target=os.write, args=(writer, b"x\n" * 500_000), daemon=True)
    writing.start()
    await eventually(lambda: _is(not writing.is_alive()), seconds=30, what="the writer's end")
    assert pipe.read() == b""
    os.close(writer)
    await eventually(lambda: _is(pipe.ended), seconds=30, what="the pipe's end")
    os.close(reader)


async def _is(value: bool) -> bool:  # noqa: FBT001 - `eventually` asks a coroutine
    return value
