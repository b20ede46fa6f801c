"""In whatever order ASGI messages come, they pass as they are, and each request is told of once."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from tests.asgi import (
    DISCONNECT,
    DOCUMENT,
    DONE,
    END,
    REQUEST,
    STREAM,
    TOKEN,
    Script,
    Server,
    Told,
    piece,
    tap,
)
from tidegauge.traffic.middleware import Message

INCOMING = st.lists(
    st.sampled_from(
        [
            REQUEST,
            DISCONNECT,
            {"type": "http.request"},
            {"type": "http.request", "body": b'{"mod', "more_body": True},
            {"type": "http.request", "body": bytearray(b"\xff"), "more_body": False},
        ]
    ),
    max_size=5,
)
SENT = st.one_of(
    st.sampled_from([STREAM, DOCUMENT, TOKEN, DONE, END, {"type": "http.response.pathsend"}]),
    st.binary(max_size=30).map(piece),
    st.just({"type": "http.response.body", "body": memoryview(b"data: x"), "more_body": True}),
    st.just({"type": "http.response.trailers", "headers": []}),
)
ENDINGS = st.sampled_from([None, RuntimeError("x"), OSError("x"), asyncio.CancelledError()])


@given(INCOMING, st.lists(st.none() | SENT, max_size=8), ENDINGS, st.none() | st.integers(0, 4))
def test_any_order_of_messages(
    incoming: list[Message],
    steps: list[Message | None],
    ending: BaseException | None,
    gone_after: int | None,
) -> None:
    bare = asyncio.run(passed(incoming, steps, ending, gone_after, told=None))
    told = Told()
    heard = asyncio.run(passed(incoming, steps, ending, gone_after, told=told))
    assert heard == bare
    assert (told.begun, len(told.exchanges)) == (1, 1)
    assert (told.in_flight, told.streams) == (0, 0)


async def passed(
    incoming: list[Message],
    steps: list[Message | None],
    ending: BaseException | None,
    gone_after: int | None,
    *,
    told: Told | None,
) -> tuple[list[int], list[int], str]:
    """Which objects the application and the server got, and what was raised."""
    receives = 0
    script: list[Message | BaseException | None] = []
    for step in steps:  # no more than there is: the next would wait for ever
        receives += step is None
        if step is not None or receives <= len(incoming):
            script.append(step)
    app = Script([*script, ending] if ending else script)
    server = Server(list(incoming), gone_after=gone_after)
    raised = ""
    try:
        await server.run(tap(app, told) if told else app)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001
        raised = f"{type(error).__name__} {error is ending}"
    return [id(each) for each in app.received], [id(each) for each in server.sent], raised
