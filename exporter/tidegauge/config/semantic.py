"""The `serve.traffic.semantic:` section: what embeds prompts."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from tidegauge.config.values import HttpUrl, PositiveSeconds, ReadableFile, Section

_PATIENCE_SECONDS = 5.0  # tidegauge.traffic.measuring gives an exchange up after that


def _plain(url: str) -> str:
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL with a password in it is no place for a secret; use api_key_file")
    if not parts.path:
        raise ValueError(f"{url!r} has no path; write all of it, such as {url}/v1/embeddings")
    return url


def _in_time(seconds: float) -> float:
    if seconds > _PATIENCE_SECONDS:
        raise ValueError(f"{seconds:g}s is too long; no exchange waits for more than 5s")
    return seconds


class EndpointConfig(Section):
    """An OpenAI-compatible endpoint that embeds texts: prompts leave the process to it."""

    url: Annotated[HttpUrl, AfterValidator(_plain)] = Field(
        description="The whole of it, such as http://127.0.0.1:8001/v1/embeddings. No redirect is "
        "followed, and no proxy of the environment used."
    )
    model: str = Field(
        min_length=1,
        description="Which model it is asked for. A reference made with another is refused.",
    )
    dimensions: int | None = Field(
        default=None,
        ge=1,
        le=8192,
        description="How many dimensions it is asked for, for models that can shorten theirs (256 "
        "is best: that many are kept). Left out: it is not asked, and more than 256 are projected.",
    )
    api_key_file: ReadableFile | None = Field(
        default=None, description="File that holds a key, sent as a bearer token; read when used."
    )
    ca_file: ReadableFile | None = Field(
        default=None, description="CA bundle to trust instead of the system's."
    )
    timeout: Annotated[PositiveSeconds, AfterValidator(_in_time)] = Field(
        default=2.0, description="When a text counts as not embedded; at most 5s."
    )
    workers: int = Field(default=4, ge=1, le=32, description="How many texts are asked of at once.")


class OnnxConfig(Section):
    """A sentence model in an ONNX file, such as MiniLM; needs `pip install 'tidegauge[onnx]'`."""

    model: ReadableFile = Field(
        description="Its file; inputs input_ids, attention_mask, and token_type_ids if it has it."
    )
    tokenizer: ReadableFile = Field(description="The model's tokenizer.json.")
    max_tokens: int = Field(
        default=256, ge=2, le=8192, description="Of a longer text, the last so many are embedded."
    )


class SemanticConfig(Section):
    """One of two embeddings instead of static ones."""

    endpoint: EndpointConfig | None = Field(default=None, description="Ask a server.")
    onnx: OnnxConfig | None = Field(default=None, description="Run a model in this process.")

    @model_validator(mode="after")
    def _one_embedding(self) -> Self:
        if self.endpoint and self.onnx:
            raise ValueError("endpoint and onnx are both set; keep one of them")
        if not self.endpoint and not self.onnx:
            raise ValueError("names neither endpoint nor onnx; name one, or leave it out")
        return self
