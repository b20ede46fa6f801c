"""Feedback, put together from configuration."""

import time

from tidegauge.cli.secrets import secret_in
from tidegauge.config.feedback import FeedbackConfig, ScaleConfig, WebhookConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, PlanError
from tidegauge.server.feedback import INPUT, FeedbackInputs, Hook
from tidegauge.sources.feedback import FeedbackSource
from tidegauge.sources.items import Items
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.feedback import Feedback, FeedbackRules
from tidegauge.traffic.rating import Scale
from tidegauge.traffic.webhook import Mapped
from tidegauge.web.inputs_signature import Signature
from tidegauge.web.inputs_tokens import read_lines


def feedback(config: FeedbackConfig, traffic: TrafficConfig | None) -> Part:
    """Feedback, joined to the answers of every door. What is remembered outlives a reload.

    Raises:
        PlanError: nothing says what answers there are, or a secret cannot be used.
    """
    if traffic is None:
        raise PlanError(["serve.feedback: needs serve.traffic, which names the models"])
    hooks = tuple(hook(name, each, config) for name, each in config.webhooks.items())
    rules = FeedbackRules(
        models=traffic.models,
        versions=traffic.versions,
        categories=config.categories,
        most_answers=config.max_answers,
        join_seconds=config.join,
        most_waiting=config.max_waiting,
        wait_seconds=config.wait,
    )

    def make(around: Around) -> Made:
        found = around.sources.get("feedback")
        before = found if isinstance(found, FeedbackSource) else None
        kept = Feedback(rules, memory=before.feedback.memory if before else None)
        items = before.items if before else Items()
        items.open((INPUT, *(each.input for each in hooks)))
        taking = FeedbackInputs(
            kept, items, _scale(config.scale), frozenset(config.categories), time.monotonic
        )

        def observe(exchange: Exchange) -> None:
            kept.observe(exchange, time.monotonic())

        source = FeedbackSource(kept, items, clock=time.monotonic)
        return Made(Schedule.of_memory(source), observe, inputs=taking.inputs(hooks))

    return Part("feedback", (config, traffic.models, traffic.versions), make)


def hook(name: str, config: WebhookConfig, usual: FeedbackConfig) -> Hook:
    """A webhook as it is configured.

    Raises:
        PlanError: its secret cannot be used.
    """
    mapped = Mapped(
        identifier=config.id,
        rating=config.rating,
        scale=_scale(config.scale or usual.scale),
        verdicts=config.verdicts,
        category=config.category,
        parameter=config.id_parameter,
        when=config.when,
    )
    return Hook(name, mapped, _signature(name, config))


def _signature(name: str, config: WebhookConfig) -> Signature | None:
    said = config.signature
    if said is None:
        return None
    key = f"serve.feedback.webhooks.{name}.signature.secret_file"
    secret_in(said.secret_file, key, read_lines)
    return Signature(
        secret_file=said.secret_file,
        header=said.header,
        message=said.message,
        timestamp_header=said.timestamp_header,
        max_age_seconds=said.max_age,
    )


def _scale(config: ScaleConfig) -> Scale:
    return Scale(low=config.low, high=config.high, bad=config.bad, good=config.good)
