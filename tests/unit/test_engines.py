"""Key values of real captures, checked by hand, and the older names that no capture has."""

from pathlib import Path

import pytest

from tidegauge.catalog import Metric
from tidegauge.catalog import inference as ours
from tidegauge.engines import RawFamily, RawSeries, detect, engine_named, translate
from tidegauge.engines.vllm import VLLM
from tidegauge.samples import Distribution
from tidegauge.sources.engine_text import parse

FIXTURES = Path(__file__).parents[1] / "fixtures" / "engines"
LLAMA = ("chat", "llamacpp", "")
TINY = ("tiny-llama", "vllm", "0")


def value(capture: str, metric: Metric, labels: tuple[str, ...]) -> float | Distribution | None:
    dialect = engine_named(capture.split("-", maxsplit=1)[0])
    samples = translate(parse((FIXTURES / capture).read_bytes()), dialect, model="chat")
    found = {(sample.metric.name, sample.labels): sample.value for sample in samples}
    return found.get((metric.name, labels))


@pytest.mark.parametrize(
    "capture, metric, labels, expected",
    [
        pytest.param(
            "llamacpp-b11434/load.prom",
            ours.PROMPT_TOKENS,
            LLAMA,
            981 + 163,
            id="llama.cpp's cached prompt tokens are counted in",
        ),
        pytest.param(
            "llamacpp-b11434/load.prom", ours.PREFIX_CACHE_HIT, LLAMA, 163, id="and as hits"
        ),
        pytest.param("llamacpp-b11434/load.prom", ours.REQUESTS_RUNNING, LLAMA, 4, id="running"),
        pytest.param("llamacpp-b11434/load.prom", ours.REQUESTS_WAITING, LLAMA, 4, id="waiting"),
        pytest.param(
            "llamacpp-b11434/after.prom", ours.GENERATION_TOKENS, LLAMA, 9653, id="generated"
        ),
        pytest.param(
            "llamacpp-b11434/after.prom", ours.GENERATION_SECONDS, LLAMA, 72.3492, id="seconds"
        ),
        pytest.param(
            "llamacpp-b11434/idle.prom", ours.REQUESTS_RUNNING, LLAMA, 0, id="a zero is a zero"
        ),
        pytest.param(
            "llamacpp-b11434/load.prom", ours.KV_CACHE_USAGE, LLAMA, None, id="not said, not zero"
        ),
        pytest.param(
            "vllm-0.32/queue-preempt-spec-load.prom",
            ours.REQUESTS_WAITING,
            TINY,
            8,
            id="vLLM waiting",
        ),
        pytest.param(
            "vllm-0.32/queue-preempt-spec-load.prom",
            ours.KV_CACHE_USAGE,
            TINY,
            0.5333333333333333,
            id="vLLM KV cache, a share in spite of its name",
        ),
        pytest.param(
            "vllm-0.32/queue-preempt-spec-load.prom",
            ours.REQUESTS_FINISHED,
            (*TINY, "stop"),
            1,
            id="vLLM finished by reason",
        ),
        pytest.param(
            "vllm-0.32/queue-preempt-spec-load.prom", ours.SPEC_DECODE_DRAFT, TINY, 3, id="drafts"
        ),
        pytest.param(
            "vllm-0.32/queue-preempt-spec-load.prom",
            ours.PROMPT_SECONDS,
            TINY,
            2.498905630000081,
            id="vLLM prefill seconds, the sum of a histogram",
        ),
    ],
)
def test_a_capture_says(
    capture: str, metric: Metric, labels: tuple[str, ...], expected: float | None
) -> None:
    assert value(capture, metric, labels) == expected


def test_a_histogram_keeps_the_engines_buckets() -> None:
    gaps = value("vllm-0.32/queue-preempt-spec-load.prom", ours.INTER_TOKEN_LATENCY, TINY)
    assert isinstance(gaps, Distribution)
    assert gaps.count == 720
    assert gaps.sum == pytest.approx(6.988377310999567)
    assert [bound for bound, _ in gaps.buckets][:3] == [0.01, 0.025, 0.05]


def old_vllm(*rows: RawSeries) -> dict[str, float | Distribution]:
    samples = translate((RawFamily("x", rows),), VLLM, model="m")
    return {sample.metric.name: sample.value for sample in samples}


def histogram(name: str, count: float) -> tuple[RawSeries, ...]:
    return (
        RawSeries(f"{name}_bucket", count, (("le", "+Inf"),)),
        RawSeries(f"{name}_sum", count),
    )


def test_vllm_0_8_is_read_by_its_old_names() -> None:
    found = old_vllm(
        RawSeries("vllm:gpu_cache_usage_perc", 0.25),
        RawSeries("vllm:gpu_prefix_cache_queries_total", 10),
        RawSeries("vllm:gpu_prefix_cache_hits_total", 4),
        *histogram("vllm:time_per_output_token_seconds", 7),
        *histogram("vllm:time_in_queue_requests", 3),
    )
    assert found[ours.KV_CACHE_USAGE.name] == 0.25
    assert found[ours.PREFIX_CACHE_QUERIED.name] == 10
    assert found[ours.PREFIX_CACHE_HIT.name] == 4
    assert found[ours.INTER_TOKEN_LATENCY.name] == Distribution(((float("inf"), 7),), 7)
    assert found[ours.QUEUE_DURATION.name] == Distribution(((float("inf"), 3),), 3)


def test_vllm_0_10_which_has_both_names_is_not_counted_twice() -> None:
    found = old_vllm(
        RawSeries("vllm:gpu_cache_usage_perc", 0.25),
        RawSeries("vllm:kv_cache_usage_perc", 0.25),
        RawSeries("vllm:gpu_prefix_cache_hits_total", 4),
        RawSeries("vllm:prefix_cache_hits_total", 4),
        *histogram("vllm:time_per_output_token_seconds", 7),
        *histogram("vllm:inter_token_latency_seconds", 7),
    )
    assert found[ours.KV_CACHE_USAGE.name] == 0.25
    assert found[ours.PREFIX_CACHE_HIT.name] == 4
    assert found[ours.INTER_TOKEN_LATENCY.name] == Distribution(((float("inf"), 7),), 7)


def test_rows_of_creation_times_are_never_read() -> None:
    assert old_vllm(RawSeries("vllm:prompt_tokens_created", 1.7e9)) == {}


def test_an_engine_that_nobody_knows_is_not_guessed() -> None:
    assert detect(["vllm:num_requests_running", "vllm:current_qps"]) is None
    assert detect([]) is None


def test_a_wrong_engine_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(ValueError, match="engine 'vlm': not one of llamacpp, vllm"):
        engine_named("vlm")
