"""A face on a free port of loopback, for tests that ask it over HTTP."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tidegauge.samples import Sample
from tidegauge.web import Face, Front, Limits, Rules

ANYWHERE = "127.0.0.1:0"


def plain_face(samples: Sequence[Sample] = ()) -> Face:
    """A face that shows `samples`."""
    return Face(title="a face", samples=lambda: samples, states=tuple, ready=lambda: True)


@asynccontextmanager
async def standing(
    face: Face, rules: Rules | None = None, *, limits: Limits | None = None
) -> AsyncIterator[Front]:
    """`face`, listening."""
    front = Front(face, rules or Rules(), limits=limits)
    await front.start([ANYWHERE])
    try:
        yield front
    finally:
        await front.close()


@asynccontextmanager
async def showing(samples: Sequence[Sample], rules: Rules | None = None) -> AsyncIterator[str]:
    """The URL of a face that shows `samples`."""
    async with standing(plain_face(samples), rules) as front:
        yield f"http://127.0.0.1:{front.ports[0]}"
