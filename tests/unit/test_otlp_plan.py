"""What OTLP and forwarding need before `serve` goes on, and what a reload leaves as it was."""

from pathlib import Path

import pytest

from tests.otlp import Made, as_protobuf
from tidegauge.cli.otlp import otlp
from tidegauge.cli.serve import plan
from tidegauge.config.otlp import OtlpConfig
from tidegauge.config.serve import ServeConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.server import Around, PlanError
from tidegauge.sources.otlp import OtlpSource
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.otlp import from_protobuf


def lines(**section: object) -> tuple[str, ...]:
    with pytest.raises(PlanError) as refused:
        plan(ServeConfig.model_validate(section))
    return refused.value.lines


def test_traces_need_somebody_who_counts_them() -> None:
    assert lines(otlp={"enabled": True}) == (
        "serve.otlp.enabled: needs serve.traffic, which counts what is received",
    )


def test_a_dsn_that_is_none_is_said_without_repeating_it(tmp_path: Path) -> None:
    file = tmp_path / "dsn"
    file.write_text("a secret that is no DSN")
    (line,) = lines(forwarding={"sentry": {"dsn_file": str(file)}})
    assert line == (
        f"serve.forwarding.sentry.dsn_file: {str(file)!r}: is no DSN; copy it from the project's "
        "settings, Client Keys"
    )


@pytest.mark.parametrize("section", [{}, {"otlp": {"enabled": False}}, {"forwarding": {}}])
def test_neither_is_there_unless_it_is_asked_for(section: dict[str, object]) -> None:
    names = {part.name for part in plan(ServeConfig.model_validate(section)).parts}
    assert not names & {"otlp", "forwarding"}


async def test_what_was_seen_outlives_a_change_of_the_configuration() -> None:
    traffic = TrafficConfig(models=("chat",))
    (span,) = from_protobuf.spans(as_protobuf(Made()))
    sources: dict[str, OtlpSource] = {}
    verdicts = []
    for size in (1 << 20, 1 << 21):
        part = otlp(OtlpConfig(enabled=True, max_body_bytes=size), traffic)
        assert part
        source = part.make(Around(sources, print, Arrivals())).schedule.source
        assert isinstance(source, OtlpSource)
        verdicts.append(source.receiver.memory.seen.judge(span))
        sources["otlp"] = source
        await source.close()
    assert verdicts == ["counted", "duplicate"]
