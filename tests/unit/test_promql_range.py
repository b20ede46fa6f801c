"""Range queries: their answers as values, and how they are asked for."""

import json

import pytest
from aiohttp import web

from tests.unit.test_promql_client import prometheus
from tidegauge.promql.client import MAX_RANGE_BYTES, Access, Prometheus
from tidegauge.promql.decode import PromqlError
from tidegauge.promql.decode_range import RangeAnswer, RangeBody, RangeSeries, decode_range
from tidegauge.promql.span import MAX_POINTS, Span


def body(result: object, kind: str = "matrix", **more: object) -> bytes:
    data = {"resultType": kind, "result": result}
    return json.dumps({"status": "success", "data": data, **more}).encode()


def row(*values: object, **labels: str) -> dict[str, object]:
    return {"metric": labels, "values": list(values)}


def test_a_matrix_is_read_with_its_labels_and_times() -> None:
    answer = decode_range(
        RangeBody(200, body([row([10, "1.5"], [20, "NaN"], pool="chat", model="a")]))
    )
    (series,) = answer.series
    assert series.labels == (("model", "a"), ("pool", "chat"))
    assert series.points[0] == (10.0, 1.5)
    assert str(series.points[1]) == "(20.0, nan)"


def test_nothing_is_no_series_and_a_histogram_has_no_points() -> None:
    assert decode_range(RangeBody(200, body([]))) == RangeAnswer(())
    histogram = {"metric": {"a": "b"}, "histograms": [[10, {}]]}
    assert decode_range(RangeBody(200, body([histogram]))).series == (
        RangeSeries((("a", "b"),), ()),
    )


def test_warnings_are_kept() -> None:
    assert decode_range(RangeBody(200, body([], warnings=["a store is gone"]))).warnings == (
        "a store is gone",
    )


TOO_MANY = (
    b'{"status":"error","errorType":"execution","error":"query processing would load too many '
    b'samples into memory in query execution"}'
)


@pytest.mark.parametrize(
    "status,text,reason,message",
    [
        pytest.param(200, b"", "parse", "no JSON", id="nothing at all"),
        pytest.param(200, body([], "vector"), "parse", "not vector", id="an instant vector"),
        pytest.param(200, body({}), "parse", "matrix", id="no list"),
        pytest.param(200, body([{"metric": {}, "values": 3}]), "parse", "range", id="no values"),
        pytest.param(200, body([row([1])]), "parse", "range query", id="half a point"),
        pytest.param(200, body([row([1, "x"])]), "parse", "range query", id="no number"),
        pytest.param(200, body([row([float("nan"), "1"])]), "parse", "range", id="NaN o'clock"),
        pytest.param(
            200, body([row([1e308 * 10, "1"])]), "parse", "range", id="a time without end"
        ),
        pytest.param(200, body([row([10**400, "1"])]), "parse", "range", id="a time beyond floats"),
        pytest.param(422, TOO_MANY, "too_large", "too many samples", id="too many samples"),
        pytest.param(
            400,
            b'{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution"}',
            "bad_query",
            "maximum resolution",
            id="too many points",
        ),
    ],
)
def test_what_is_no_answer_is_one_error(
    status: int, text: bytes, reason: str, message: str
) -> None:
    with pytest.raises(PromqlError, match=message) as caught:
        decode_range(RangeBody(status, text))
    assert caught.value.reason == reason


async def test_a_range_is_asked_for_with_its_times() -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(dict(await request.post()))
        return web.Response(body=body([row([0, "1"])]))

    async with prometheus(answer, call="query_range") as url:
        client = Prometheus(Access(url, timeout_seconds=30))
        found = await client.query_range("up", Span(0, 3000.5, 2.5))
        await client.close()
    assert decode_range(found).series[0].points == ((0.0, 1.0),)
    times = {"start": "0.000", "end": "3000.500", "step": "2.500", "timeout": "30s"}
    assert seen == [{"query": "up", **times}]


async def test_an_instant_query_may_be_of_another_time() -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((await request.post())["time"])
        return web.Response(body=body([], "vector"))

    async with prometheus(answer) as url:
        client = Prometheus(Access(url))
        await client.query("up", at=1700000000.25)
        await client.close()
    assert seen == ["1700000000.250"]


async def test_a_range_that_is_larger_than_we_read_is_too_large() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b" " * (MAX_RANGE_BYTES + 1))

    async with prometheus(answer, call="query_range") as url:
        client = Prometheus(Access(url))
        with pytest.raises(PromqlError) as caught:
            await client.query_range("up", Span(0, 10, 1))
        await client.close()
    assert caught.value.reason == "too_large"


def test_chunks_hold_every_point_once_and_are_no_longer_than_asked() -> None:
    span = Span(300.0, 300.0 * 25_000, 300.0)
    chunks = list(span.chunks(MAX_POINTS))
    found = [chunk.at(n) for chunk in chunks for n in range(chunk.points)]
    assert found == [span.at(n) for n in range(span.points)]
    assert max(chunk.points for chunk in chunks) == MAX_POINTS
