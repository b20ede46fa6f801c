"""How clients are told apart: the secret is read, judged, and the same after a reload."""

from pathlib import Path

import pytest

from tidegauge.cli.traffic import labelling
from tidegauge.config.clients import ClientsConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.server import PlanError


def configured(**clients: object) -> TrafficConfig:
    return TrafficConfig(clients=ClientsConfig(**clients))  # type: ignore[arg-type]


def test_two_replicas_with_one_secret_call_a_client_the_same(tmp_path: Path) -> None:
    for name, end in (("a", b""), ("b", b"\n")):
        (tmp_path / name).write_bytes(b"sixteen bytes it is" + end)
    one, other = (
        labelling(configured(header="X-Api-Key", secret_file=tmp_path / name)) for name in "ab"
    )
    assert one == other
    assert one.client("alice") == other.client("alice") != ""


def test_without_a_secret_a_reload_calls_a_client_the_same() -> None:
    first, second = (labelling(configured(body="user")) for _ in range(2))
    assert first.client_in({"user": "alice"}) == second.client_in({"user": "alice"}) != ""


def test_without_the_section_nobody_is_told_apart() -> None:
    assert labelling(TrafficConfig()).clients is None


def test_a_secret_that_is_too_short_is_named_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(" hush \n")
    with pytest.raises(PlanError) as caught:
        labelling(configured(header="X-Api-Key", secret_file=path))
    assert caught.value.lines == (
        f"serve.traffic.clients.secret_file: '{path}': holds 4 bytes; write 16 random ones or more",
    )


def test_a_secret_that_went_away_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("sixteen bytes it is")
    config = configured(header="X-Api-Key", secret_file=path)
    path.unlink()
    with pytest.raises(PlanError, match="cannot be read: No such file"):
        labelling(config)
