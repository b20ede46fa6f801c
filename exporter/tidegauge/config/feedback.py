"""The `serve.feedback:` section: what users thought of answers, and how it is joined to them."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tidegauge.config.access import HeaderName
from tidegauge.config.values import Name, PositiveSeconds, ReadableFile, Section
from tidegauge.traffic.feedback.pointer import is_pointer

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_OURS = ("other",)


def _pointer(text: str) -> str:
    if not is_pointer(text):
        raise ValueError(f"{text!r} is no JSON Pointer; write one such as /data/answers/0/answer")
    return text


def _category(text: str) -> str:
    if not _LABEL.fullmatch(text) or text in _OURS:
        raise ValueError(f"{text!r} is no category; use letters, digits, _ . : and -, not `other`")
    return text


def _message(text: str) -> str:
    bare = text.replace("{body}", "", 1).replace("{timestamp}", "", 1)
    if "{body}" not in text or "{" in bare or "}" in bare:
        raise ValueError(f"{text!r} does not say what is signed; write {{timestamp}}.{{body}}")
    return text


Pointer = Annotated[str, AfterValidator(_pointer)]
Category = Annotated[str, AfterValidator(_category)]


class ScaleConfig(Section):
    """What a rating means."""

    low: float = Field(default=1.0, description="Lowest rating that there is.")
    high: float = Field(default=5.0, description="Highest rating that there is.")
    bad: float = Field(default=2.0, description="Ratings up to this are bad.")
    good: float = Field(default=4.0, description="Ratings from this on are good.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.bad < self.good <= self.high:
            raise ValueError(
                f"bad: {self.bad:g} and good ({self.good:g}) must be in this order, "
                f"from low ({self.low:g}) to high ({self.high:g})"
            )
        return self


class SignatureConfig(Section):
    """HMAC with SHA-256 over what a service posts. It stands in for a token."""

    header: HeaderName = Field(description="Header that holds the signature.")
    secret_file: ReadableFile = Field(
        description="File that holds the secret, or several, one a line; read for each request."
    )
    message: Annotated[str, AfterValidator(_message)] = Field(
        default="{body}", description="What is signed: {body}, or {timestamp}.{body}."
    )
    timestamp_header: HeaderName | None = Field(
        default=None,
        description="Header that holds the timestamp; left out: `t=` in the signature's header.",
    )
    max_age: PositiveSeconds = Field(
        default=300.0, description="How far from now a timestamp may be."
    )


class WebhookConfig(Section):
    """Where in a service's JSON the feedback is. Places are JSON Pointers, such as /data/id."""

    id: Pointer = Field(description="Where the answer's id is.")
    id_parameter: str | None = Field(
        default=None, min_length=1, description="The place holds a URL; the id is this parameter."
    )
    rating: Pointer = Field(description="Where the rating is.")
    verdicts: dict[str, Literal["bad", "neutral", "good"]] = Field(
        default={}, description="What a rating means that is one of these words."
    )
    scale: ScaleConfig | None = Field(
        default=None, description="What a rating means that is a number; left out: the usual scale."
    )
    category: Pointer | None = Field(default=None, description="Where the category is.")
    when: dict[Pointer, str] = Field(
        default={}, description="What has to be where; any other document is ignored."
    )
    signature: SignatureConfig | None = Field(
        default=None, description="Left out: the service needs a token, as everybody."
    )


class FeedbackConfig(Section):
    """Feedback by POST /v1/feedback; docs/feedback.md has the fields. Needs serve.traffic."""

    scale: ScaleConfig = ScaleConfig()
    categories: tuple[Category, ...] = Field(
        default=(),
        max_length=50,
        description="Categories that become label values; any other is counted as `other`.",
    )
    join: PositiveSeconds = Field(
        default=86400.0, description="How long after an answer its feedback finds it."
    )
    max_answers: int = Field(
        default=100_000,
        ge=1,
        le=10_000_000,
        description="Answers that are remembered at most, some 200 bytes each; the oldest leave "
        "first.",
    )
    wait: PositiveSeconds = Field(
        default=600.0, description="How long feedback that comes first waits for its answer."
    )
    max_waiting: int = Field(
        default=10_000, ge=1, le=1_000_000, description="Feedback that waits at most."
    )
    webhooks: dict[Name, WebhookConfig] = Field(
        default={}, description="Services that post to /v1/feedback/hooks/NAME, by name."
    )
