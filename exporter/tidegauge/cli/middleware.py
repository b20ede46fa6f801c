"""The door for processes that have the middleware in them, put together from configuration."""

import time

from tidegauge.config.traffic import TrafficConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part
from tidegauge.sources.middleware.listener import listen
from tidegauge.sources.middleware.receiver import Receiver
from tidegauge.sources.middleware.source import MiddlewareSource
from tidegauge.traffic.labelling import Labelling


def middleware(config: TrafficConfig) -> Part | None:
    """The UNIX socket and what comes over it, where one is asked for."""
    path, mode = config.socket, int(config.socket_mode, 8)
    if path is None:
        return None
    known = Labelling(frozenset(config.models), config.versions)

    def make(around: Around) -> Made:
        before = around.sources.get(MiddlewareSource.name)
        if isinstance(before, MiddlewareSource) and before.made_at == (path, mode):
            before.receiver.turn(known)  # connections stay: other names are no other socket
            return Made(Schedule.of_memory(before))
        receiver = Receiver(
            listen(path, mode=mode),
            around.record,
            arrivals=around.arrivals,
            labelling=known,
            clock=time.monotonic,
        )
        return Made(Schedule.of_memory(MiddlewareSource(receiver, made_at=(path, mode))))

    made_from = (path, mode, config.models, config.versions)
    return Part(MiddlewareSource.name, made_from, make)
