"""OTLP traces, put together from configuration: an input, and what it makes of spans."""

from functools import partial

from tidegauge.cli.extras import need
from tidegauge.cli.traffic import labelling
from tidegauge.cli.vectors import vector_settings
from tidegauge.config.otlp import OtlpConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, PlanError
from tidegauge.server.otlp import PATH, otlp_input
from tidegauge.sources.otlp import OtlpSource
from tidegauge.traffic.measuring_in_loop import measuring_in_loop
from tidegauge.traffic.otlp import from_json
from tidegauge.traffic.otlp.answers import JSON, PROTOBUF
from tidegauge.traffic.otlp.receiver import Receiver

NAME = "otlp"


def otlp(config: OtlpConfig, traffic: TrafficConfig | None) -> Part | None:
    """The input for traces, where it is asked for.

    Raises:
        PlanError: nothing counts what it takes, or it can't read it.
    """
    if not config.enabled:
        return None
    if traffic is None:
        raise PlanError(["serve.otlp.enabled: needs serve.traffic, which counts what is received"])
    need("opentelemetry.proto", "otlp", "serve.otlp.enabled")
    labels = labelling(traffic)
    settings = vector_settings(traffic)

    def make(around: Around) -> Made:
        # Here, so that who has no use for it does without its 40 ms and 6.5 MB.
        from tidegauge.traffic.otlp import from_protobuf  # noqa: PLC0415

        measuring = measuring_in_loop(settings, around.vectors)
        before = around.sources.get(NAME)
        receiver = Receiver(
            partial(measuring.measure, record=around.record),
            decoders={PROTOBUF: from_protobuf.spans, JSON: from_json.spans},
            labelling=labels,
            arrivals=around.arrivals,
            side=None if config.count == "all" else config.count,
            memory=before.receiver.memory if isinstance(before, OtlpSource) else None,
        )
        taken = otlp_input(receiver, max_bytes=config.max_body_bytes)
        source = OtlpSource(receiver, measuring.close)
        return Made(Schedule.of_memory(source), inputs={PATH: taken})

    return Part(NAME, (config, labels, settings), make)
