"""The demo's parts, started in order and stopped in reverse; the end-to-end tests start it too."""

import asyncio
import fcntl
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from demo import files as written
from demo.files import Files
from demo.model import cached_model
from demo.ports import Ports
from demo.program import DemoError, Program, answers, eventually
from demo.webhook import receiver
from tidegauge.cli.control import process_pool
from tidegauge.config import load
from tidegauge.control.pools.pool import PoolError

TOOLS = written.ROOT / ".tools"
START_SECONDS = 60
STOP_SECONDS = 30
_LOCK = "demo.lock"


@dataclass(slots=True)
class Stack:
    """A running stack. `programs` may be stopped and started again by a test."""

    files: Files
    ports: Ports
    env: Mapping[str, str]
    programs: dict[str, Program] = field(default_factory=dict)

    def url(self, port: int) -> str:
        return f"http://{self.ports.at(port)}"

    async def start_control(self) -> None:
        """Start `tidegauge control`, and wait for its first round."""
        command = [
            sys.executable, "-m", "tidegauge.cli.main", "control",
            "--config.file", str(self.files.tidegauge),
        ]  # fmt: skip
        await self._start("control", command, f"{self.url(self.ports.control)}/-/ready")

    async def start_haproxy(self) -> None:
        """Start HAProxy, which knows of no server yet."""
        command = [_tool("haproxy"), "-db", "-f", str(self.files.haproxy)]
        await self._start("haproxy", command, f"{self.url(self.ports.haproxy_metrics)}/metrics")

    async def start_prometheus(self) -> None:
        """Start Prometheus over the generated configuration."""
        command = [
            _tool("prometheus"),
            f"--config.file={self.files.rules / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.files.data('prometheus')}",
            f"--web.listen-address={self.ports.at(self.ports.prometheus)}",
        ]
        await self._start("prometheus", command, f"{self.url(self.ports.prometheus)}/-/ready")

    async def start_alertmanager(self) -> None:
        """Start Alertmanager without its cluster port."""
        command = [
            _tool("alertmanager"),
            f"--config.file={self.files.rules / 'alertmanager.yml'}",
            f"--storage.path={self.files.data('alertmanager')}",
            f"--web.listen-address={self.ports.at(self.ports.alertmanager)}",
            "--cluster.listen-address=",
        ]
        await self._start("alertmanager", command, f"{self.url(self.ports.alertmanager)}/-/ready")

    async def serving(self) -> None:
        """Wait until a request through HAProxy would find a replica."""
        url = f"{self.url(self.ports.chat)}/health"
        await eventually(lambda: answers(url), seconds=START_SECONDS, what="the first replica")

    async def stop(self, name: str) -> None:
        """Stop one program."""
        if program := self.programs.pop(name, None):
            await program.stop()

    async def stop_all(self) -> None:
        """Stop every program, the last one first."""
        for name in reversed(list(self.programs)):
            await self.stop(name)

    async def _start(self, name: str, command: list[str], ready: str) -> None:
        log = self.files.logs / f"{name}.log"
        program = await Program.start(name, command, log=log, env=self.env)
        self.programs[name] = program
        await program.ready(ready, seconds=START_SECONDS)


@asynccontextmanager
async def running(
    home: Path,
    ports: Ports,
    *,
    cache: Path,
    say: Callable[[str], None],
    cores: float = 0.4,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Stack]:
    """Everything up to a serving replica; at the end nothing is left running.

    `cache` keeps the model between runs. `say` is told of progress and of every alert. `env` is
    added to the environment of every program.

    Raises:
        DemoError: a part did not start.
    """
    files = Files(home)
    with _alone(home):
        _clear(files)
        say("writing the model and the configuration")
        model = await asyncio.to_thread(cached_model, cache)
        written.write(files, ports, model_file=model, cores=cores)
        written.write_reference(files)
        async with AsyncExitStack() as endings:  # each is tried, whatever becomes of the others
            endings.push_async_callback(stop_replicas, files)
            await stop_replicas(files)  # of a demo that was killed
            await _receive_alerts(files, ports, say, endings)
            stack = Stack(files, ports, {**_environment(), **(env or {})})
            endings.push_async_callback(stack.stop_all)
            say("starting haproxy, alertmanager, prometheus and tidegauge control")
            await stack.start_haproxy()
            await stack.start_alertmanager()
            await stack.start_prometheus()
            await stack.start_control()
            say("starting the first replica")
            await stack.serving()
            yield stack


async def _receive_alerts(
    files: Files, ports: Ports, say: Callable[[str], None], endings: AsyncExitStack
) -> None:
    webhook = web.AppRunner(receiver(say, files.logs / "alerts.jsonl"), access_log=None)
    endings.push_async_callback(webhook.cleanup)
    await webhook.setup()
    await web.TCPSite(webhook, "127.0.0.1", ports.webhook).start()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep a second demo out of the same folder.

    Raises:
        DemoError: there is one already.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"{home}: a demo is running here; end it, or use --home") from None
        yield


async def stop_replicas(files: Files) -> None:
    """Stop every replica that the pool's run directory knows of.

    Raises:
        DemoError: they do not end.
    """
    config = load(files.tidegauge).control
    if config is None:
        raise DemoError(f"{files.tidegauge}: has no control section")
    pool = process_pool(config.pools[0])

    async def none_left() -> bool:
        await pool.resize(0)
        return not await pool.replicas()

    try:
        pool.adopt()
        await eventually(none_left, seconds=STOP_SECONDS, what=f"the replicas in {files.pool}")
    except PoolError as error:
        raise DemoError(str(error)) from error
    finally:
        await pool.close()


def _clear(files: Files) -> None:
    """Remove what an earlier demo wrote, and nothing else that may lie in its folder."""
    for path in files.written():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _tool(name: str) -> str:
    path = TOOLS / "bin" / name
    if not path.exists():
        raise DemoError(f"{name} is not set up; run `make setup`")
    return str(path)


def _environment() -> Mapping[str, str]:
    """What replicas need to find the modules of this tree, from whatever folder they start."""
    found = [str(written.ROOT), str(written.ROOT / "exporter"), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(path for path in found if path)}
