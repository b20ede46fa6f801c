"""What a running stack says: Prometheus's answers, alerts delivered, processes of the pool."""

import json
import os
import signal
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from demo.program import eventually
from demo.stack import Stack
from demo.webhook import Alert, alerts
from tidegauge.control.pools import proc
from tidegauge.control.pools.process import MARK
from tidegauge.promql.client import Access, Prometheus
from tidegauge.promql.decode import PromqlError, number


@dataclass(slots=True)
class Asking:
    """A stack, and when the test began to watch it."""

    stack: Stack
    began: float = field(default_factory=time.time)

    async def value(self, expression: str) -> float | None:
        """The one number that Prometheus answers now; None if there is none."""
        url = self.stack.url(self.stack.ports.prometheus)
        client = Prometheus(Access(url))
        try:
            return number(await client.query(expression))
        except PromqlError:
            return None
        finally:
            await client.close()

    async def becomes(self, expression: str, wanted: float, *, seconds: float) -> None:
        """Wait until Prometheus answers `wanted`."""

        async def so() -> bool:
            return await self.value(expression) == wanted

        await eventually(so, seconds=seconds, what=f"{expression} == {wanted:g}")

    async def history(self, expression: str) -> list[dict[str, Any]]:
        """The series of a range query from the beginning until now, as Grafana would ask."""
        url = f"{self.stack.url(self.stack.ports.prometheus)}/api/v1/query_range"
        form = {"query": expression, "start": self.began, "end": time.time(), "step": "2"}
        async with aiohttp.ClientSession() as session, session.post(url, data=form) as response:
            answer = await response.json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        return answer["data"]["result"]

    async def sizes(self, expression: str) -> list[int]:
        """The values of one series over time, each change once."""
        (series,) = await self.history(expression)
        values = [int(float(value)) for _, value in series["values"]]
        return [value for i, value in enumerate(values) if i == 0 or value != values[i - 1]]

    def delivered(self, name: str | None = None) -> list[Alert]:
        """What reached the webhook, of the alerts of one name or of all, in order."""
        log = self.stack.files.logs / "alerts.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        found = [alert for line in lines for alert in alerts(json.loads(line))]
        return [alert for alert in found if name in (None, alert.name)]

    async def delivery(self, name: str, status: str, *, seconds: float) -> None:
        """Wait until an alert of that name and status has reached the webhook."""

        async def so() -> bool:
            return any(alert.status == status for alert in self.delivered(name))

        await eventually(so, seconds=seconds, what=f"{name} {status}")

    def replicas(self) -> dict[str, dict[str, int]]:
        """Process ids by part, for each recorded replica."""
        records = [json.loads(path.read_text()) for path in self.stack.files.pool.glob("*.json")]
        return {
            record["name"]: {part: each["pid"] for part, each in record["processes"].items()}
            for record in records
        }

    def process_groups(self) -> frozenset[int]:
        """Every process group that the pool's controllers ever started and that still runs."""
        return frozenset(proc.marked_groups(MARK, f"{self.stack.files.pool.resolve()}:"))

    async def runs(self, *, groups: int, seconds: float) -> None:
        """Wait until so many process groups of the pool run."""

        async def so() -> bool:
            return len(self.process_groups()) == groups

        await eventually(so, seconds=seconds, what=f"{groups} process groups")

    async def scrape(self, address: str) -> str:
        """A target's /metrics, in the text format."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{address}/metrics") as response,
        ):
            assert response.ok
            return await response.text()

    async def targets(self) -> list[str]:
        """Addresses of the sidecars, as Prometheus is told them."""
        url = f"{self.stack.url(self.stack.ports.control)}/sd"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return [target for group in await response.json() for target in group["targets"]]

    async def kill_control(self) -> None:
        """SIGKILL to `tidegauge control`, and to nothing that it started."""
        program = self.stack.programs.pop("control")
        os.kill(program.process.pid, signal.SIGKILL)
        await program.process.wait()
