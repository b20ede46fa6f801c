"""Which headers a proxy passes on."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from tidegauge.traffic.headers import passed_on


@pytest.mark.parametrize(
    "given,passed",
    [
        pytest.param([("Host", "a"), ("X-Id", "1")], ["Host", "X-Id"], id="end-to-end headers"),
        pytest.param([("Set-Cookie", "a"), ("Set-Cookie", "b")], ["Set-Cookie"] * 2, id="repeats"),
        pytest.param(
            [("connection", "keep-alive"), ("Keep-Alive", "5"), ("TE", "trailers")],
            [],
            id="hop-by-hop headers are dropped in any case of letters",
        ),
        pytest.param(
            [("Connection", "X-A, x-b"), ("X-a", "1"), ("X-B", "2"), ("X-C", "3")],
            ["X-C"],
            id="so are those that Connection names",
        ),
        pytest.param([("Content-Length", "5")], ["Content-Length"], id="a known length is kept"),
        pytest.param(
            [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
            [],
            id="but not beside another framing",
        ),
        pytest.param([("Expect", "100-continue")], [], id="what the caller leaves out"),
    ],
)
def test_headers(given: list[tuple[str, str]], passed: list[str]) -> None:
    headers = CIMultiDictProxy(CIMultiDict(given))
    kept = passed_on(headers, without=frozenset({"expect"}))
    assert [key for key, _ in kept.items()] == passed
