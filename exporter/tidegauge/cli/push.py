"""Pushed exchanges, put together from configuration."""

from functools import partial

from tidegauge.cli.traffic import labelling
from tidegauge.cli.vectors import vector_settings
from tidegauge.config.push import PushConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, PlanError
from tidegauge.server.push import INPUT, PATH, push_input
from tidegauge.sources.items import Items
from tidegauge.sources.push import PushSource
from tidegauge.traffic.measuring_in_loop import measuring_in_loop


def push(config: PushConfig, traffic: TrafficConfig | None) -> Part:
    """The input that exchanges are pushed to.

    Raises:
        PlanError: nothing says what of them becomes a label.
    """
    if traffic is None:
        raise PlanError(["serve.push: needs serve.traffic, which names the models"])
    labels, settings = labelling(traffic), vector_settings(traffic)

    def make(around: Around) -> Made:
        before = around.sources.get("push")
        items = before.items if isinstance(before, PushSource) else Items()
        items.open([INPUT])
        measuring = measuring_in_loop(settings, around.vectors)
        taking = push_input(
            labels,
            partial(measuring.measure, record=around.record),
            arrivals=around.arrivals,
            items=items,
            most=config.max_exchanges,
        )
        source = PushSource(items, measuring.close)
        return Made(Schedule.of_memory(source), inputs={PATH: taking})

    return Part("push", (config, labels, settings), make)
