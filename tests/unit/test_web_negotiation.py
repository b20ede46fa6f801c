"""What a scraper asks for in headers and query, and what it is given."""

import gzip
import math
from collections.abc import Sequence

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.face import showing
from tidegauge.catalog import own, traffic
from tidegauge.samples import Distribution, Sample
from tidegauge.web.negotiation import exposition_format, seconds_left, takes_gzip

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;q=0.7"
WAITED = Distribution(((1.0, 2), (math.inf, 3)), 4.5)
SAMPLES = (
    Sample(own.SOURCE_UP, 1, ("engine",)),
    Sample(own.SOURCE_ERRORS, 2, ("engine", "parse")),
    Sample(traffic.DURATION, WAITED, ("chat", "")),
)


@pytest.mark.parametrize(
    "accept,form",
    [
        pytest.param("", "prometheus", id="nobody asks"),
        pytest.param("*/*", "prometheus", id="curl"),
        pytest.param(PROMETHEUS_2, "openmetrics", id="Prometheus 2"),
        pytest.param(PROMETHEUS_3, "openmetrics", id="Prometheus 3"),
        pytest.param(f"{PROTOBUF},text/plain;q=0.3", "prometheus", id="protobuf before text"),
        pytest.param(f"{PROTOBUF},{PROMETHEUS_2}", "openmetrics", id="protobuf before OpenMetrics"),
        pytest.param("application/openmetrics-text;q=0, */*", "prometheus", id="refused by q=0"),
        pytest.param(
            "application/openmetrics-text;q=0.2,text/plain;q=0.8",
            "prometheus",
            id="text liked more",
        ),
        pytest.param(
            "application/openmetrics-text;q=0.5,*/*;q=0.1", "openmetrics", id="a wildcard"
        ),
        pytest.param("text/html, image/png", "prometheus", id="neither"),
        pytest.param("application/openmetrics-text;version=9.0.0", "prometheus", id="a later one"),
        pytest.param('application/openmetrics-text; version="1.0.0"', "openmetrics", id="quoted"),
        pytest.param("APPLICATION/OPENMETRICS-TEXT ; Q=0.5", "openmetrics", id="shouted"),
        pytest.param("application/openmetrics-text;q=nan", "prometheus", id="a q that is none"),
        pytest.param("xapplication/openmetrics-textx", "prometheus", id="a part of a longer word"),
    ],
)
def test_the_format_is_the_one_that_is_liked_most(accept: str, form: str) -> None:
    assert exposition_format(accept) == form


@pytest.mark.parametrize(
    "accept,takes",
    [
        pytest.param("", False, id="nobody asks"),
        pytest.param("gzip", True, id="Prometheus"),
        pytest.param("gzip, deflate, br", True, id="a browser"),
        pytest.param("gzip;q=0", False, id="refused by q=0"),
        pytest.param("gzip;q=0, *;q=1", False, id="refused beside a wildcard"),
        pytest.param("*", True, id="anything"),
        pytest.param("identity;q=1, gzip;q=0.5", False, id="plain liked more"),
        pytest.param("x-gzip", True, id="its old name"),
        pytest.param("notgzip", False, id="a part of a longer word"),
    ],
)
def test_gzip_is_given_to_who_takes_it(accept: str, takes: bool) -> None:  # noqa: FBT001
    assert takes_gzip(accept) is takes


@given(st.text())
def test_no_header_makes_negotiation_fail(header: str) -> None:
    assert exposition_format(header) in ("prometheus", "openmetrics")
    assert takes_gzip(header) in (True, False)
    left = seconds_left(header)
    assert left is None or left > 0


@pytest.mark.parametrize(
    "names,families",
    [
        pytest.param([], 4, id="none chooses all"),
        pytest.param(["tidegauge_source_up"], 1, id="a gauge"),
        pytest.param(["tidegauge_source_errors"], 1, id="a counter by OpenMetrics's name"),
        pytest.param(
            [f"{traffic.DURATION.name}_sum", "tidegauge_source_up"], 2, id="a histogram by its sum"
        ),
        pytest.param(["nothing"], 0, id="a name that is unknown"),
    ],
)
async def test_names_choose_families(names: Sequence[str], families: int) -> None:
    query = [("name[]", name) for name in names] + [("other", "ignored")]
    async with (
        showing(SAMPLES) as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/metrics", params=query) as response,
    ):
        assert (await response.text()).count("# TYPE ") == families


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_compressed_answer_is_the_plain_one_packed(method: str) -> None:
    async with showing(SAMPLES) as url, aiohttp.ClientSession(auto_decompress=False) as session:
        plain = {"Accept-Encoding": "identity"}
        async with session.get(f"{url}/metrics", headers=plain) as response:
            expected = await response.read()
            assert "Content-Encoding" not in response.headers
        packed = {"Accept-Encoding": "gzip;q=0.5"}
        async with session.request(method, f"{url}/metrics", headers=packed) as response:
            assert response.headers["Content-Encoding"] == "gzip"
            assert response.headers["Vary"] == "Accept, Accept-Encoding"
            body = await response.read()
    assert (gzip.decompress(body) if method == "GET" else body) in (expected, b"")


@pytest.mark.parametrize(
    "method,path,allowed",
    [
        pytest.param("POST", "/metrics", "GET,HEAD", id="a page that is only read"),
        pytest.param("DELETE", "/", "GET,HEAD", id="the landing page"),
    ],
)
async def test_another_method_is_told_which_are_allowed(
    method: str, path: str, allowed: str
) -> None:
    async with (
        showing(SAMPLES) as url,
        aiohttp.ClientSession() as session,
        session.request(method, f"{url}{path}") as response,
    ):
        assert (response.status, response.headers["Allow"]) == (405, allowed)


async def test_no_answer_says_which_library_it_comes_from() -> None:
    async with showing(SAMPLES) as url, aiohttp.ClientSession() as session:
        for path in ("/", "/metrics", "/nowhere"):
            async with session.get(f"{url}{path}") as response:
                assert response.headers["Server"] == "tidegauge"
