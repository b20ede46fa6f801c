"""References of running sidecars, over HTTP."""

import asyncio
from collections.abc import Sequence

from yarl import URL

from tidegauge.drift.reference import DriftReferenceError, Reference
from tidegauge.drift.reference_text import MAX_TEXT_BYTES, load
from tidegauge.sources.engine_access import Access
from tidegauge.sources.engine_http import BoundedGet, NotThereError
from tidegauge.sources.source import SourceError
from tidegauge.web.drift_reference import PATH

_TIMEOUT_SECONDS = 60.0
_KNOWN = "; references are for programs of the sidecar's machine, and for --from.username"


def fetched(
    accesses: Sequence[Access], model: str, *, timeout_seconds: float = _TIMEOUT_SECONDS
) -> tuple[Reference, ...]:
    """What each has for the model, in their order.

    Raises:
        SourceError: one did not answer well, or has none.
        DriftReferenceError: what it gave is no reference of the model.
    """
    for access in accesses:
        _check(access.url)
    return asyncio.run(_fetched(accesses, model, timeout_seconds))


def _check(url: str) -> None:
    try:
        read = URL(url)
        sound = read.scheme in {"http", "https"} and read.host and not read.query_string
        secret = read.user is not None or read.password is not None
    except ValueError:
        sound = secret = False
    if secret:
        raise DriftReferenceError("--from: a password in a URL shows; use --from.password-file")
    if not sound:
        raise DriftReferenceError(f"--from: {url!r} is no URL, such as http://127.0.0.1:9470")


async def _fetched(
    accesses: Sequence[Access], model: str, timeout_seconds: float
) -> tuple[Reference, ...]:
    # One after the other: each may be tens of megabytes.
    return tuple([await _one(access, model, timeout_seconds) for access in accesses])


async def _one(access: Access, model: str, timeout_seconds: float) -> Reference:
    get, shown = BoundedGet(access, max_bytes=MAX_TEXT_BYTES), f"{access.url}{PATH}"
    try:
        async with asyncio.timeout(timeout_seconds):
            answer = await get(PATH)
    except TimeoutError:
        raise SourceError("timeout", f"{shown}: no answer in {timeout_seconds:g} s") from None
    except NotThereError as error:
        raise SourceError(error.reason, f"{error}: it has no reference of {model!r} yet") from None
    except SourceError as error:
        hint = _KNOWN if error.reason == "http_status" else ""
        raise SourceError(error.reason, f"{error}{hint}") from None
    finally:
        await get.close()
    try:
        reference = load(answer.body)
    except DriftReferenceError as error:
        raise DriftReferenceError(f"{shown}: {error}") from None
    if reference.model != model:
        raise DriftReferenceError(f"{shown}: is of model {reference.model!r}, not of {model!r}")
    return reference
