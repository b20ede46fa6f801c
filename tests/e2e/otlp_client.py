"""An instrumented application: OpenAI's client under OpenTelemetry's SDK.

OpenTelemetry is set up by its own environment variables, as an operator would; its
arguments are the engine's URL and a word for each prompt.
"""

import contextlib
import sys

import openai
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MARKER = sys.argv[2]
MESSAGES = [{"role": "user", "content": f"When is high tide, {MARKER}?"}]


def main(engine: str) -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    OpenAIInstrumentor().instrument()
    tracer = trace.get_tracer("an application")
    with tracer.start_as_current_span(
        "invoke_agent", attributes={"gen_ai.operation.name": "invoke_agent"}
    ):
        ask(openai.OpenAI(base_url=f"{engine}/v1", api_key="none", max_retries=0))
        nobody = openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="none", max_retries=0)
        with contextlib.suppress(openai.APIConnectionError):
            nobody.chat.completions.create(model="chat", messages=MESSAGES)
    with tracer.start_as_current_span(
        "chat chat",
        kind=trace.SpanKind.CLIENT,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "az.ai.inference",
            "gen_ai.request.model": "chat",
            "gen_ai.usage.input_tokens": 7,
        },
    ) as span:
        body = f'{{"role": "user", "content": "{MARKER} of old"}}'
        span.add_event("gen_ai.user.message", {"gen_ai.event.content": body})
    provider.shutdown()


def ask(client: openai.OpenAI) -> None:
    client.chat.completions.create(model="chat", messages=MESSAGES, max_tokens=4)
    stream = client.chat.completions.create(
        model="chat",
        messages=MESSAGES,
        max_tokens=4,
        stream=True,
        stream_options={"include_usage": True},
    )
    assert list(stream)
    client.chat.completions.create(model="unknown to us", messages=MESSAGES, max_tokens=4)


if __name__ == "__main__":
    main(sys.argv[1])
