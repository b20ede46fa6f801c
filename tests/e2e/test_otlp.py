"""OTLP sent by OpenTelemetry's own SDK, of OpenAI's client before a real engine, to `serve`."""

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.engine_fixture import RunningEngine, engine, quick_model
from tests.e2e.test_serve import serving, shows, text

__all__ = ["engine", "quick_model"]

MARKER = "quixotic-marmalade"
CLIENT = Path(__file__).with_name("otlp_client.py")


def total(exposition: str, name: str, labels: dict[str, str]) -> float:
    """The sum of the series that have these labels, among others."""
    families = text_string_to_metric_families(exposition)
    found = [
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return sum(found)


async def test_an_instrumented_application_is_measured_without_a_tap(
    tmp_path: Path, engine: RunningEngine
) -> None:
    config = tmp_path / "tidegauge.yml"
    config.write_text(
        "serve: {gpu: {enabled: false}, environment: {enabled: false}, "
        "discovery: {enabled: false}, traffic: {models: [chat]}, otlp: {enabled: true}}"
    )
    async with serving(tmp_path, "--config.file", str(config)) as (_, url):
        given = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
            "PYTHONPATH": str(CLIENT.parents[2]),
        }
        said = subprocess.run(
            [sys.executable, str(CLIENT), engine.url, MARKER],
            env=os.environ | given,
            check=False,
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
        await shows(url, 'tidegauge_otlp_spans_total{result="counted"} 5')
        await shows(url, 'tidegauge_otlp_spans_total{result="ignored"} 1')
        await shows(url, "llm_traffic_requests_started_total 5")
        metrics = await text(f"{url}/metrics")
        for name, labels, value in (
            ("llm_traffic_requests_total", {"model": "chat", "outcome": "ok"}, 3),
            ("llm_traffic_requests_total", {"model": "chat", "outcome": "unreachable"}, 1),
            ("llm_traffic_requests_total", {"model": "other", "outcome": "ok"}, 1),
            ("llm_traffic_time_to_first_token_seconds_count", {"model": "chat"}, 1),
            ("llm_traffic_generation_tokens_sum", {"model": "chat"}, 8),
        ):
            assert total(metrics, name, labels) == value, (name, labels)
    assert MARKER not in metrics
    assert MARKER not in (tmp_path / "serve.log").read_text()
