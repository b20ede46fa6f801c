"""Errors as Sentry's events, by its own SDK and none of what it would add by itself.

Imported only where Sentry is asked for. The SDK's global client is left alone: an application
that we are part of may have one.
"""

import logging
from collections import Counter
from collections.abc import Mapping

from sentry_sdk import Client
from sentry_sdk.transport import HttpTransport
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import BadDsn, Dsn

from tidegauge import __version__
from tidegauge.errors.event import ErrorEvent
from tidegauge.forwarding.sink import RESULTS, Result

logger = logging.getLogger(__name__)

_CLOSE_SECONDS = 2.0
_TAGS = frozenset({"kind", "class", "model", "version"})
_OURS = frozenset(
    {
        *("event_id", "timestamp", "platform", "level", "logger", "message", "fingerprint"),
        *("tags", "extra", "environment", "release", "server_name", "sdk"),
    }
)


class DsnError(Exception):
    """It is no DSN. The message does not repeat it."""


def checked_dsn(text: str) -> str:
    """A project's DSN.

    Raises:
        DsnError: it is none.
    """
    dsn = text.strip()
    try:
        Dsn(dsn)
    except (BadDsn, ValueError):
        raise DsnError("is no DSN; copy it from the project's settings, Client Keys") from None
    return dsn


class Sentry:
    """Sends events to one project of Sentry, in the SDK's own thread.

    `sample_ratio` of them are sent.
    """

    name = "sentry"

    def __init__(self, dsn: str, *, environment: str, sample_ratio: float) -> None:
        results: Counter[Result] = Counter(dict.fromkeys(RESULTS, 0))

        class Counting(HttpTransport):
            def on_dropped_event(self, reason: str) -> None:
                results["lost"] += 1
                if results["lost"] == 1:  # the counter says the rest
                    logger.warning("an event did not reach Sentry", extra={"reason": reason})

        # It says each of three tries of each event, with the project's address.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
        self._results = results
        self._client = Client(
            dsn=dsn,
            environment=environment,
            release=f"tidegauge@{__version__}",
            sample_rate=sample_ratio,
            before_send=only_ours,
            transport=Counting,
            # What the SDK would find out about a program that it is part of.
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            attach_stacktrace=False,
            include_local_variables=False,
            include_source_context=False,
            max_breadcrumbs=0,
            max_request_body_size="never",
            send_client_reports=False,
            spotlight=False,
        )

    def send(self, event: ErrorEvent) -> None:
        accepted = self._client.capture_event(_event(event)) is not None
        self._results["accepted" if accepted else "dropped"] += 1

    def results(self) -> Mapping[Result, int]:
        return dict(self._results)

    def close(self) -> None:
        self._client.close(timeout=_CLOSE_SECONDS)


def _event(event: ErrorEvent) -> Event:
    tags = {"kind": event.kind, "class": event.cls, "model": event.model, "version": event.version}
    return {
        "level": event.severity,
        "logger": "tidegauge",
        "message": f"{event.cls} of {event.kind}",
        "fingerprint": ["tidegauge", event.kind, *event.fingerprint],
        "tags": {name: value for name, value in tags.items() if value},
        "extra": {"count": event.count},
    }


def only_ours(event: Event, _: Hint) -> Event | None:
    """The last guard: what this module has not put there does not leave, whoever did."""
    ours: Event = {}
    for name in _OURS & event.keys():
        ours[name] = event[name]  # type: ignore[literal-required]  # a name out of a list
    ours["tags"] = {name: value for name, value in event.get("tags", {}).items() if name in _TAGS}
    ours["extra"] = {"count": event.get("extra", {}).get("count")}
    return ours
