"""The page that gives a reference away, and who gets it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import bcrypt
import pytest

from tests.face import plain_face, standing
from tests.unit.drift_references import ROWS, reference_of
from tidegauge.drift.reference_text import load
from tidegauge.web import Rules, drift_reference
from tidegauge.web.drift_reference import PATH

USUAL = reference_of(ROWS[:20], model="a/chat model")


@asynccontextmanager
async def page(rules: Rules | None = None) -> AsyncIterator[str]:
    kept = {USUAL.model: USUAL}
    pages = {PATH: drift_reference(kept.get)}
    face = replace(plain_face(), more_pages=lambda: pages)
    async with standing(face, rules) as front:
        yield f"http://127.0.0.1:{front.ports[0]}{PATH}"


async def asked(url: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=given) as response,
    ):
        return response.status, await response.text()


async def test_a_models_reference_is_given_as_it_is_written() -> None:
    async with page() as url:
        status, text = await asked(f"{url}?model=a%2Fchat+model")

    assert status == 200
    assert load(text) == USUAL


@pytest.mark.parametrize(
    "query,status,said",
    [
        pytest.param("", 400, "model is missing; ask /drift/reference?model=NAME", id="no model"),
        pytest.param("?model=", 400, "model is missing", id="an empty one"),
        pytest.param("?model=<b>", 404, "there is no reference of this model", id="unknown"),
    ],
)
async def test_a_mistake_is_said(query: str, status: int, said: str) -> None:
    async with page() as url:
        found = await asked(url + query)

    assert found[0] == status
    assert said in found[1]
    assert "<b>" not in found[1]


async def test_others_head_and_post() -> None:
    async with page() as url:
        assert await asked(f"{url}?model=a%2Fchat+model", "HEAD") == (200, "")
        assert (await asked(f"{url}?model=a%2Fchat+model", "POST"))[0] == 405


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Origin", "Sec_Fetch_Site"])
async def test_who_asks_for_somebody_else_gets_none(header: str) -> None:
    async with page() as url:
        status, said = await asked(f"{url}?model=a%2Fchat+model", **{header: "http://evil.test"})

    assert status == 403
    assert "a reference is given to programs of this machine only" in said


async def test_whoever_has_the_password_gets_it_from_anywhere() -> None:
    users = {"ann": bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()}
    known = aiohttp.encode_basic_auth("ann", "secret")
    async with page(Rules(users=users)) as url:
        asks = f"{url}?model=a%2Fchat+model"
        assert (await asked(asks))[0] == 401
        assert (await asked(asks, Via="a proxy", Authorization=known))[0] == 200
