"""Key values of captures, checked by hand; detection; and names that nobody knows."""

from pathlib import Path

import pytest

from tidegauge.catalog import Metric
from tidegauge.catalog import inference as ours
from tidegauge.engines import (
    RawFamily,
    RawSeries,
    detect,
    engine_named,
    translate,
    unmapped,
)
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
        pytest.param(
            "llamacpp-b11434/load.prom",
            ours.PREFIX_CACHE_QUERIED,
            LLAMA,
            981 + 163,
            id="of all that were looked up",
        ),
        pytest.param(
            "llamacpp-b4000/kv.prom",
            ours.PREFIX_CACHE_QUERIED,
            LLAMA,
            None,
            id="where hits are not counted, neither is what was looked up",
        ),
        pytest.param(
            "lmdeploy-0.18/own-logger.prom",
            ours.PREFIX_CACHE_QUERIED,
            ("internlm/demo", "lmdeploy", "0"),
            128,
            id="LMDeploy looks every prompt token up",
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
        pytest.param(
            "vllm-0.8.5/v0.prom",
            ours.REQUESTS_PAUSED,
            ("tiny", "vllm", ""),
            2,
            id="vLLM V0 swapped requests out",
        ),
        pytest.param(
            "vllm-0.10/v1.prom",
            ours.KV_CACHE_USAGE,
            ("tiny", "vllm", "0"),
            0.25,
            id="vLLM 0.10 has the share under two names, and counts once",
        ),
        pytest.param(
            "vllm-0.10/v1.prom",
            ours.PREFIX_CACHE_HIT,
            ("tiny", "vllm", "0"),
            512,
            id="and the hits",
        ),
        pytest.param(
            "vllm-0.10/v1.prom",
            ours.REQUEST_ERRORS,
            ("tiny", "vllm", "", "4xx"),
            5,
            id="vLLM's HTTP rows name no model: it is the one that others name",
        ),
        pytest.param(
            "vllm-0.8.5/v1.prom",
            ours.LORA_ADAPTER,
            ("tiny", "vllm", "", "law", "waiting"),
            1,
            id="of vLLM's LoRA rows the newest",
        ),
        pytest.param(
            "vllm-0.8.5/v1.prom",
            ours.LORA_ADAPTER,
            ("tiny", "vllm", "", "law", "running"),
            None,
            id="and no stale one",
        ),
        pytest.param(
            "sglang-0.5.23/load.prom",
            ours.PROMPT_TOKENS,
            ("tiny-llama-hf", "sglang", ""),
            1853,
            id="SGLang's tokens, as its client counted",
        ),
        pytest.param(
            "sglang-0.5.23/load.prom",
            ours.SPEC_DECODE_ACCEPTANCE,
            ("tiny-llama-hf", "sglang", ""),
            None,
            id="SGLang's 0 for no speculation is no share",
        ),
        pytest.param(
            "sglang-0.5/ranks.prom",
            ours.REQUESTS_WAITING,
            ("tiny", "sglang", "0"),
            5,
            id="SGLang's queue of a rank, neither copies nor priorities added up",
        ),
        pytest.param(
            "triton-24/load.prom",
            ours.QUEUE_SECONDS,
            ("tensorrt_llm", "triton", ""),
            pytest.approx(0.00125),
            id="Triton's microseconds",
        ),
        pytest.param(
            "trtllm-1/synthetic.prom",
            ours.PREFIX_CACHE_HIT,
            ("nemotron-nano-3", "trtllm", ""),
            5 * 64,
            id="trtllm-serve's blocks as tokens",
        ),
        pytest.param(
            "tgi-2/load.prom",
            ours.REQUESTS_FINISHED,
            ("chat", "tgi", "", "unknown"),
            109,
            id="TGI's counter without _total",
        ),
        pytest.param(
            "lmdeploy-0.18/own-logger.prom",
            ours.REQUESTS_WAITING,
            ("internlm/demo", "lmdeploy", "0"),
            1 + 1,
            id="LMDeploy's two queues",
        ),
        pytest.param(
            "lmdeploy-0.9/synthetic.prom",
            ours.REQUESTS_WAITING,
            ("internlm/demo", "lmdeploy", "1"),
            3,
            id="LMDeploy's one queue of old",
        ),
        pytest.param(
            "llamacpp-b4000/kv.prom",
            ours.PROMPT_TOKENS,
            LLAMA,
            512,
            id="llama.cpp that says nothing of cached tokens: what it computed",
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


def released() -> dict[str, tuple[RawFamily, ...]]:
    """Families of vLLM by release and generation of the engine, from tests/fixtures/engines."""
    head, *lines = (FIXTURES / "vllm-names.txt").read_text().splitlines()
    versions = head.split()[1:]
    found: dict[str, tuple[RawFamily, ...]] = {}
    for line in lines:
        name, *where = line.split()
        for version, generations in zip(versions, where, strict=True):
            for generation in ("V0", "V1"):
                if generation in generations:
                    key = f"{version} {generation}"
                    found[key] = (*found.get(key, ()), RawFamily(name, ()))
    return found


@pytest.mark.parametrize("release, families", released().items(), ids=released())
def test_no_name_of_a_release_of_vllm_is_unknown(
    release: str, families: tuple[RawFamily, ...]
) -> None:
    assert len(families) > 20
    assert unmapped(families, VLLM) == ()


@pytest.mark.parametrize(
    "name",
    [
        "vllm:num_requests_swapped_out",
        "vllm:kv_cache_usage",
        "vllm:ttft_seconds",
        "vllm:prompt_tokens_v2_total",
    ],
)
def test_a_name_that_no_release_has_is_reported(name: str) -> None:
    families = (RawFamily(name, ()), RawFamily("vllm:prompt_tokens_total", ()))
    assert unmapped((*families, RawFamily("python_info", ())), VLLM) == (name,)


@pytest.mark.parametrize(
    "family",
    [
        "vllm:prompt_tokens",
        "vllm:prompt_tokens_total",
        "vllm:prompt_tokens_created",
        "vllm:iteration_tokens_total_created",
        "vllm:time_to_first_token_seconds_bucket",
    ],
)
def test_a_known_family_is_known_however_its_name_ends(family: str) -> None:
    assert unmapped((RawFamily(family, ()),), VLLM) == ()


def test_rows_of_creation_times_are_never_read() -> None:
    rows = (RawSeries("vllm:prompt_tokens_created", 1.7e9),)
    assert translate((RawFamily("x", rows),), VLLM, model="m") == ()


@pytest.mark.parametrize(
    "names, expected",
    [
        pytest.param([], None, id="nothing"),
        pytest.param(["python_info", "http_requests_total"], None, id="anybody's names"),
        pytest.param(
            ["vllm:num_requests_running", "vllm:current_qps"], None, id="vLLM's router is no vLLM"
        ),
        pytest.param(
            ["vllm:num_requests_running", "vllm:generation_tokens_total", "vllm:current_qps"],
            None,
            id="not even with all of the fingerprint",
        ),
        pytest.param(["vllm:requests_now", "vllm:prompt_tokens_total"], "vllm", id="by prefix"),
        pytest.param(
            ["vllm:prompt_tokens_total", "nv_inference_count_total", "nv_gpu_utilization"],
            "triton",
            id="by the prefix that most names have",
        ),
        pytest.param(
            ["ray_vllm_num_requests_running", "ray_node_cpu_count"], "ray", id="Ray's new spelling"
        ),
        pytest.param(["sgl_router_requests_total"], None, id="SGLang's router"),
        pytest.param(["litellm_requests_metric_total"], None, id="a gateway"),
        pytest.param(["num_requests_running"], "nim", id="NIM's names need no prefix"),
    ],
)
def test_detection(names: list[str], expected: str | None) -> None:
    found = detect(names)
    assert (found.name if found else None) == expected


def test_both_spellings_of_ray_are_read() -> None:
    for name in ("ray_vllm:num_requests_running", "ray_vllm_num_requests_running"):
        rows = tuple(
            RawSeries(name, 2, (("WorkerId", worker), ("model_name", "m"))) for worker in "ab"
        )
        (sample,) = translate((RawFamily(name, rows),), engine_named("ray"), model="")
        assert (sample.metric, sample.value, sample.labels[0]) == (ours.REQUESTS_RUNNING, 4, "m")


def test_ray_s_gauge_beside_each_counter_is_not_counted_again() -> None:
    rows = (
        RawSeries("ray_vllm_prompt_tokens", 5),
        RawSeries("ray_vllm_prompt_tokens_total", 5),
    )
    families = (RawFamily("ray_vllm_prompt_tokens", rows),)
    (sample,) = translate(families, engine_named("ray"), model="m")
    assert sample.value == 5
    assert unmapped(families, engine_named("ray")) == ()


def test_waiting_requests_are_the_sum_of_their_reasons_where_only_those_are_told() -> None:
    rows = tuple(
        RawSeries("vllm:num_requests_waiting_by_reason", n, (("reason", reason),))
        for n, reason in ((8, "capacity"), (2, "deferred"))
    )
    (sample,) = translate((RawFamily("x", rows),), VLLM, model="m")
    assert (sample.metric, sample.value) == (ours.REQUESTS_WAITING, 10)


def test_a_wrong_engine_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(ValueError, match=r"engine 'vlm': not one of llamacpp, lmdeploy, .*, vllm"):
        engine_named("vlm")


def test_metrics_are_looked_for_where_each_engine_has_them() -> None:
    assert engine_named("nim").paths[0] == "/v1/metrics"
    assert engine_named("trtllm").paths == ("/prometheus/metrics",)
    assert engine_named("vllm").paths == ("/metrics",)
