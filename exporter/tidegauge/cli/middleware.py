"""The door for processes that have the middleware in them, put together from configuration."""

import time

from tidegauge.cli.vectors import embedding
from tidegauge.config.traffic import TrafficConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part
from tidegauge.sources.middleware.listener import listen
from tidegauge.sources.middleware.receiver import Receiver
from tidegauge.sources.middleware.source import MiddlewareSource
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.texts.embedding import mark


def middleware(config: TrafficConfig) -> Part | None:
    """The UNIX socket and what comes over it, where one is asked for.

    Raises:
        PlanError: the ONNX model, whose vectors processes are to send, can't be run.
    """
    path, mode = config.socket, int(config.socket_mode, 8)
    if path is None:
        return None
    known = Labelling(frozenset(config.models), config.versions)
    marked = mark(embedding(config))

    def make(around: Around) -> Made:
        before = around.sources.get(MiddlewareSource.name)
        if isinstance(before, MiddlewareSource) and before.made_at == (path, mode):
            before.receiver.turn(
                known, embedding=marked
            )  # connections stay: other names are no other socket
            return Made(Schedule.of_memory(before))
        receiver = Receiver(
            listen(path, mode=mode),
            around.record,
            arrivals=around.arrivals,
            labelling=known,
            clock=time.monotonic,
            embedding=marked,
        )
        return Made(Schedule.of_memory(MiddlewareSource(receiver, made_at=(path, mode))))

    made_from = (path, mode, config.models, config.versions, marked)
    return Part(MiddlewareSource.name, made_from, make)
