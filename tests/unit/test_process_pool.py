"""The process pool over real processes: small HTTP servers that start in a moment."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tidegauge.control.pools import proc
from tidegauge.control.pools.pool import PoolError, Replica
from tidegauge.control.pools.process import MARK, ProcessPool
from tidegauge.control.pools.spec import Part, ReplicaSpec

_SERVER = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
_NEW_KEYS = ("backup", "restarts")
_STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{_SERVER}"


def spec(
    code: str = _SERVER, *, start: float = 20, unhealthy: float = 20, restarts: str = ""
) -> ReplicaSpec:
    parts = tuple(
        Part(
            name=name,
            command=(sys.executable, "-c", code, f"{{{name}}}"),
            env={"WHO": f"{{replica}}/{name}"},
            ready=f"http://127.0.0.1:{{{name}}}/",
            restarts=name == restarts,
        )
        for name in ("engine", "sidecar")
    )
    return ReplicaSpec(
        pool="chat",
        ports=("engine", "sidecar"),
        serve="engine",
        scrape="sidecar",
        parts=parts,
        start_timeout_seconds=start,
        unhealthy_timeout_seconds=unhealthy,
        kill_grace_seconds=0.5,
        backup="engine" if restarts else "",
    )


@asynccontextmanager
async def pool_in(folder: Path, what: ReplicaSpec | None = None) -> AsyncIterator[ProcessPool]:
    """A pool in charge of `folder`; at the end every process of it is ended."""
    pool = ProcessPool(what or spec(), folder)
    pool.adopt()
    try:
        yield pool
    finally:
        await pool.close()
        for group in proc.marked_groups(MARK, f"{folder}:"):
            os.killpg(group, signal.SIGKILL)


async def settled(
    pool: ProcessPool, size: int, good: Callable[[list[Replica]], bool], seconds: float = 20
) -> list[Replica]:
    """Resize each round, as the loop does, until the replicas are as wanted."""
    async with asyncio.timeout(seconds):
        while True:
            await pool.resize(size)
            replicas = list(await pool.replicas())
            if good(replicas):
                return replicas
            await asyncio.sleep(0.05)


def serving(number: int) -> Callable[[list[Replica]], bool]:
    return lambda replicas: [r.phase for r in replicas] == ["serving"] * number


def replaced(before: Replica) -> Callable[[list[Replica]], bool]:
    return lambda found: serving(1)(found) and found[0].name != before.name


def pids(folder: Path) -> dict[str, list[int]]:
    return {
        path.stem: [
            process["pid"] for process in json.loads(path.read_text())["processes"].values()
        ]
        for path in folder.glob("*.json")
    }


async def test_a_pool_grows_and_shrinks_to_nothing(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        replicas = await settled(pool, 2, serving(2))
        assert len({r.serve for r in replicas} | {r.scrape for r in replicas}) == 4
        before = pids(tmp_path)
        assert await settled(pool, 1, serving(1)) == replicas[:1], "the youngest goes"
        await settled(pool, 0, lambda found: not found)
        assert all(proc.identify(pid) is None for found in before.values() for pid in found)
        assert not list(tmp_path.glob("*.json"))


async def test_the_victims_are_who_was_named(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        first, second = await settled(pool, 2, serving(2))
        await pool.resize(1, victims=[first.name])
        assert await settled(pool, 1, serving(1)) == [second]


async def test_resizing_to_the_size_it_has_changes_nothing(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        before = await settled(pool, 1, serving(1))
        for _ in range(3):
            await pool.resize(1)
        assert list(await pool.replicas()) == before


@pytest.mark.parametrize("part", [0, 1], ids=["engine", "sidecar"])
async def test_a_replica_that_loses_a_process_is_replaced_whole(tmp_path: Path, part: int) -> None:
    async with pool_in(tmp_path) as pool:
        (before,) = await settled(pool, 1, serving(1))
        processes = pids(tmp_path)[before.name]
        os.kill(processes[part], signal.SIGKILL)
        (after,) = await settled(pool, 1, replaced(before))
        assert after.name != before.name
        assert pool.failures() == {"died": 1, "unhealthy": 0, "start_timeout": 0}
        assert all(proc.identify(pid) is None for pid in processes)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
async def test_a_part_that_the_replica_serves_on_without_is_started_again_alone(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with pool_in(tmp_path, spec(unhealthy=0.5, restarts="sidecar")) as pool:
        (before,) = await settled(pool, 1, serving(1))
        assert before.backup.startswith("127.0.0.1:")
        engine, sidecar = pids(tmp_path)[before.name]
        os.kill(sidecar, number)
        await settled(pool, 1, lambda found: not found[0].healthy)

        def again(found: list[Replica]) -> bool:
            return found[0].healthy and pids(tmp_path)[before.name][1] != sidecar

        assert await settled(pool, 1, again) == [before]
        assert pids(tmp_path)[before.name][0] == engine
        assert proc.identify(sidecar) is None
        assert sum(pool.failures().values()) == 0
        assert pool.restarts() == {"sidecar": 1}


async def test_a_replica_that_loses_what_it_needs_is_replaced_all_the_same(tmp_path: Path) -> None:
    async with pool_in(tmp_path, spec(restarts="sidecar")) as pool:
        (before,) = await settled(pool, 1, serving(1))
        os.kill(pids(tmp_path)[before.name][0], signal.SIGKILL)
        await settled(pool, 1, replaced(before))


async def test_a_record_of_the_first_release_is_read(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as first:
        before = await settled(first, 1, serving(1))
        await first.close()
        path = tmp_path / f"{before[0].name}.json"
        record = json.loads(path.read_text())
        path.write_text(json.dumps({k: v for k, v in record.items() if k not in _NEW_KEYS}))
        async with pool_in(tmp_path) as second:
            assert await settled(second, 1, serving(1)) == before
            await settled(second, 0, lambda found: not found)


async def test_a_replica_that_answers_no_more_is_replaced(tmp_path: Path) -> None:
    async with pool_in(tmp_path, spec(unhealthy=0.5)) as pool:
        (before,) = await settled(pool, 1, serving(1))
        for pid in pids(tmp_path)[before.name]:
            os.kill(pid, signal.SIGSTOP)
        await settled(pool, 1, replaced(before))
        assert pool.failures()["unhealthy"] == 1


async def test_the_unhealthy_are_replaced_one_at_a_time_and_nobody_else_goes(
    tmp_path: Path,
) -> None:
    async with pool_in(tmp_path, spec(unhealthy=0.2)) as pool:
        replicas = await settled(pool, 3, serving(3))
        ill, well = replicas[:2], replicas[2]
        for each in ill:
            for pid in pids(tmp_path)[each.name]:
                os.kill(pid, signal.SIGSTOP)
        most_stopping = 0
        async with asyncio.timeout(60):
            while {each.name for each in ill} & {r.name for r in await pool.replicas()}:
                seen = {r.name: r.phase for r in await pool.replicas()}
                most_stopping = max(most_stopping, list(seen.values()).count("stopping"))
                assert seen[well.name] == "serving"
                await pool.resize(3)
        assert most_stopping == 1
        assert pool.failures()["unhealthy"] == 2


async def test_records_lost_while_in_charge_are_an_error_and_start_nothing(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        first, second = await settled(pool, 2, serving(2))
        path = tmp_path / f"{first.name}.json"
        text = path.read_text()
        path.unlink()
        with pytest.raises(PoolError, match="no record names the replicas"):
            await pool.replicas()
        path.write_text(text)
        assert list(await pool.replicas()) == [first, second]


async def test_a_replica_that_never_gets_ready_is_replaced_ever_more_slowly(tmp_path: Path) -> None:
    async with pool_in(tmp_path, spec("import time; time.sleep(60)", start=0.3)) as pool:

        async def round_of() -> None:
            await pool.replicas()
            await pool.resize(1)
            await asyncio.sleep(0.05)

        for _ in range(40):
            await round_of()
        assert 1 <= pool.failures()["start_timeout"] <= 2


async def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    part = Part("engine", ("/no/such/program",), {}, "http://127.0.0.1:{engine}/")
    missing = replace(spec(), parts=(part,))
    async with pool_in(tmp_path, missing) as pool:
        with pytest.raises(PoolError, match="engine: cannot start '/no/such/program'"):
            await pool.resize(1)
        assert pool.failures()["died"] == 1


async def test_sigterm_that_is_ignored_is_followed_by_sigkill(tmp_path: Path) -> None:
    async with pool_in(tmp_path, spec(_STUBBORN)) as pool:
        await settled(pool, 1, serving(1))
        await settled(pool, 0, lambda found: not found)


async def test_a_stopped_process_still_hears_its_end(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        (replica,) = await settled(pool, 1, serving(1))
        for pid in pids(tmp_path)[replica.name]:
            os.kill(pid, signal.SIGSTOP)
        await settled(pool, 0, lambda found: not found, seconds=5)


async def test_a_new_controller_adopts_what_runs(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as first:
        before = await settled(first, 2, serving(2))
        await first.close()
        async with pool_in(tmp_path) as second:
            assert list(await second.replicas()) == before
            assert await settled(second, 2, serving(2)) == before
            await settled(second, 0, lambda found: not found)


async def marked_process(folder: Path, replica_and_part: str) -> subprocess.Popen[bytes]:
    """A process that looks as if a pool over `folder` had started it, once its mark can be seen."""
    env = {**os.environ, MARK: f"{folder}:{replica_and_part}"}
    code = "import time; time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], env=env, start_new_session=True)

    async def seen() -> bool:
        return process.pid in proc.marked_groups(MARK, f"{folder}:")

    await eventually(seen)
    return process


async def test_a_process_that_was_started_but_not_yet_recorded_is_ended(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as first:
        (replica,) = await settled(first, 1, serving(1))
        await first.close()
        stray = await marked_process(tmp_path, f"{replica.name}:third")
        bystander = await marked_process(tmp_path / "another", "chat-1:engine")
        try:
            async with pool_in(tmp_path) as second:
                assert stray.wait(timeout=5) == -signal.SIGKILL
                assert bystander.poll() is None
                assert await settled(second, 1, serving(1)) == [replica]
                await settled(second, 0, lambda found: not found)
        finally:
            for process in (stray, bystander):
                process.kill()
                process.wait()


async def test_replicas_whose_records_are_lost_are_not_killed_but_named(tmp_path: Path) -> None:
    orphan = await marked_process(tmp_path, "chat-00000001:engine")
    try:
        with pytest.raises(PoolError, match=f"process groups {orphan.pid} belong to; restore"):
            ProcessPool(spec(), tmp_path).adopt()
        assert orphan.poll() is None
    finally:
        orphan.kill()
        orphan.wait()


async def test_a_pid_used_again_is_not_taken_for_the_replica(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        (before,) = await settled(pool, 1, serving(1))
        bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        try:
            path = tmp_path / f"{before.name}.json"
            record = json.loads(path.read_text())
            record["processes"]["engine"]["pid"] = bystander.pid
            path.write_text(json.dumps(record))
            await settled(pool, 1, replaced(before))
            assert bystander.poll() is None
        finally:
            bystander.kill()
            bystander.wait()


async def test_a_replica_is_judged_by_what_it_was_started_as(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as first:
        before = await settled(first, 1, serving(1))
        await first.close()
        renamed = replace(spec(), parts=(replace(spec().parts[0], name="renamed"),))
        other = replace(renamed, ports=("engine", "more"), scrape="more")
        async with pool_in(tmp_path, other) as second:
            assert await settled(second, 1, serving(1)) == before
            assert second.failures()["died"] == 0
            await settled(second, 0, lambda found: not found)


async def test_children_in_a_session_of_their_own_live_and_end_with_their_replica(
    tmp_path: Path,
) -> None:
    child = "import time; time.sleep(60)"
    start = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]"
    async with pool_in(tmp_path, spec(f"{start}, start_new_session=True)\n{_SERVER}")) as first:
        before = await settled(first, 1, serving(1))
        await first.close()
        groups = proc.marked_groups(MARK, f"{tmp_path}:")
        assert len(groups) == 4, "two parts, each with a child"
        async with pool_in(tmp_path) as second:
            assert await settled(second, 1, serving(1)) == before
            assert proc.marked_groups(MARK, f"{tmp_path}:") == groups
            await settled(second, 0, lambda found: not found)
            assert proc.marked_groups(MARK, f"{tmp_path}:") == {}


async def test_a_process_may_call_itself_anything(tmp_path: Path) -> None:
    code = "import ctypes, time; ctypes.CDLL(None).prctl(15, b'a\\xd0\\xff'); time.sleep(60)"
    odd = subprocess.Popen([sys.executable, "-c", code])
    try:
        async with pool_in(tmp_path) as pool:
            await settled(pool, 1, serving(1))
            await settled(pool, 0, lambda found: not found)
    finally:
        odd.kill()
        odd.wait()


async def test_a_folder_that_is_gone_is_an_error_and_no_empty_pool(tmp_path: Path) -> None:
    folder = tmp_path / "pool"
    async with pool_in(folder) as pool:
        await settled(pool, 1, serving(1))
        folder.rename(tmp_path / "moved")
        with pytest.raises(PoolError, match="is gone, and the pool's records with it"):
            await pool.replicas()
        (tmp_path / "moved").rename(folder)
        await settled(pool, 0, lambda found: not found)


async def test_the_size_asked_for_outlives_the_controller(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as first:
        assert first.wanted() is None
        await first.resize(2)
        await first.close()
        async with pool_in(tmp_path) as second:
            assert second.wanted() == 2
            await settled(second, 0, lambda found: not found)


async def test_records_of_another_boot_name_nothing_that_runs(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        (before,) = await settled(pool, 1, serving(1))
        path = tmp_path / f"{before.name}.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "boot": "another"}))
        (found,) = await pool.replicas()
        assert found.phase == "stopping"


async def test_two_controllers_of_one_pool_are_refused(tmp_path: Path) -> None:
    async with pool_in(tmp_path):
        with pytest.raises(PoolError, match="another tidegauge control runs this pool"):
            ProcessPool(spec(), tmp_path).adopt()


async def test_watching_without_being_in_charge_changes_nothing(tmp_path: Path) -> None:
    async with pool_in(tmp_path) as pool:
        (replica,) = await settled(pool, 1, serving(1))
        watcher = ProcessPool(spec(), tmp_path)
        os.kill(pids(tmp_path)[replica.name][0], signal.SIGKILL)

        async def lost() -> bool:
            return [r.phase for r in await watcher.replicas()] == ["stopping"]

        await eventually(lost)
        assert watcher.failures()["died"] == 0
        assert (tmp_path / f"{replica.name}.json").exists()
        await watcher.close()


@pytest.mark.parametrize(
    "text,problem",
    [
        pytest.param("", "is no replica record", id="empty, as after a power cut"),
        pytest.param("{}", "is no replica record", id="nothing in it"),
        pytest.param('{"format": 99}', "format 99 is not 1", id="of a later version"),
    ],
)
async def test_a_record_that_cannot_be_read_is_named_and_never_guessed_at(
    tmp_path: Path, text: str, problem: str
) -> None:
    (tmp_path / "broken.json").write_text(text)
    pool = ProcessPool(spec(), tmp_path)
    with pytest.raises(PoolError, match=problem) as caught:
        await pool.replicas()
    assert "broken.json" in str(caught.value)
    assert "move it away" in str(caught.value)


async def test_what_cannot_be_recorded_does_not_run(tmp_path: Path) -> None:
    # A directory where the new record would be written stands for a full disk: root may write
    # into a read-only folder, but nobody into a folder as if it were a file.
    async with pool_in(tmp_path) as pool:
        await settled(pool, 1, serving(1))
        (replica,) = await pool.replicas()
        (tmp_path / f"{replica.name}.json.new").mkdir()
        with pytest.raises(PoolError, match="cannot be written: Is a directory"):
            await pool.resize(0)
        assert [r.phase for r in await pool.replicas()] == ["serving"], "the old record stands"
        (tmp_path / f"{replica.name}.json.new").rmdir()
        await settled(pool, 0, lambda found: not found)


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await check():
            await asyncio.sleep(0.05)
