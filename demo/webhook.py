"""The receiver at the end of the line: prints every alert that Alertmanager delivers."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

_SHOWN_LABELS = ("model", "channel", "pool", "replica", "source", "engine", "gpu", "job", "reason")


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of one notification."""

    status: str
    name: str
    severity: str
    labels: tuple[tuple[str, str], ...]
    summary: str

    def __str__(self) -> str:
        shown = " ".join(f"{key}={value}" for key, value in self.labels if key in _SHOWN_LABELS)
        if self.status == "resolved":
            return f"RESOLVED {self.name} [{self.severity}] {shown}"
        return f"FIRING   {self.name} [{self.severity}] {shown}: {self.summary}"


def receiver(say: Callable[[str], None], log: Path) -> web.Application:
    """An application that says every alert and appends each notification to `log` as JSON."""

    async def notified(request: web.Request) -> web.Response:
        notification = await request.json()
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(notification) + "\n")
        for alert in alerts(notification):
            say(str(alert))
        return web.Response()

    app = web.Application()
    app.router.add_post("/page", notified)
    app.router.add_post("/ticket", notified)
    return app


def alerts(notification: dict[str, list[dict[str, dict[str, str]]]]) -> list[Alert]:
    """The alerts of one notification in Alertmanager's webhook form."""
    return [
        Alert(
            status=str(alert["status"]),
            name=alert["labels"]["alertname"],
            severity=alert["labels"].get("severity", "none"),
            labels=tuple(sorted(alert["labels"].items())),
            summary=alert["annotations"].get("summary", ""),
        )
        for alert in notification["alerts"]
    ]
