"""What one exchange adds to which histograms.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterator
from itertools import product

from tidegauge.catalog import Metric, traffic
from tidegauge.traffic.counting.counted import Pair, Series
from tidegauge.traffic.exchange import Exchange

# An answer that came within a hundredth of a second after its first content was waiting in some
# buffer: how fast it was generated is not to be seen.
SHORTEST_STREAM_SECONDS = 0.01

SOURCES = ("usage", "estimate")

# A float tells integers apart up to here. Nothing real comes near; numbers from outside may.
_LARGEST = 2.0**53

_BY_SOURCE = (traffic.PROMPT_TOKENS, traffic.GENERATION_TOKENS, traffic.TOKENS_PER_SECOND)
_BY_MODEL = (traffic.TIME_TO_FIRST_TOKEN, traffic.INTER_CHUNK, traffic.DURATION)


def observed(exchange: Exchange, pair: Pair) -> Iterator[tuple[Metric, tuple[str, ...], float]]:
    """Histograms with their labels, and the value that each gets. Gaps are counted already.

    Durations and speeds are those of answers that ended well (outcome "ok"): a refusal in a
    millisecond would make a sick engine look fast. First tokens and token counts are those of
    every answer that had them.
    """
    ended_well = exchange.outcome == "ok"
    prompt = (*pair, _source(estimated=exchange.prompt_tokens_estimated))
    generation = (*pair, _source(estimated=exchange.generation_tokens_estimated))
    all_of_them = (
        (traffic.TIME_TO_FIRST_TOKEN, pair, exchange.first_token_seconds),
        (traffic.DURATION, pair, exchange.duration_seconds if ended_well else None),
        (traffic.PROMPT_TOKENS, prompt, exchange.prompt_tokens),
        (traffic.GENERATION_TOKENS, generation, exchange.generation_tokens),
        (traffic.TOKENS_PER_SECOND, generation, tokens_per_second(exchange)),
    )
    for metric, labels, value in all_of_them:
        if value is not None and 0 <= value <= _LARGEST:
            yield metric, labels, value


def expected_histograms(pair: Pair) -> Iterator[Series]:
    """Histograms of a configured model, empty at first."""
    yield from ((metric, pair) for metric in _BY_MODEL)
    yield from ((metric, (*pair, source)) for metric, source in product(_BY_SOURCE, SOURCES))


def tokens_per_second(exchange: Exchange) -> float | None:
    """(tokens - 1) / (duration - time to first token) of one answer that was streamed to its end.

    None where it can't be told: not streamed, not ok, fewer than two tokens, or an answer that
    came as one piece. Choices of one answer (n > 1) count together.
    """
    tokens, first_seconds = exchange.generation_tokens, exchange.first_token_seconds
    if exchange.outcome != "ok" or not exchange.streamed or first_seconds is None:
        return None
    seconds = exchange.duration_seconds - first_seconds
    if tokens is None or not 1 < tokens <= _LARGEST or seconds < SHORTEST_STREAM_SECONDS:
        return None
    return (tokens - 1) / seconds


def _source(*, estimated: bool) -> str:
    return "estimate" if estimated else "usage"
