"""Both kinds of band around the same signal: of rules alone, and of `tidegauge control`.

A day of the rules takes fifteen seconds here; the controller has read ten minutes of the past.
"""

import asyncio
import importlib.util
import json
import math
import sys
import time
from pathlib import Path

import pytest
from aiohttp import web

from demo.program import Program, eventually
from tests.e2e.remembering import ROOT, Remembering, remembering
from tests.engine_app import engine_app
from tests.haproxy import free_port
from tidegauge.promql.client import Access, Prometheus
from tidegauge.promql.decode import PromqlError, number

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(480)]

SERIES = 'llm:time_to_first_token_seconds:p95{model="m"}'
SIGNAL = 'signal="time_to_first_token_p95",model="m"'
DAY = 15.0
# Everything about bands in seconds; rules and alerts are those that are shipped.
TIMES = {
    "signal_smooth": "3s",
    "signal_step": "1s",
    "signal_fresh": "10s",
    "signal_hour": "2s",
    "signal_day": f"{DAY:g}s",
    "for_anomalous": "1s",
    "keep_anomalous": "1s",
}
SECONDS = 90

_CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [rules/bands.yml, rules/alerts.yml]
scrape_configs:
  - job_name: measured
    static_configs: [targets: ["{measured}"]]
  - job_name: tidegauge-control
    static_configs: [targets: ["{control}"]]
"""


def wave(at: float) -> float:
    """Up and down with the day, and never twice the same."""
    return 10 + 3 * math.sin(2 * math.pi * at / DAY) + 0.2 * math.sin(at * 12.9898)


def address_of(url: str) -> str:
    return url.removeprefix("http://")


def scraped(address: str) -> str:
    """The series as Prometheus names it, so that the past is of the same one."""
    return f'{SERIES[:-1]},job="measured",instance="{address}"}}'


class Measured:
    """A target of which the value is as usual, times a factor; or has none."""

    def __init__(self) -> None:
        self.factor: float | None = 1.0

    async def page(self, _: web.Request) -> web.Response:
        text = "" if self.factor is None else f"{SERIES} {wave(time.time()) * self.factor}\n"
        return web.Response(text=text)


def write_rules(folder: Path) -> None:
    spec = importlib.util.spec_from_file_location(
        "alert_rules_build", ROOT / "alert-rules" / "build.py"
    )
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    sets = [word for name, value in TIMES.items() for word in ("--set", f"{name}={value}")]
    assert build.main(["--profile", "demo", "--out", str(folder), *sets]) == 0


async def control(server: Remembering, address: str) -> Program:
    signals = {
        "interval": "2s",
        "history": "10m",
        "refresh": "1m",
        "min_points": 60,
        "query_offset": "1s",
        "budget": "4 per hour",
    }
    told = {
        "listen_address": address,
        "prometheus": {"url": server.url},
        "signals": signals,
    }
    config = server.folder / "tidegauge.yml"
    config.write_text(json.dumps({"control": told}))
    command = [sys.executable, "-m", "tidegauge.cli.main", "control"]
    program = await Program.start(
        "control", [*command, "--config.file", str(config)], log=server.folder / "control.log"
    )
    await program.ready(f"http://{address}/-/healthy", seconds=SECONDS)
    return program


class Asked:
    """What Prometheus says now."""

    def __init__(self, url: str) -> None:
        self._client = Prometheus(Access(url, timeout_seconds=10))

    async def value(self, expression: str) -> float | None:
        try:
            return number(await self._client.query(expression))
        except PromqlError:
            return None

    async def becomes(self, expression: str, wanted: float | None) -> None:
        async def so() -> bool:
            return await self.value(expression) == wanted

        await eventually(so, seconds=SECONDS, what=f"{expression} == {wanted}")

    async def close(self) -> None:
        await self._client.close()


async def test_both_kinds_of_band_hold_the_same_signal_and_see_it_leave(tmp_path: Path) -> None:
    measured, address = Measured(), f"127.0.0.1:{free_port()}"
    write_rules(tmp_path / "rules")
    now = math.floor(time.time())
    async with (
        engine_app(measured.page, path="/metrics") as url,
        remembering(
            tmp_path, {scraped(address_of(url)): wave}, begin=now - 900, end=now, step=1
        ) as server,
    ):
        (tmp_path / "prometheus.yml").write_text(
            _CONFIG.format(measured=address_of(url), control=address)
        )
        await server.start()
        program = await control(server, address)
        asked = Asked(server.url)
        try:
            await side_by_side(asked, measured, program)
        finally:
            await asked.close()
            await program.stop()


async def side_by_side(asked: Asked, measured: Measured, program: Program) -> None:
    own, rules = f'{{detector="novelty",{SIGNAL}}}', f'{{detector="rules",{SIGNAL}}}'
    anomalous = f'ALERTS{{alertname="LLMSignalAnomalous",alertstate="firing",{SIGNAL}}}'

    # The controller has a band at once, the rules when they have seen two days.
    for kind in (own, rules):
        await asked.becomes(f"count(llm_signal_upper{kind})", 1)
    await asked.becomes(f'count(llm:signal_half{{band="day",{SIGNAL}}})', 1)

    # As usual: inside of both, which are of the value's own size. Only more is news of this signal.
    for kind in (own, rules):
        await asked.becomes(f"count(llm_signal_anomaly_score{kind} < 1)", 1)
        await asked.becomes(f"count(llm_signal_upper{kind} < 40)", 1)
        assert await asked.value(f"count(llm_signal_lower{kind})") is None
        await asked.becomes(f"count(llm_signal_age_seconds{kind} < 30)", 1)

    # Three times as much: outside of both, until it is learned. One alert, and the controller's.
    measured.factor = 3.0
    outside = (f"count(llm_signal_anomaly_score{kind} >= 1)" for kind in (own, rules))
    alerts = f'count({anomalous}) * count({anomalous[:-1]},detector="novelty"}})'
    await asyncio.gather(*(asked.becomes(expression, 1) for expression in (*outside, alerts)))

    # As usual again: inside, and resolved.
    measured.factor = 1.0
    for kind in (own, rules):
        await asked.becomes(f"count(llm_signal_anomaly_score{kind} < 1)", 1)
    await asked.becomes(f"count({anomalous})", None)

    # No value, no score and no band, of either kind.
    measured.factor = None
    for name in ("value", "upper", "anomaly_score"):
        await asked.becomes(f'count(llm_signal_{name}{{detector=~".+",{SIGNAL}}})', None)
    measured.factor = 1.0
    for kind in (own, rules):
        await asked.becomes(f"count(llm_signal_value{kind})", 1)

    # Without the controller the rules judge, with the same alert. Three times is usual by now.
    await program.stop()
    await asked.becomes(f"count(llm_signal_value{own})", None)
    measured.factor = 20.0
    await asked.becomes(f'count({anomalous[:-1]},detector="rules"}})', 1)
