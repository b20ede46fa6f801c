"""An error of a request, on its way through `serve` to Sentry and to standard output."""

import json
from pathlib import Path

import aiohttp

from tests.e2e.test_serve import serving, shows
from tests.otlp import PROTOBUF, Made, as_protobuf
from tests.unit.test_forwarding_sentry import MARKER, ingesting


async def test_a_failed_request_reaches_sentry_and_standard_output_without_its_text(
    tmp_path: Path,
) -> None:
    failed = Made(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "chat",
            "gen_ai.prompt": MARKER,
            "error.type": "429",
        },
        (("exception", {"exception.type": "RateLimitError", "exception.message": MARKER}),),
        status=2,
    )
    async with ingesting() as ingest:
        (tmp_path / "dsn").write_text(f"{ingest.dsn}\n")
        config = tmp_path / "tidegauge.yml"
        config.write_text(
            "serve: {gpu: {enabled: false}, environment: {enabled: false}, "
            "discovery: {enabled: false}, traffic: {models: [chat]}, otlp: {enabled: true}, "
            f"forwarding: {{ecs: true, sentry: {{dsn_file: {tmp_path / 'dsn'}}}}}}}"
        )
        async with serving(tmp_path, "--config.file", str(config)) as (_, url):
            async with (
                aiohttp.ClientSession() as session,
                session.post(
                    f"{url}/v1/traces",
                    data=as_protobuf(failed),
                    headers={"Content-Type": PROTOBUF},
                ) as answer,
            ):
                assert answer.status == 200
            for sink in ("ecs", "sentry"):
                line = f'tidegauge_forwarded_events_total{{sink="{sink}",result="accepted"}} 1'
                await shows(url, line)
            await ingest.got(1)
        (event,) = ingest.events
        assert event["fingerprint"] == ["tidegauge", "exchange", "rate_limited", "chat"]
        written = (tmp_path / "serve.log").read_text()
        (told,) = [json.loads(line) for line in written.splitlines() if "ecs.version" in line]
        assert told["error.type"] == "rate_limited"
        assert MARKER not in written
        assert MARKER.encode() not in b"".join(ingest.raw)
