"""Heads of messages: what is one, and what of it is kept."""

import pytest

from tidegauge.traffic.proxying.framing import answer_body, request_body
from tidegauge.traffic.proxying.head import HeadError, read_answer, read_request, written


def request(*lines: bytes) -> bytes:
    return b"\r\n".join([*lines, b"", b""])


def test_names_values_and_their_order_are_kept_to_the_byte() -> None:
    lines = (b"POST /a%2F\xff?#? HTTP/1.1", b"HOST: a", b"x-B: \xe9\t\xff", b"X-b: ", b"a: b:c")
    head = read_request(request(*lines))
    assert (head.method, head.target, head.minor) == (b"POST", b"/a%2F\xff?#?", 1)
    assert written(lines[0], head.fields) == request(*lines)


@pytest.mark.parametrize("method", [b"GET", b"BREW", b"M-SEARCH", b"x!"])
def test_any_token_is_a_method(method: bytes) -> None:
    assert read_request(request(method + b" / HTTP/1.1", b"Host: a")).method == method


@pytest.mark.parametrize(
    "target,path,host",
    [
        pytest.param(b"http://b/c?d", b"/c?d", b"b", id="with a path"),
        pytest.param(b"HTTP://b:1?d", b"/?d", b"b:1", id="with a query alone"),
        pytest.param(b"*", b"*", b"a", id="the server itself"),
    ],
)
def test_an_absolute_target_names_host_and_path(target: bytes, path: bytes, host: bytes) -> None:
    head = read_request(request(b"OPTIONS " + target + b" HTTP/1.1", b"Host: a"))
    assert (head.target, dict(head.fields)[b"Host"]) == (path, host)


@pytest.mark.parametrize(
    "lines,status",
    [
        pytest.param([b"GET / HTTP/1.1"], 400, id="no Host"),
        pytest.param([b"GET / HTTP/1.1", b"Host: a", b"Host: a"], 400, id="two Hosts"),
        pytest.param([b"GET / HTTP/2.0", b"Host: a"], 505, id="another version"),
        pytest.param([b"GET  / HTTP/1.1", b"Host: a"], 400, id="two blanks"),
        pytest.param([b"GET / x HTTP/1.1", b"Host: a"], 400, id="a blank in the target"),
        pytest.param([b"GET a HTTP/1.1", b"Host: a"], 400, id="a target without a slash"),
        pytest.param([b"GET /", b"Host: a"], 400, id="no version"),
        pytest.param([b"GET / HTTP/1.1", b"Host : a"], 400, id="a blank before the colon"),
        pytest.param([b"GET / HTTP/1.1", b"Host: a", b" folded: b"], 400, id="a folded line"),
        pytest.param([b"GET / HTTP/1.1\nHost: a"], 400, id="a bare line feed"),
        pytest.param([b"GET / HTTP/1.1", b"Host: a", b"X: a\nY: b"], 400, id="one in a value"),
        pytest.param([b"GET / HTTP/1.1", b"Host: a", b"X: a\rY: b"], 400, id="a bare return"),
        pytest.param([b"GET / HTTP/1.1", b"Host: a", b"X: \0"], 400, id="a zero byte"),
        pytest.param([b"GET / HTTP/1.1", b"Host: a", b"X"], 400, id="no colon"),
        pytest.param([b"GET / HTTP/1.1", b"Host: a", b": b"], 400, id="no name"),
    ],
)
def test_no_head(lines: list[bytes], status: int) -> None:
    with pytest.raises(HeadError) as raised:
        read_request(request(*lines))
    assert raised.value.status == status


@pytest.mark.parametrize(
    "lines,status",
    [
        pytest.param([b"Content-Length: 1", b"Transfer-Encoding: chunked"], 400, id="two framings"),
        pytest.param([b"Content-Length: 1", b"Content-Length: 2"], 400, id="two lengths"),
        pytest.param([b"Content-Length: 1, 1"], 400, id="a list of lengths"),
        pytest.param([b"Content-Length: +1"], 400, id="a signed length"),
        pytest.param([b"Content-Length: 1_0"], 400, id="a length as Python writes it"),
        pytest.param([b"Content-Length: \xb2"], 400, id="a superscript"),
        pytest.param([b"Content-Length: "], 400, id="an empty length"),
        pytest.param([b"Transfer-Encoding: gzip, chunked"], 501, id="a coding unknown here"),
        pytest.param([b"Transfer-Encoding: chunked, identity"], 501, id="chunked is not the last"),
        pytest.param([b"Transfer-Encoding: chunked"] * 2, 501, id="chunked twice"),
        pytest.param([b"Transfer-Encoding: \x0bchunked"], 400, id="a hidden coding"),
        pytest.param([b"Transfer-Encoding: "], 501, id="no coding at all"),
    ],
)
def test_a_body_that_two_readers_would_end_at_two_places_is_refused(
    lines: list[bytes], status: int
) -> None:
    with pytest.raises(HeadError) as raised:
        request_body(read_request(request(b"POST / HTTP/1.1", b"Host: a", *lines)))
    assert raised.value.status == status


def test_http_1_0_has_no_chunks() -> None:
    with pytest.raises(HeadError):
        request_body(read_request(request(b"POST / HTTP/1.0", b"Transfer-Encoding: chunked")))


@pytest.mark.parametrize(
    "method,lines,body",
    [
        pytest.param(b"GET", [b"HTTP/1.1 200 OK"], "UntilClose", id="nothing says"),
        pytest.param(b"GET", [b"HTTP/1.0 200", b"Content-Length: 5"], "Length", id="a length"),
        pytest.param(
            b"GET",
            [b"HTTP/1.1 200 ", b"Transfer-Encoding: Chunked", b"Content-Length: 5"],
            "Chunked",
            id="chunks, whatever the length",
        ),
        pytest.param(b"GET", [b"HTTP/1.1 200 OK", b"Content-Length: 0"], "NoneType", id="empty"),
        pytest.param(b"HEAD", [b"HTTP/1.1 200 OK", b"Content-Length: 5"], "NoneType", id="HEAD"),
        pytest.param(b"GET", [b"HTTP/1.1 204 No"], "NoneType", id="204"),
        pytest.param(b"GET", [b"HTTP/1.1 304 No", b"Content-Length: 5"], "NoneType", id="304"),
    ],
)
def test_where_an_answer_ends(method: bytes, lines: list[bytes], body: str) -> None:
    assert type(answer_body(method, read_answer(request(*lines)))).__name__ == body


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([b"HTTP/1.1 099 OK"], id="a status below 100"),
        pytest.param([b"HTTP/2 200 OK"], id="another version"),
        pytest.param([b"HTTP/1.1 200 OK", b"Content-Length: x"], id="no length"),
        pytest.param([b"HTTP/1.1 200 OK", b"Transfer-Encoding: gzip"], id="a coding not asked for"),
    ],
)
def test_no_answer(lines: list[bytes]) -> None:
    with pytest.raises(HeadError):
        answer_body(b"GET", read_answer(request(*lines)))


def test_what_a_head_says_is_not_in_its_repr() -> None:
    head = read_request(request(b"GET /?q=SECRET HTTP/1.1", b"Host: a", b"Authorization: SECRET"))
    assert "SECRET" not in repr(head)
