"""GET /metrics: what a request's headers and query make of the answer."""

import gzip
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tidegauge.catalog import own
from tidegauge.samples import Sample
from tidegauge.web import Face, application

SAMPLES = (Sample(own.SOURCE_UP, 1, ("gpu",)), Sample(own.SOURCE_READ_SECONDS, 0.5, ("gpu",)))


@pytest.fixture
async def client() -> AsyncIterator[TestClient]:
    face = Face("test", samples=lambda: SAMPLES, states=lambda: (), ready=lambda: True)
    async with TestClient(TestServer(application(face)), auto_decompress=False) as client:
        yield client


async def test_gzip_is_for_whoever_accepts_it(client: TestClient) -> None:
    async with client.get("/metrics", headers={"Accept-Encoding": "identity"}) as plain:
        text = await plain.read()
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == "Accept, Accept-Encoding"
    async with client.get("/metrics", headers={"Accept-Encoding": "gzip"}) as packed:
        assert gzip.decompress(await packed.read()) == text
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content_type == plain.content_type == "text/plain"


async def test_the_query_may_name_families(client: TestClient) -> None:
    query = "?name[]=tidegauge_source_up&name[]=tidegauge_build_info"
    headers = {"Accept": "application/openmetrics-text", "Accept-Encoding": "identity"}
    async with client.get(f"/metrics{query}", headers=headers) as answer:
        lines = (await answer.text()).splitlines()
    types = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert types == ["tidegauge_build_info", "tidegauge_source_up"]
    assert lines[-1] == "# EOF"


async def test_a_name_that_nothing_has_gives_nothing(client: TestClient) -> None:
    async with client.get("/metrics?name[]=up", headers={"Accept-Encoding": "identity"}) as answer:
        assert (answer.status, await answer.text()) == (200, "")
