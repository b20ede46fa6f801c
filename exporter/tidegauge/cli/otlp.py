"""OTLP traces, put together from configuration: an input, and what it makes of spans."""

from tidegauge.cli.extras import need
from tidegauge.cli.traffic import labelling
from tidegauge.cli.vectors import measuring_for, vector_settings
from tidegauge.config.otlp import OtlpConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, PlanError
from tidegauge.sources.otlp import OtlpSource
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.otlp import from_json
from tidegauge.traffic.otlp.answers import JSON, PROTOBUF, TYPES
from tidegauge.traffic.otlp.receiver import Receiver, refusal
from tidegauge.web import Input

NAME = "otlp"
PATH = "/v1/traces"


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

        measuring = measuring_for(settings, around)

        def measure(ended: Ended) -> None:
            measuring.measure(ended, around.record)

        before = around.sources.get(NAME)
        receiver = Receiver(
            measure,
            decoders={PROTOBUF: from_protobuf.spans, JSON: from_json.spans},
            labelling=labels,
            arrivals=around.arrivals,
            side=None if config.count == "all" else config.count,
            memory=before.receiver.memory if isinstance(before, OtlpSource) else None,
        )
        taken = Input(NAME, receiver.take, TYPES, max_bytes=config.max_body_bytes, refusal=refusal)
        source = OtlpSource(receiver, measuring.close)
        return Made(Schedule.of_memory(source), inputs={PATH: taken})

    return Part(NAME, (config, labels, settings), make)
