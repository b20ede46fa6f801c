"""The decoder of server-sent events."""

import pytest

from tidegauge.traffic.hearing.sse import Event, EventDecoder


@pytest.mark.parametrize(
    "stream,events",
    [
        pytest.param(b"data: a\n\n", [Event("", b"a")], id="LF ends a line"),
        pytest.param(b"data: a\r\n\r\n", [Event("", b"a")], id="CRLF ends a line"),
        pytest.param(b"data:a\n\n", [Event("", b"a")], id="the blank after the colon is optional"),
        pytest.param(b"data:  a\n\n", [Event("", b" a")], id="only one blank is taken away"),
        pytest.param(b"data: a\ndata: b\n\n", [Event("", b"a\nb")], id="data lines are joined"),
        pytest.param(b": ping\n\ndata: a\n\n", [Event("", b"a")], id="comments are no events"),
        pytest.param(b"event: error\ndata: a\n\n", [Event("error", b"a")], id="events have names"),
        pytest.param(b"event: x\n\ndata: a\n\n", [Event("", b"a")], id="a name is for one event"),
        pytest.param(b"id: 7\nretry: 1\n\n", [], id="fields without data are no event"),
        pytest.param(b"error: {}\n\n", [Event("error", b"{}")], id="an error line is an event"),
        pytest.param(b"data: a\n", [Event("", b"a")], id="the stream's end ends the last event"),
        pytest.param(b"data: a", [Event("", b"a")], id="the stream's end ends the last line"),
        pytest.param(b"\xef\xbb\xbfdata: a\n\n", [Event("", b"a")], id="a byte order mark is none"),
        pytest.param(b"data: a\r\rdata: b\r", [Event("", b"a"), Event("", b"b")], id="so may CR"),
        pytest.param(b"\n\n\n", [], id="blank lines alone are nothing"),
        pytest.param(b"\xff\x00garbage\n\n", [], id="garbage is nothing"),
        pytest.param(
            b"data: " + b"x" * 40 + b"\n\ndata: a\n\n",
            [Event("", b"a")],
            id="a line beyond the limit is skipped and the next is read",
        ),
        pytest.param(
            b"data: 123456789\n" * 4 + b"\ndata: a\n\n",
            [Event("", b"a")],
            id="an event beyond the limit is skipped and the next is read",
        ),
    ],
)
def test_a_stream_is_decoded(stream: bytes, events: list[Event]) -> None:
    whole = EventDecoder(limit_bytes=32)
    assert [*whole.feed(stream), *whole.flush()] == events
    dribbled = EventDecoder(limit_bytes=32)
    one_by_one = [event for byte in stream for event in dribbled.feed(bytes([byte]))]
    assert [*one_by_one, *dribbled.flush()] == events


def test_a_stream_without_line_ends_does_not_grow_memory() -> None:
    decoder = EventDecoder(limit_bytes=1024)
    for _ in range(1000):
        assert decoder.feed(b"x" * 1000) == []
    assert len(decoder._lines._partial) <= 1024


def test_an_event_of_endless_empty_lines_does_not_grow_memory() -> None:
    decoder = EventDecoder(limit_bytes=1024)
    decoder.feed(b"data:\n" * 10_000)
    assert len(decoder._data) <= 2048
