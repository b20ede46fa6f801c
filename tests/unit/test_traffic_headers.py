"""Which headers a proxy passes on."""

import pytest

from tidegauge.traffic.proxying.head import Fields
from tidegauge.traffic.proxying.headers import passed_on, upgrade


@pytest.mark.parametrize(
    "given,passed",
    [
        pytest.param(((b"Host", b"a"), (b"X-Id", b"1")), [b"Host", b"X-Id"], id="end-to-end"),
        pytest.param(((b"Set-Cookie", b"a"),) * 2, [b"Set-Cookie"] * 2, id="repeats"),
        pytest.param(
            ((b"connection", b"keep-alive"), (b"Keep-Alive", b"5"), (b"TE", b"trailers")),
            [],
            id="hop-by-hop headers are dropped in any case of letters",
        ),
        pytest.param(
            ((b"Connection", b"X-A, x-b"), (b"X-a", b"1"), (b"X-B", b"2"), (b"X-C", b"3")),
            [b"X-C"],
            id="so are those that Connection names",
        ),
        pytest.param(
            ((b"Connection", b"content-length, host"), (b"Host", b"a"), (b"Content-Length", b"5")),
            [b"Host", b"Content-Length"],
            id="but not what says where a body ends, or whose it is",
        ),
        pytest.param(
            ((b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked")),
            [b"Transfer-Encoding"],
            id="a length is dropped beside another framing",
        ),
        pytest.param(((b"Expect", b"100-continue"),), [], id="what the caller leaves out"),
    ],
)
def test_headers(given: Fields, passed: list[bytes]) -> None:
    kept = passed_on(given, without=frozenset({b"expect"}))
    assert [key for key, _ in kept] == passed
    assert set(kept) <= set(given)


@pytest.mark.parametrize(
    "given,asks",
    [
        pytest.param(((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")), True, id="both"),
        pytest.param(
            ((b"Connection", b"keep-alive, upgrade"), (b"upgrade", b"h2c")), True, id="in a list"
        ),
        pytest.param(((b"Upgrade", b"websocket"),), False, id="no Connection"),
        pytest.param(((b"Connection", b"upgrade"),), False, id="nothing to change to"),
    ],
)
def test_an_upgrade_is_asked_for_by_two_headers(given: Fields, asks: bool) -> None:  # noqa: FBT001
    assert bool(upgrade(given)) == asks
