import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from demo import engine
from demo.story import Story, inject_command
from tidegauge.cli.main import main
from tidegauge.config import Config, load

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "compose"
GENERATED = COMPOSE / "generated"
PYTHONPATH = str(ROOT / "exporter")
Json = dict[str, Any]

FILE = yaml.safe_load((COMPOSE / "compose.yml").read_text())
SERVICES: dict[str, Json] = FILE["services"]
DOCKERFILES = (ROOT / "Dockerfile", COMPOSE / "demo.Dockerfile")


def tool(name: str) -> str:
    path = os.pathsep.join((os.environ["PATH"], str(ROOT / ".tools" / "bin")))
    found = shutil.which(name, path=path)
    assert found, f"{name} is not on PATH; `make setup` fetches it"
    return found


def ran(*command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    environ = {**os.environ, **env}
    return subprocess.run(
        words, capture_output=True, text=True, timeout=60, check=False, env=environ
    )


# compose.yml


def compose_command() -> list[str] | None:
    if found := shutil.which("docker-compose"):
        return [found]
    if (docker := shutil.which("docker")) and not ran(docker, "compose", "version").returncode:
        return [docker, "compose"]
    return None


def test_docker_compose_accepts_the_file() -> None:
    command = compose_command()
    if command is None:
        pytest.skip("neither docker-compose nor `docker compose` is on PATH here")
    answer = ran(*command, "-f", COMPOSE / "compose.yml", "--profile", "load", "config")
    assert answer.returncode == 0, answer.stderr
    assert set(yaml.safe_load(answer.stdout)["services"]) == set(SERVICES)


def test_every_part_of_the_loop_is_there() -> None:
    parts = {"control", "haproxy", "prometheus", "alertmanager", "receiver", "grafana", "load"}
    assert set(SERVICES) == parts


def test_ports_are_published_on_loopback_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in ports), ports


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_a_service_has_no_more_rights_than_it_needs(service: Json) -> None:
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "cap_add", "pid", "devices", "ipc"} & set(service)
    assert service.get("network_mode", "service:control") == "service:control"
    mounted = " ".join(service.get("volumes", ()))
    assert "docker.sock" not in mounted


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_an_image_is_pinned_to_a_version_or_built_here(service: Json) -> None:
    name, _, tag = service["image"].partition(":")
    if "build" in service:
        assert tag == "local"
    else:
        assert re.fullmatch(r"v?\d+\.\d+\.\d+(-alpine)?", tag), name


def test_everything_that_stays_up_has_a_health_check() -> None:
    assert all("healthcheck" in one for name, one in SERVICES.items() if name != "load")


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_what_is_mounted_exists(service: Json) -> None:
    for mount in service.get("volumes", ()):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (COMPOSE / source).exists(), mount
            assert mount.endswith(":ro")
        else:
            assert source in FILE["volumes"]


# Dockerfiles


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_is_built_from_pinned_parts_for_a_plain_user(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"^FROM (.*)", text, re.MULTILINE) == ["python:3.11-slim"]
    assert "syntax=" not in text
    installs = re.findall(r"pip install (.*)", text)
    assert installs
    assert all(re.match(r"--require-hashes -r \S+|--no-deps \.", one) for one in installs)
    users = re.findall(r"^USER (.*)", text, re.MULTILINE)
    assert users[-1] == "10001:10001"


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_what_a_dockerfile_copies_is_in_the_tree_and_not_ignored(path: Path) -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    for words in re.findall(r"^COPY (.*)", path.read_text(), re.MULTILINE):
        for source in words.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source.split("/")[0] in kept


def test_the_image_serves_by_default_and_checks_that_it_does() -> None:
    text = (ROOT / "Dockerfile").read_text()
    words = {
        name: json.loads(value)
        for name, value in re.findall(r"^(?:    )?(ENTRYPOINT|CMD) (\[.*)", text, re.MULTILINE)
    }
    parsed = main([*words["ENTRYPOINT"][1:], *words["CMD"], "--config.check"])
    assert (words["ENTRYPOINT"], parsed) == (["tidegauge"], 0)
    (check,) = re.findall(r"^HEALTHCHECK .*\\\n +CMD (\[.*)", text, re.MULTILINE)
    assert "/-/healthy" in json.loads(check)[2]
    assert text.index("USER 10001:10001") < text.index("ENTRYPOINT")
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in text


def test_compose_builds_the_two_dockerfiles() -> None:
    built = {one["build"]["dockerfile"] for one in SERVICES.values() if "build" in one}
    assert built == {str(path.relative_to(ROOT)) for path in DOCKERFILES}


# Configuration


def test_generated_files_are_in_step() -> None:
    answer = ran(COMPOSE / "generate.sh", "--check", PYTHON=sys.executable, PYTHONPATH=PYTHONPATH)
    assert answer.returncode == 0, answer.stderr


def test_a_generated_file_out_of_step_is_named(tmp_path: Path) -> None:
    settings = {"PYTHON": sys.executable, "PYTHONPATH": PYTHONPATH, "OUT": str(tmp_path)}
    assert ran(COMPOSE / "generate.sh", **settings).returncode == 0
    (tmp_path / "tidegauge.yml").write_text("")
    answer = ran(COMPOSE / "generate.sh", "--check", **settings)
    assert answer.returncode == 1
    assert "tidegauge.yml: out of step" in answer.stderr


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What demo.Dockerfile leaves in /opt/tidegauge, made by the Dockerfile's own commands."""
    folder = tmp_path_factory.mktemp("image")
    text = (COMPOSE / "demo.Dockerfile").read_text()
    commands = re.findall(r"tidegauge ((?:inject|reference) .*?)(?: \\)?$", text, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        words = command.replace("/tmp/", f"{folder}/").replace("=reference", f"={folder}/reference")
        assert main([word.replace("'", "") for word in re.findall(r"(?:'[^']*'|\S)+", words)]) == 0
    (secret,) = re.findall(r"&& (head .* > clients\.secret)$", text, re.MULTILINE)
    subprocess.run(["sh", "-c", secret], check=True, cwd=folder)
    return folder


@pytest.fixture
def settings(image: Path, tmp_path: Path) -> Path:
    """tidegauge.yml as the container sees it, with the image's folder moved here."""
    file = tmp_path / "tidegauge.yml"
    text = (GENERATED / "tidegauge.yml").read_text()
    file.write_text(text.replace("/opt/tidegauge/", f"{image}/"))
    return file


@pytest.fixture
def config(settings: Path) -> Config:
    return load(settings)


def test_the_configuration_and_the_sidecars_flags_are_accepted(
    settings: Path, config: Config
) -> None:
    assert config.control is not None
    (pool,) = config.control.pools
    program, sidecar = (part.command for part in pool.process.parts)
    ports = {port: 20000 + number for number, port in enumerate(pool.process.ports)}
    assert program[:3] == ("python", "-m", "demo.engine")
    options = engine._parse([word.format(**ports) for word in program[3:]])
    assert options.port == ports["engine"]
    assert sidecar[0] == "tidegauge"
    flags = [word.format(**ports) for word in sidecar[1:]]
    flags = [f"--config.file={settings}" if "config.file" in flag else flag for flag in flags]
    assert main([*flags, "--config.check"]) == 0
    assert main(["control", f"--config.file={settings}", "--config.check"]) == 0


def test_control_and_haproxy_speak_of_the_same_socket_backend_and_ports(config: Config) -> None:
    text = (COMPOSE / "haproxy.cfg").read_text()
    assert config.control is not None
    (pool,) = config.control.pools
    assert f"stats socket {pool.haproxy.socket} " in text
    assert f"\nbackend {pool.haproxy.backend}\n" in text
    assert any(mount.endswith(str(pool.haproxy.socket.parent)) for mount in mounts("haproxy"))
    assert any(mount.endswith(str(pool.haproxy.socket.parent)) for mount in mounts("control"))
    published = {int(port.split(":")[1]) for port in SERVICES["control"]["ports"]}
    assert published >= {int(port) for port in re.findall(r"bind :(\d+)", text)}
    (address,) = config.control.listen_address
    assert int(address.rpartition(":")[2]) in published


def mounts(name: str) -> list[str]:
    return SERVICES[name]["volumes"]


def test_haproxy_accepts_its_configuration() -> None:
    answer = ran(tool("haproxy"), "-c", "-f", COMPOSE / "haproxy.cfg")
    assert answer.returncode == 0, answer.stderr


def test_prometheus_and_alertmanager_accept_theirs() -> None:
    prometheus = ran(tool("promtool"), "check", "config", GENERATED / "prometheus.yml")
    assert prometheus.returncode == 0, prometheus.stderr
    alertmanager = ran(tool("amtool"), "check-config", GENERATED / "alertmanager.yml")
    assert alertmanager.returncode == 0, alertmanager.stderr


def test_grafana_asks_the_prometheus_of_this_file() -> None:
    provisioned = yaml.safe_load((GENERATED / "datasources.yml").read_text())
    (source,) = provisioned["datasources"]
    scraped = yaml.safe_load((GENERATED / "prometheus.yml").read_text())["global"]
    assert source["url"] == "http://control:9090"
    assert SERVICES["prometheus"]["network_mode"] == "service:control"
    assert source["jsonData"]["timeInterval"] == scraped["scrape_interval"]


# Commands of other parts


def test_the_load_tells_the_demos_story() -> None:
    told = inject_command(Story(), url="http://127.0.0.1:8080", model="demo", seed=1)
    written = SERVICES["load"]["command"]
    assert written[0] == "inject", "the image's entry point is tidegauge"
    flags = dict(word.split("=", 1) for word in written[1:])
    assert flags == {
        name: value for name, value in zip(told[1::2], told[2::2], strict=True) if name != "--seed"
    }


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Port of the receiver, started with the file's own command, and where it prints."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    _, option, script = SERVICES["receiver"]["command"]
    script = script.replace("port=9490", f'host="127.0.0.1", port={port}')
    printed = tmp_path / "printed"
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{PYTHONPATH}", "PYTHONUNBUFFERED": "1"}
    with (
        printed.open("w") as out,
        subprocess.Popen([sys.executable, option, script], stdout=out, env=env) as process,
    ):
        try:
            wait_for(port)
            yield port, printed
        finally:
            process.terminate()
            process.wait(10)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < deadline, "the receiver does not listen"
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize("path", ["/page", "/ticket"])
def test_the_receiver_prints_an_alert_that_comes_where_alertmanager_sends_it(
    receiver: tuple[int, Path], path: str
) -> None:
    port, printed = receiver
    sent = (GENERATED / "alertmanager.yml").read_text()
    assert f"url: http://receiver:9490{path}\n" in sent
    alert = {"status": "firing", "labels": {"alertname": "LLMInputDrift"}, "annotations": {}}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    body = json.dumps({"alerts": [alert]})
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()
    assert "LLMInputDrift" in printed.read_text()
