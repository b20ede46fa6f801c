"""What a sidecar makes of a text: an exchange, and a row of drift."""

from collections.abc import Sequence

from tidegauge.drift.row import Row, row_of
from tidegauge.traffic.exchange import NO_GAPS, Exchange
from tidegauge.traffic.features import features
from tidegauge.traffic.texts.vectors import Embed

CHARACTERS_PER_TOKEN = 4  # as the tap estimates them where an engine does not say
MODEL = "bench"


def exchange_of(prompt: str, answer: str = "") -> Exchange:
    """A request with its features, but no vectors; with no answer, nothing is known of it."""
    return Exchange(
        model=MODEL,
        streamed=False,
        outcome="ok",
        status=200,
        finish_reason="stop" if answer else None,
        duration_seconds=0.2 + 0.02 * _tokens(answer),
        first_token_seconds=None,
        gaps=NO_GAPS,
        prompt_tokens=_tokens(prompt),
        generation_tokens=_tokens(answer) if answer else None,
        features=features(prompt, answer),
    )


def rows_of(texts: Sequence[str], embed: Embed) -> list[Row]:
    """Of each text that has a semantic vector."""
    rows = [row_of(exchange_of(text)) for text in texts]
    vectors = [embed(text) for text in texts]
    return [
        Row(row.cells, (vector, None))
        for row, vector in zip(rows, vectors, strict=True)
        if vector is not None
    ]


def _tokens(text: str) -> int:
    return max(1, len(text) // CHARACTERS_PER_TOKEN)
