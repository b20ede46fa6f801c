"""Signatures as services write them, and those that are none."""

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from tidegauge.web.inputs_signature import Signature

SECRET, BODY, NOW = b"a-secret-of-this-service", b'{"a": 1}', 1_800_000_000


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(b"another-secret-of-before\n" + SECRET + b"\n")
    return path


def digest(message: bytes, secret: bytes = SECRET) -> bytes:
    return hmac.new(secret, message, hashlib.sha256).digest()


def is_right(signature: Signature, headers: dict[str, str]) -> bool:
    request = make_mocked_request("POST", "/", headers=headers)
    return signature.is_right(request, BODY, clock=lambda: NOW)


@pytest.mark.parametrize(
    "written",
    [
        digest(BODY).hex(),
        digest(BODY).hex().upper(),
        f"sha256={digest(BODY).hex()}",
        base64.b64encode(digest(BODY)).decode(),
        f"sha256={base64.b64encode(digest(BODY)).decode()}",
        f"v1={'0' * 64}, v1={digest(BODY).hex()}",
        digest(BODY, b"another-secret-of-before").hex(),
    ],
)
def test_a_body_is_signed_in_one_of_many_ways(secret_file: Path, written: str) -> None:
    assert is_right(Signature(secret_file, "X-Sign"), {"X-Sign": written})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Sign": ""},
        {"X-Sign": "sha256="},
        {"X-Sign": digest(BODY).hex()[:-1]},
        {"X-Sign": digest(BODY + b" ").hex()},
        {"X-Sign": digest(BODY, b"a-secret-of-somebody-else").hex()},
        {"X-Sign": "é" * 64},
        {"X-Other": digest(BODY).hex()},
        {"X-Sign": ",".join(["v1=0"] * 16 + [digest(BODY).hex()])},
    ],
)
def test_what_is_not_signed_so_is_not_signed(secret_file: Path, headers: dict[str, str]) -> None:
    assert not is_right(Signature(secret_file, "X-Sign"), headers)


@pytest.mark.parametrize(
    "timestamp, right",
    [
        (str(NOW), True),
        (str(NOW - 299), True),
        (str(NOW + 299), True),
        (f"{NOW}000", True),
        (str(NOW - 301), False),
        (str(NOW + 301), False),
        ("", False),
        ("soon", False),
        ("9" * 30, False),
        ("²", False),
    ],
)
def test_a_timestamp_is_signed_too_and_is_of_now(
    secret_file: Path, timestamp: str, *, right: bool
) -> None:
    written = digest(timestamp.encode() + b"." + BODY).hex()
    within = Signature(secret_file, "X-Sign", "{timestamp}.{body}")
    assert is_right(within, {"X-Sign": f"t={timestamp},v1={written}"}) is right
    beside = Signature(secret_file, "X-Sign", "{timestamp}.{body}", "X-Time")
    assert is_right(beside, {"X-Sign": written, "X-Time": timestamp}) is right
    assert not is_right(beside, {"X-Sign": digest(b"1." + BODY).hex(), "X-Time": timestamp})


def test_without_a_secret_nothing_is_signed(tmp_path: Path) -> None:
    headers = {"X-Sign": digest(BODY).hex()}
    assert not is_right(Signature(tmp_path / "gone", "X-Sign"), headers)
