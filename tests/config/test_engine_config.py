"""`serve.engine` and `serve.discovery`: what a file says, and what of it is never repeated."""

from pathlib import Path

import pytest
import yaml

from tests.engine_server import engine, saying
from tidegauge.catalog import inference as ours
from tidegauge.cli.engine import access, engine_schedule
from tidegauge.cli.serve import plan
from tidegauge.config import ConfigError, load
from tidegauge.config.engine import EngineConfig
from tidegauge.engines import ENGINES
from tidegauge.samples import Sample
from tidegauge.server import Around
from tidegauge.sources.discovery import USUAL_PORTS, DiscoveredEngine
from tidegauge.sources.engine_access import Access, Tls, request_headers
from tidegauge.traffic.arrivals import Arrivals

ROOT = Path(__file__).parents[2]
MISTAKES = Path(__file__).parent / "mistakes"
SECRET = "hunter2"


def engine_config(tmp_path: Path, **keys: object) -> EngineConfig:
    path = tmp_path / "tidegauge.yml"
    path.write_text(yaml.safe_dump({"serve": {"engine": {"url": "http://127.0.0.1:1", **keys}}}))
    engine = load(path).serve.engine
    assert engine
    return engine


def test_no_message_about_a_secret_repeats_it() -> None:
    with_secrets = [path for path in MISTAKES.glob("*.yml") if SECRET in path.read_text()]
    assert len(with_secrets) >= 5
    assert not [path for path in with_secrets if SECRET in path.read_text().splitlines()[0]]


@pytest.mark.parametrize(
    "keys, headers",
    [
        pytest.param(
            {"authorization": {"credentials": SECRET}},
            {"Authorization": f"Bearer {SECRET}"},
            id="a key in the file",
        ),
        pytest.param(
            {"authorization": {"type": "Key", "credentials": SECRET}},
            {"Authorization": f"Key {SECRET}"},
            id="another scheme",
        ),
        pytest.param({"headers": {"X-Api-Key": SECRET}}, {"X-Api-Key": SECRET}, id="a header"),
        pytest.param({"params": {"key": SECRET}}, {}, id="the query"),
    ],
)
def test_a_secret_of_the_file_reaches_the_engine_and_no_repr(
    tmp_path: Path, keys: dict[str, object], headers: dict[str, str]
) -> None:
    config = engine_config(tmp_path, **keys)
    reached = access(config, config.url)
    assert request_headers(reached) == headers
    assert SECRET not in repr(config) + str(config) + repr(reached)


def test_every_key_reaches_the_engine(tmp_path: Path) -> None:
    names = ("key", "header", "ca", "cert", "tls_key")
    files = {name: tmp_path / name for name in names}
    for name, path in files.items():
        path.write_text(name)
    tls = {"ca_file": "ca", "cert_file": "cert", "key_file": "tls_key"}
    config = engine_config(
        tmp_path,
        url="https://host/prefix/",
        params={"a": 1},
        authorization={"type": "Key", "credentials_file": str(files["key"])},
        headers={"X-A": "b"},
        header_files={"X-C": str(files["header"])},
        tls_config={
            **{key: str(files[name]) for key, name in tls.items()},
            "server_name": "name",
            "insecure_skip_verify": True,
        },
    )
    assert access(config, config.url) == Access(
        "https://host/prefix",
        params=(("a", "1"),),
        scheme="Key",
        credentials_file=files["key"],
        headers={"X-A": "b"},
        header_files={"X-C": files["header"]},
        tls=Tls(files["ca"], files["cert"], files["tls_key"], "name", insecure_skip_verify=True),
    )


def test_basic_authentication_reaches_the_engine(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("x")
    basic = {"username": "me", "password_file": str(tmp_path / "password")}
    found = access(engine_config(tmp_path, basic_auth=basic), "http://x")
    assert (found.username, found.password_file) == ("me", tmp_path / "password")


@pytest.mark.parametrize(
    "params, query",
    [
        pytest.param({}, (), id="none"),
        pytest.param({"a": "1", "b": ["2", "3"]}, (("a", "1"), ("b", "2"), ("b", "3")), id="lists"),
        pytest.param(
            {"model": "m"}, (("model", "m"), ("autoload", "false")), id="reading loads no model"
        ),
        pytest.param(
            {"model": "m", "autoload": True},
            (("model", "m"), ("autoload", "true")),
            id="unless that is asked for",
        ),
    ],
)
def test_the_query(tmp_path: Path, params: object, query: tuple[tuple[str, str], ...]) -> None:
    found = access(engine_config(tmp_path, params=params), "http://x").params
    assert sorted(found) == sorted(query)


@pytest.mark.parametrize("name", ["auto", *(dialect.name for dialect in ENGINES)])
def test_every_engine_that_we_know_can_be_pinned(tmp_path: Path, name: str) -> None:
    assert engine_config(tmp_path, dialect=name).dialect == name


def test_a_dialect_like_no_other_is_answered_with_all_of_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'zzz' is no dialect; write one of auto, llamacpp, .*"):
        engine_config(tmp_path, dialect="zzz")


def test_the_example_in_the_docs_is_a_whole_file() -> None:
    engine = load(ROOT / "docs" / "custom-engine.yml").serve.engine
    assert engine
    assert engine.custom
    assert engine.custom.name == "harbour"


@pytest.mark.parametrize("dialect", [{}, {"dialect": "custom"}], ids=["by itself", "and pinned"])
async def test_an_engine_that_we_do_not_know_is_read_as_its_user_says(
    tmp_path: Path, dialect: dict[str, str]
) -> None:
    custom = {"name": "mine", "rules": [{"metric": "llm_requests_running", "raw": "my_busy"}]}
    async with engine(saying(b"my_busy 3\n")) as url:
        config = engine_config(tmp_path, url=url, custom=custom, **dialect)
        source = engine_schedule(config).source
        samples = await source.read()
        await source.close()
    assert Sample(ours.REQUESTS_RUNNING, 3, ("", "mine", "")) in samples


def test_without_an_engine_the_usual_ports_are_looked_at_but_our_own(tmp_path: Path) -> None:
    path = tmp_path / "tidegauge.yml"
    addresses = "listen_address: ':8000', traffic: {listen_address: ':8080', upstream: 'http://x'}"
    path.write_text(f"serve: {{gpu: {{enabled: false}}, {addresses}}}")
    (part,) = (part for part in plan(load(path).serve).parts if part.name == "engine")
    source = part.make(Around({}, lambda _: None, Arrivals())).schedule.source
    assert isinstance(source, DiscoveredEngine)
    # Its ports are nobody's business, but asking ourselves would be.
    asked = [int(url.rpartition(":")[2]) for url in source._urls]
    assert asked == [port for port in USUAL_PORTS if port not in {8000, 8080}]


def test_looking_can_be_switched_off(tmp_path: Path) -> None:
    path = tmp_path / "tidegauge.yml"
    path.write_text("serve: {gpu: {enabled: false}, discovery: {enabled: false}}")
    assert "engine" not in {part.name for part in plan(load(path).serve).parts}
