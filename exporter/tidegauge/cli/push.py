"""Pushed exchanges, put together from configuration."""

from dataclasses import replace

from tidegauge.cli.traffic import labelling
from tidegauge.config.push import PushConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, PlanError
from tidegauge.server.push import INPUT, PATH, push_input
from tidegauge.sources.items import Items
from tidegauge.sources.push import PushSource
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.features import prompt_features

_MEMORY_SECONDS = 1.0  # between two reads of our own memory, which is no burden


def push(config: PushConfig, traffic: TrafficConfig | None) -> Part:
    """The input that exchanges are pushed to.

    Raises:
        PlanError: nothing says what of them becomes a label.
    """
    if traffic is None:
        raise PlanError(["serve.push: needs serve.traffic, which names the models"])
    labels = labelling(traffic)

    def make(around: Around) -> Made:
        before = around.sources.get("push")
        items = before.items if isinstance(before, PushSource) else Items()
        items.open([INPUT])

        def measure(ended: Ended) -> None:
            features = prompt_features((ended.texts.prompt,))
            around.record(replace(ended.exchange, features=features))

        taking = push_input(
            labels,
            measure,
            arrivals=around.arrivals,
            items=items,
            most=config.max_exchanges,
        )
        return Made(Schedule(PushSource(items), _MEMORY_SECONDS, 1), inputs={PATH: taking})

    return Part("push", (config, labels), make)
