"""Every file that the demo's parts are started with, written under one folder.

Durations come from the profile `demo` in alert-rules/profiles.yml, and from nowhere else.
"""

import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from demo.ports import Ports
from tidegauge.config.values import seconds

ROOT = Path(__file__).resolve().parent.parent
MODEL = "demo"
VERSION = "random-1"
POOL = "chat"
TOP_CLIENTS = 5
SLOTS = 4
# Requests a second that one replica carries well at 0.4 core, whatever the prompts' kind.
CAPACITY = 2.2
MAXIMUM = 3


@dataclass(frozen=True, slots=True)
class Files:
    """Where things are in the demo's folder."""

    home: Path

    @property
    def tidegauge(self) -> Path:
        return self.home / "tidegauge.yml"

    @property
    def reference(self) -> Path:
        return self.home / "reference.json"

    @property
    def secret(self) -> Path:
        return self.home / "clients.secret"

    @property
    def haproxy(self) -> Path:
        return self.home / "haproxy.cfg"

    @property
    def socket(self) -> Path:
        return self.home / "haproxy.sock"

    @property
    def rules(self) -> Path:
        return self.home / "rules"

    @property
    def pool(self) -> Path:
        return self.home / "pool"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def prompts(self) -> Path:
        return self.home / "reference.jsonl"

    def data(self, program: str) -> Path:
        return self.home / "data" / program

    def written(self) -> tuple[Path, ...]:
        """All of it but the pool's run directory, which the pool keeps."""
        single = (self.tidegauge, self.reference, self.prompts, self.haproxy, self.socket)
        return (*single, self.secret, self.rules, self.logs, self.home / "data")


def profile() -> Mapping[str, str]:
    """The durations of the profile `demo`."""
    profiles = yaml.safe_load((ROOT / "alert-rules" / "profiles.yml").read_text())
    return {key: str(value) for key, value in profiles["demo"].items()}


def write(files: Files, ports: Ports, *, model_file: Path, cores: float) -> None:
    """Write everything but the reference; folders are made.

    Raises:
        subprocess.CalledProcessError: a generator refused; it has said why.
    """
    for folder in (files.rules, files.logs, files.data("prometheus"), files.data("alertmanager")):
        folder.mkdir(parents=True, exist_ok=True)
    files.haproxy.write_text(_haproxy(files, ports))
    files.secret.touch(mode=0o600)
    files.secret.write_text(secrets.token_hex(16))
    _rules(files, ports)
    tree = {
        "serve": _serve(files),
        "control": _control(files, ports, model_file=model_file, cores=cores),
    }
    files.tidegauge.write_text(
        f"# Written by the demo. Try: tidegauge control --config.file {files.tidegauge.name}"
        f" --config.check\n{yaml.safe_dump(tree, sort_keys=False)}"
    )


def write_reference(files: Files, *, count: int = 600) -> None:
    """Build the reference from prompts of the demo's ordinary kind.

    Answers are as long as is asked for (`ignore_eos`), so the lengths asked for are the reference.
    """
    prompts = files.prompts
    body = '{"ignore_eos": true}'
    _tidegauge(
        "inject", "--write-prompts", str(prompts), "--count", str(count),
        "--prompts", "chat", "--seed", "1", "--body", body,
    )  # fmt: skip
    _tidegauge(
        "reference", "build", "--model", MODEL, "--output", str(files.reference), str(prompts)
    )


def _tidegauge(*arguments: str) -> None:
    command = [sys.executable, "-m", "tidegauge.cli.main", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _rules(files: Files, ports: Ports) -> None:
    settings = {
        "prometheus": ports.at(ports.prometheus),
        "alertmanager": ports.at(ports.alertmanager),
        "control": ports.at(ports.control),
        "haproxy": ports.at(ports.haproxy_metrics),
        "page_webhook": f"http://{ports.at(ports.webhook)}/page",
        "ticket_webhook": f"http://{ports.at(ports.webhook)}/ticket",
        "runbook_base": str(ROOT / "docs" / "runbooks"),
    }
    sets = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    script = str(ROOT / "alert-rules" / "build.py")
    command = [sys.executable, script, "--profile", "demo", "--out", str(files.rules), *sets]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _serve(files: Files) -> dict[str, object]:
    times = profile()
    return {
        "gpu": {"fast_interval": times["source_interval"]},
        "engine": {
            "url": "http://127.0.0.1:0",  # each sidecar is told its engine by a flag
            "model": MODEL,
            "interval": times["source_interval"],
            "timeout": times["query_timeout"],
        },
        "traffic": {
            "listen_address": "127.0.0.1:0",
            "models": [MODEL],
            "versions": {MODEL: VERSION},
            # One secret for all replicas, so that each calls a client the same.
            "clients": {"body": "user", "top": TOP_CLIENTS, "secret_file": str(files.secret)},
        },
        "drift": {
            "references": [str(files.reference)],
            "window": times["drift_window"],
            "min_requests": int(times["drift_min_requests"]),
            "interval": times["source_interval"],
            "alert_budget": "1 per day",  # of ten minutes of reference: a month's would be a guess
        },
    }


def _control(files: Files, ports: Ports, *, model_file: Path, cores: float) -> dict[str, object]:
    times = profile()
    pool = f'{{pool="{POOL}"}}'
    window = times["rate_window"]
    return {
        "listen_address": ports.at(ports.control),
        "interval": times["control_interval"],
        "prometheus": {
            "url": f"http://{ports.at(ports.prometheus)}",
            "timeout": times["query_timeout"],
        },
        # Bands after two minutes, which know no more than these.
        "signals": {
            "interval": times["signal_interval"],
            "history": times["signal_history"],
            "refresh": times["signal_refresh"],
            "min_points": int(times["signal_min_points"]),
            "query_offset": times["signal_query_offset"],
            "budget": f"4 per {times['signal_budget_period']}",
        },
        "pools": [
            {
                "name": POOL,
                "replicas": {"min": 1, "max": MAXIMUM},
                "scaling": {
                    # What arrives, and what has piled up, to be worked off within the window.
                    "demand": f"sum(rate(llm_traffic_requests_started_total{pool}[{window}]))"
                    f" + sum(llm_requests_waiting{pool}) / {seconds(window):g}",
                    "reporting": f"count(time() - timestamp(llm_requests_waiting{pool}) < "
                    f"{5 * seconds(times['scrape_interval']):g})",
                    "capacity": CAPACITY,
                    "up_stabilization": times["scale_up_stabilization"],
                    "down_stabilization": times["scale_down_stabilization"],
                },
                "process": _replica(files, model_file=model_file, cores=cores),
                "haproxy": {
                    "socket": str(files.socket),
                    "backend": POOL,
                    "check_interval": times["haproxy_check_interval"],
                    "drain_cap": times["drain_cap"],
                },
            }
        ],
    }


def _replica(files: Files, *, model_file: Path, cores: float) -> dict[str, object]:
    times = profile()
    engine = [
        sys.executable, "-m", "demo.engine", "--model", str(model_file), "--port", "{engine}",
        "--alias", MODEL, "--slots", str(SLOTS), "--cpu", str(cores),
    ]  # fmt: skip
    sidecar = [
        sys.executable, "-m", "tidegauge.cli.main", "serve",
        "--config.file", str(files.tidegauge),
        "--engine", "http://127.0.0.1:{engine}",
        "--traffic.listen-address", "127.0.0.1:{traffic}",
        "--web.listen-address", "127.0.0.1:{metrics}",
    ]  # fmt: skip
    return {
        "run_dir": str(files.pool),
        "ports": ["engine", "traffic", "metrics"],
        "serve": "traffic",
        "scrape": "metrics",
        "backup": "engine",
        "start_timeout": times["start_timeout"],
        "unhealthy_timeout": times["unhealthy_timeout"],
        "kill_grace": times["kill_grace"],
        "parts": [
            {"name": "engine", "command": engine, "ready": "http://127.0.0.1:{engine}/health"},
            {
                "name": "sidecar",
                "command": sidecar,
                "ready": "http://127.0.0.1:{metrics}/-/ready",
                "restarts": True,
            },
        ],
    }


def _haproxy(files: Files, ports: Ports) -> str:
    return f"""# Written by the demo.
global
  stats socket {files.socket} mode 600 level admin
  stats timeout 10s
  # Only a request that is here whole can be asked again, of another server; most prompts fit.
  tune.bufsize 131072

defaults
  mode http
  option http-buffer-request
  timeout connect 5s
  timeout client 10m
  timeout server 10m
  # llama.cpp closes the connection after a streamed answer without saying so.
  option http-server-close
  option redispatch
  retries 3
  retry-on conn-failure empty-response

frontend chat
  bind {ports.at(ports.chat)}
  default_backend {POOL}

backend {POOL}
  balance leastconn
  # Without any sidecar the bare engines answer, all of them.
  option allbackups
  option httpchk GET /health
  http-check expect status 200
  # Servers come and go through the runtime API: tidegauge control adds them.

frontend metrics
  bind {ports.at(ports.haproxy_metrics)}
  http-request use-service prometheus-exporter if {{ path /metrics }}
  http-request deny
"""
