"""Who is let through, how fast, and what a wrong password costs."""

import asyncio
import time
from base64 import b64encode

import aiohttp
import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.face import plain_face, showing, standing
from tidegauge.web import Rules
from tidegauge.web.gate import _credentials
from tidegauge.web.passwords import BusyError, Passwords
from tidegauge.web.rate import TokenBucket


def hashed(password: str, *, cost: int = 4) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


USERS = {"alice": hashed("open sesame"), "zoë": hashed("pässword:with:colons")}


def basic(credentials: str) -> str:
    return f"Basic {b64encode(credentials.encode()).decode()}"


@pytest.mark.parametrize(
    "authorization,status",
    [
        pytest.param(None, 401, id="nobody"),
        pytest.param(basic("alice:open sesame"), 200, id="a known user"),
        pytest.param(basic("alice:open sesam"), 401, id="a wrong password"),
        pytest.param(basic("alice:"), 401, id="no password"),
        pytest.param(basic("mallory:open sesame"), 401, id="an unknown user"),
        pytest.param(basic("zoë:pässword:with:colons"), 200, id="letters beyond ASCII, and colons"),
        pytest.param(basic("alice"), 401, id="no colon"),
        pytest.param("Basic ???", 401, id="no base64"),
        pytest.param("Basic /////w==", 401, id="bytes that are no UTF-8"),
        pytest.param("Bearer abc", 401, id="another scheme"),
        pytest.param("basic " + basic("alice:open sesame")[6:], 200, id="the scheme in lower case"),
        pytest.param(basic("alice:open sesame\0x"), 401, id="a byte 0"),
        pytest.param(basic(f"alice:{'x' * 5000}"), 401, id="more than bcrypt reads"),
    ],
)
async def test_only_a_user_with_its_password_gets_through(
    authorization: str | None, status: int
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    async with (
        showing((), Rules(users=USERS)) as url,
        aiohttp.ClientSession(headers=headers) as session,
    ):
        for path in ("/metrics", "/", "/-/healthy", "/-/ready"):
            async with session.get(url + path) as response:
                assert response.status == status
                if status == 401:
                    assert response.headers["WWW-Authenticate"] == "Basic"


async def test_a_path_that_is_not_there_is_behind_the_password_too() -> None:
    async with (
        showing((), Rules(users=USERS)) as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/nowhere") as response,
    ):
        assert response.status == 401


async def test_a_right_password_costs_bcrypt_once() -> None:
    passwords = Passwords({"alice": hashed("open sesame", cost=10)})
    started = time.perf_counter()
    assert await passwords.right("alice", "open sesame")
    first = time.perf_counter() - started
    started = time.perf_counter()
    for _ in range(20):
        assert await passwords.right("alice", "open sesame")
    assert time.perf_counter() - started < first, (
        "20 remembered ones take less than one that is not"
    )


async def test_an_unknown_user_takes_as_long_as_a_known_one() -> None:
    passwords = Passwords({"alice": hashed("open sesame", cost=8)})
    took: dict[str, list[float]] = {"alice": [], "mallory": []}
    for _ in range(5):
        for user, times in took.items():
            started = time.perf_counter()
            assert not await passwords.right(user, "guess")
            times.append(time.perf_counter() - started)
    assert 0.5 < min(took["alice"]) / min(took["mallory"]) < 2


async def test_guesses_wait_in_a_line_that_is_bounded_and_right_passwords_pass_them() -> None:
    passwords = Passwords({"alice": hashed("open sesame", cost=9)})
    assert await passwords.right("alice", "open sesame")
    guesses = [asyncio.create_task(passwords.right("alice", f"guess {n}")) for n in range(40)]
    await asyncio.sleep(0)
    async with asyncio.timeout(0.5):
        assert await passwords.right("alice", "open sesame")
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(outcome, BusyError) for outcome in outcomes) == 40 - 16
    assert True not in outcomes


async def test_what_is_remembered_is_bounded_and_no_password() -> None:
    passwords = Passwords({f"u{n}": hashed("x") for n in range(3)})
    for n in range(3):
        assert await passwords.right(f"u{n}", "x")
    assert all(isinstance(key, bytes) and key != b"x" for key in passwords._right)
    assert not await passwords.right("u0", "y"), "remembered for one password, not for the user"


async def test_other_users_forget_what_was_remembered() -> None:
    async with (
        standing(plain_face(), Rules(users=USERS)) as front,
        aiohttp.ClientSession(headers={"Authorization": basic("alice:open sesame")}) as session,
    ):
        url = f"http://127.0.0.1:{front.ports[0]}/metrics"
        async with session.get(url) as response:
            assert response.status == 200
        await front.adopt(Rules(users={"alice": hashed("new")}))
        async with session.get(url) as response:
            assert response.status == 401
        await front.adopt(Rules())
        async with session.get(url) as response:
            assert response.status == 200


async def test_requests_beyond_the_limit_are_answered_429_before_any_password() -> None:
    rules = Rules(users=USERS, interval_seconds=3600, burst=2)
    async with showing((), rules) as url, aiohttp.ClientSession() as session:
        statuses = []
        for _ in range(4):
            async with session.get(f"{url}/metrics") as response:
                statuses.append(response.status)
    assert statuses == [401, 401, 429, 429]


async def test_headers_of_the_file_are_on_every_answer_and_empty_ones_on_none() -> None:
    rules = Rules(headers={"X-Frame-Options": "deny", "X-XSS-Protection": ""})
    async with showing((), rules) as url, aiohttp.ClientSession() as session:
        for path in ("/", "/metrics", "/nowhere"):
            async with session.get(url + path) as response:
                assert response.headers["X-Frame-Options"] == "deny"
                assert "X-XSS-Protection" not in response.headers


@given(st.one_of(st.text(), st.text().map(lambda text: f"Basic {text}")))
def test_no_header_makes_reading_credentials_fail(header: str) -> None:
    found = _credentials(header)
    assert found is None or len(found) == 2


@given(
    interval=st.floats(0.001, 100),
    burst=st.integers(1, 20),
    steps=st.lists(st.floats(0, 50), max_size=60),
)
def test_a_bucket_never_lets_more_through_than_burst_and_time_allow(
    interval: float, burst: int, steps: list[float]
) -> None:
    bucket, now, passed = TokenBucket(interval, burst), 0.0, 0
    for step in steps:
        now += step
        passed += bucket.take(now)
    assert passed <= burst + now / interval + 1e-6


def test_a_bucket_without_interval_lets_everything_through() -> None:
    bucket = TokenBucket(0, 0)
    assert all(bucket.take(0) for _ in range(100))
