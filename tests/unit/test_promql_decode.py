import json

import pytest

from tidegauge.promql.decode import Answer, PromqlError, Series, decode, number


def body(result: object, kind: str = "vector", **more: object) -> bytes:
    data = {"resultType": kind, "result": result}
    return json.dumps({"status": "success", "data": data, **more}).encode()


def element(value: str, **labels: str) -> dict[str, object]:
    return {"metric": labels, "value": [1700000000.0, value]}


def test_a_vector_is_read_with_its_labels() -> None:
    answer = decode(200, body([element("2.5", pool="chat")]))
    assert answer == Answer((Series((("pool", "chat"),), 2.5),))
    assert number(answer) == 2.5


def test_a_scalar_is_one_series_without_labels() -> None:
    assert number(decode(200, body([1700000000.0, "7"], "scalar"))) == 7


def test_infos_are_no_warnings() -> None:
    answer = decode(200, body([element("1")], infos=["metric might not be a counter"]))
    assert number(answer) == 1


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"warnings": ["a store is gone"]}, id="as Thanos says it"),
        pytest.param({"warnings": "a store is gone"}, id="in another form"),
        pytest.param({"isPartial": True}, id="as VictoriaMetrics says it"),
    ],
)
def test_a_partial_answer_is_none(more: dict[str, object]) -> None:
    with pytest.raises(PromqlError) as caught:
        number(decode(200, body([element("1")], **more)))
    assert caught.value.reason == "partial"


@pytest.mark.parametrize(
    "status,text,reason,message",
    [
        pytest.param(200, b"", "parse", "no JSON", id="nothing at all"),
        pytest.param(200, b"<html>", "parse", "<html>", id="a login page"),
        pytest.param(200, b"[]", "parse", "no object", id="JSON of another form"),
        pytest.param(200, b'{"status":"success"}', "parse", "no data", id="no data"),
        pytest.param(200, body([], "matrix"), "parse", "not matrix", id="a range vector"),
        pytest.param(200, body([{}]), "parse", "instant query", id="an element without value"),
        pytest.param(200, body([element("x")]), "parse", "instant query", id="no number"),
        pytest.param(200, body(None), "parse", "vector", id="no list"),
        pytest.param(502, b"Bad Gateway", "http_status", "502", id="a proxy's error page"),
        pytest.param(
            503,
            b'{"status":"error","errorType":"timeout","error":"query timed out"}',
            "http_status",
            "query timed out",
            id="the server gave up",
        ),
        pytest.param(
            400,
            b'{"status":"error","errorType":"bad_data","error":"parse error at char 3"}',
            "bad_query",
            "parse error at char 3",
            id="a wrong expression",
        ),
        pytest.param(200, b"[" * 100_000, "parse", "no JSON", id="JSON as deep as a well"),
    ],
)
def test_what_is_no_answer_is_one_error(
    status: int, text: bytes, reason: str, message: str
) -> None:
    with pytest.raises(PromqlError, match=message) as caught:
        decode(status, text)
    assert caught.value.reason == reason


def test_what_a_server_says_at_length_is_cut() -> None:
    said = {"status": "error", "errorType": "bad_data", "error": "x" * 10_000}
    with pytest.raises(PromqlError) as caught:
        decode(400, json.dumps(said).encode())
    assert len(str(caught.value)) < 400
    (warning,) = decode(200, body([], warnings=["x" * 10_000])).warnings
    assert len(warning) < 400


@pytest.mark.parametrize(
    "answer,reason",
    [
        pytest.param(Answer(()), "empty", id="no series"),
        pytest.param(Answer((Series((), float("nan")),)), "not_a_number", id="NaN"),
        pytest.param(Answer((Series((), float("inf")),)), "not_a_number", id="infinity"),
        pytest.param(Answer((Series((), 1), Series((), 2))), "ambiguous", id="two series"),
        pytest.param(Answer((Series((), 1),), ("a store is gone",)), "partial", id="a warning"),
    ],
)
def test_what_is_no_number_is_one_error(answer: Answer, reason: str) -> None:
    with pytest.raises(PromqlError) as caught:
        number(answer)
    assert caught.value.reason == reason
