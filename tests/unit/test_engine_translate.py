"""Raw rows to samples: what each field of a rule does, and what is dropped."""

import math

import pytest

from tidegauge.catalog import inference as ours
from tidegauge.engines import Dialect, RawFamily, RawSeries, Rule, translate
from tidegauge.samples import Distribution, Sample

Labels = tuple[tuple[str, str], ...]


def row(name: str, value: float, **labels: str) -> RawSeries:
    return RawSeries(name, value, tuple(labels.items()))


def through(rule: Rule, *rows: RawSeries) -> dict[tuple[str, ...], float | Distribution]:
    """Label values to value, for one rule of an engine that labels model, rank and copies."""
    dialect = Dialect(
        "e", ("x",), (rule,), model_label="model_name", rank_label="dp", copies=("tp", "pid")
    )
    samples = translate((RawFamily("x", rows),), dialect, model="configured")
    return {sample.labels: sample.value for sample in samples}


PLAIN = ("configured", "e", "")
GAUGE = Rule(("x",), ours.REQUESTS_RUNNING)
COUNTER = Rule(("x_total",), ours.PROMPT_TOKENS)
SUM = Rule(("a_total", "b_total"), ours.PROMPT_TOKENS, combine="sum")
FIRST = Rule(("new", "old"), ours.REQUESTS_RUNNING)
ERRORS = Rule(
    ("x_total",),
    ours.REQUEST_ERRORS,
    labels=(("code", "class"),),
    values=(("4*", "4xx"), ("599", "timeout"), ("5*", "5xx"), ("2*", None), ("", "none")),
)
LORA = Rule(
    ("x",),
    ours.LORA_ADAPTER,
    labels=(("running", "adapter"),),
    constant=(("state", "running"),),
    split="running",
    pick="newest",
)
CONFIG = Rule(("x",), ours.KV_CACHE_CAPACITY_TOKENS, value_of=("blocks", "size"))
BLOCKS = Rule(("x_total",), ours.PREFIX_CACHE_HIT, times="size")
RATIO = Rule(("x",), ours.KV_CACHE_USAGE, absent=9.0)
MILLISECONDS = Rule(("x_ms",), ours.REQUEST_DURATION, scale=0.001)


@pytest.mark.parametrize(
    "rule, rows, expected",
    [
        pytest.param(GAUGE, [row("x", 3)], {PLAIN: 3}, id="a plain row, the model as configured"),
        pytest.param(GAUGE, [row("y", 3)], {}, id="a missing row gives no sample"),
        pytest.param(
            GAUGE,
            [row("x", 3, model_name="m", dp="1")],
            {("m", "e", "1"): 3},
            id="the engine's own model and rank are kept",
        ),
        pytest.param(
            GAUGE,
            [row("x", 3, dp="0"), row("x", 4, dp="1")],
            {("configured", "e", "0"): 3, ("configured", "e", "1"): 4},
            id="ranks are not added up",
        ),
        pytest.param(
            COUNTER,
            [row("x_total", 3, stream="y"), row("x_total", 4, stream="n")],
            {PLAIN: 7},
            id="rows that differ in a dropped label are added up",
        ),
        pytest.param(
            RATIO, [row("x", 0.5, a="0"), row("x", 0.4, a="1")], {PLAIN: 0.5}, id="shares are not"
        ),
        pytest.param(
            GAUGE,
            [row("x", 1, a="0"), row("x", math.nan, a="1")],
            {},
            id="one unknown row makes the whole unknown",
        ),
        pytest.param(GAUGE, [row("x", math.nan)], {}, id="NaN is no value"),
        pytest.param(RATIO, [row("x", 0.5), row("x", math.nan, a="1")], {}, id="nor in a share"),
        pytest.param(GAUGE, [row("x", math.inf)], {}, id="infinity is no value"),
        pytest.param(GAUGE, [row("x", -2)], {}, id="nothing we count is below zero"),
        pytest.param(
            RATIO, [row("x", 0.5), row("x", -1, a="1")], {}, id="one part unknown, all unknown"
        ),
        pytest.param(COUNTER, [row("x_total", -2)], {}, id="nor how often something happened"),
        pytest.param(RATIO, [row("x", 9)], {}, id="the engine's word for unknown is no value"),
        pytest.param(RATIO, [row("x", 0)], {PLAIN: 0}, id="a zero that was said is a zero"),
        pytest.param(
            SUM, [row("a_total", 1), row("b_total", 2)], {PLAIN: 3}, id="a sum of two names"
        ),
        pytest.param(SUM, [row("a_total", 1)], {}, id="half a sum is no sum"),
        pytest.param(
            SUM, [row("a_total", 1), row("b_total", math.nan)], {}, id="nor is a sum with NaN"
        ),
        pytest.param(FIRST, [row("new", 1), row("old", 9)], {PLAIN: 1}, id="the new name wins"),
        pytest.param(FIRST, [row("old", 9)], {PLAIN: 9}, id="the old name, where it is alone"),
        pytest.param(
            FIRST, [row("new", math.nan), row("old", 9)], {PLAIN: 9}, id="or the new one unknown"
        ),
        pytest.param(
            FIRST,
            [
                row("new", 1, model_name="m"),
                row("old", 9, model_name="m"),
                row("old", 5, model_name="n"),
            ],
            {("m", "e", ""): 1, ("n", "e", ""): 5},
            id="the old name where that series has it alone: two releases at one endpoint",
        ),
        pytest.param(
            Rule(("x",), ours.REQUESTS_WAITING, match=(("type", "waiting"),)),
            [row("x", 5, type="waiting"), row("x", 6, type="active"), row("x", 7)],
            {PLAIN: 5},
            id="only rows whose raw label matches",
        ),
        pytest.param(
            Rule(("x_total",), ours.REQUESTS_FINISHED, labels=(("why", "reason"),)),
            [row("x_total", 1, why="stop"), row("x_total", 2, why="length"), row("x_total", 4)],
            {(*PLAIN, "stop"): 1, (*PLAIN, "length"): 2, (*PLAIN, ""): 4},
            id="raw labels under our names",
        ),
        pytest.param(
            Rule(("x_ms",), ours.PROMPT_SECONDS, part="sum", scale=0.001),
            [row("x_ms_sum", 1500), row("x_ms_count", 2)],
            {PLAIN: 1.5},
            id="the sum of a histogram, scaled",
        ),
        pytest.param(
            Rule(("x",), ours.PROMPT_TOKENS, part="count"),
            [row("x_sum", 1500), row("x_count", 2)],
            {PLAIN: 2},
            id="the count of a histogram",
        ),
        pytest.param(
            GAUGE,
            [row("x", 4, tp="0", pid="1"), row("x", 4, tp="1", pid="2"), row("x", 3, tp="2")],
            {PLAIN: 4},
            id="copies of one fact count once, the largest",
        ),
        pytest.param(
            COUNTER,
            [
                row("x_total", n, tp=tp, s=s)
                for n, tp, s in ((4, "0", "y"), (3, "1", "y"), (2, "0", "n"))
            ],
            {PLAIN: 6},
            id="copies are told from parts, which add up",
        ),
        pytest.param(
            GAUGE,
            [row("x", math.nan, tp="0"), row("x", 4, tp="1")],
            {PLAIN: 4},
            id="a copy that does not know is helped by one that does",
        ),
        pytest.param(
            GAUGE,
            [row("x", 4, tp="0", dp="0"), row("x", 4, tp="1", dp="0"), row("x", 5, tp="2", dp="1")],
            {("configured", "e", "0"): 4, ("configured", "e", "1"): 5},
            id="copies of each rank",
        ),
        pytest.param(
            Rule(("x",), ours.REQUESTS_WAITING, match=(("priority", ""),)),
            [row("x", 6, priority=""), row("x", 4, priority="0"), row("x", 2, priority="1")],
            {PLAIN: 6},
            id="an empty match keeps rows without that label, here the total",
        ),
        pytest.param(
            Rule(("x",), ours.REQUESTS_WAITING, match=(("priority", ""),)),
            [row("x", 6)],
            {PLAIN: 6},
            id="and a row that never had it",
        ),
        pytest.param(
            ERRORS,
            [row("x_total", n, code=code) for n, code in ((1, "400"), (2, "404"), (4, "503"))]
            + [row("x_total", 8, code="599"), row("x_total", 16, code="200")]
            + [row("x_total", 32), row("x_total", 64, code="odd")],
            {
                (*PLAIN, "4xx"): 3,
                (*PLAIN, "5xx"): 4,
                (*PLAIN, "timeout"): 8,
                (*PLAIN, "none"): 32,
                (*PLAIN, "odd"): 64,
            },
            id="label values are renamed by the first pattern that fits, or left out",
        ),
        pytest.param(
            ERRORS,
            [row("x_total", 3, code="200", model_name="m"), row("x_total", 1, code="500", dp="1")],
            {("m", "e", "", name): 0 for name in ("4xx", "5xx", "timeout")}
            | {("m", "e", "1", "4xx"): 0, ("m", "e", "1", "5xx"): 1, ("m", "e", "1", "timeout"): 0},
            id="errors that did not happen are zeros, so that the first is a rise",
        ),
        pytest.param(ERRORS, [], {}, id="where nothing was counted, nothing is known of errors"),
        pytest.param(
            Rule(("x_total",), ours.REQUEST_ERRORS, constant=(("class", "rejected"),)),
            [row("x_total", 3, why="full"), row("x_total", 4, why="big")],
            {(*PLAIN, "rejected"): 7},
            id="a label that the engine does not have is filled",
        ),
        pytest.param(
            LORA,
            [
                row("x", 1.7e9, running="old"),
                row("x", 1.9e9, running="sql, chat,,sql"),
                row("x", 1.8e9, running="middle"),
                row("x", math.nan, running="nan"),
            ],
            {(*PLAIN, "sql", "running"): 1, (*PLAIN, "chat", "running"): 1},
            id="of rows that are times the newest, and each item of its list",
        ),
        pytest.param(LORA, [row("x", 1.7e9, running="")], {}, id="an empty list has no items"),
        pytest.param(
            CONFIG,
            [row("x", 1, blocks="1024", size="16")],
            {PLAIN: 16384},
            id="a value in labels, as their product",
        ),
        pytest.param(CONFIG, [row("x", 1, blocks="None", size="16")], {}, id="None is no number"),
        pytest.param(CONFIG, [row("x", 1, size="16")], {}, id="nor is a label that is not there"),
        pytest.param(
            BLOCKS,
            [
                row("x_total", 3, dp="0"),
                row("x_total", 4, dp="1"),
                row("size", 16, dp="0"),
                row("size", 32, dp="1"),
            ],
            {("configured", "e", "0"): 48, ("configured", "e", "1"): 128},
            id="times a row of the same rank",
        ),
        pytest.param(BLOCKS, [row("x_total", 3)], {}, id="times what is not there is unknown"),
        pytest.param(
            Rule(("x",), ours.KV_CACHE_BLOCK_TOKENS, join="max"),
            [row("x", 16, worker="a"), row("x", 16, worker="b")],
            {PLAIN: 16},
            id="sizes of two workers don't add up",
        ),
        pytest.param(
            Rule(("x_us_total",), ours.QUEUE_SECONDS, scale=1e-6),
            [row("x_us_total", 1_500_000)],
            {PLAIN: 1.5},
            id="microseconds to seconds",
        ),
        pytest.param(
            Rule(("x_percent",), ours.KV_CACHE_USAGE, scale=0.01),
            [row("x_percent", 42.0)],
            {PLAIN: 0.42},
            id="percent to a share",
        ),
        pytest.param(
            GAUGE, [row("x", float("1.15891634176e+011"))], {PLAIN: 115891634176}, id="1.15e+011"
        ),
        pytest.param(
            MILLISECONDS,
            [
                row("x_ms_bucket", 1, le="350"),
                row("x_ms_bucket", 2, le="700"),
                row("x_ms_bucket", 2, le="+Inf"),
                row("x_ms_sum", 700),
            ],
            {PLAIN: Distribution(((0.35, 1), (0.7, 2), (math.inf, 2)), 0.7)},
            id="a bound has the digits that one would write",
        ),
        pytest.param(
            MILLISECONDS,
            [
                row("x_ms_bucket", 2, le="500", tp="0"),
                row("x_ms_bucket", 3, le="+Inf", tp="0"),
                row("x_ms_sum", 900, tp="0"),
                row("x_ms_bucket", 2, tp="1", le="500"),
                row("x_ms_bucket", 4, tp="1", le="+Inf"),
                row("x_ms_sum", 1600, tp="1"),
            ],
            {PLAIN: Distribution(((0.5, 2), (math.inf, 4)), 1.6)},
            id="of copies of a histogram the one that has seen more",
        ),
        pytest.param(
            MILLISECONDS,
            [
                row("x_ms_bucket", 2, le="500", s="y"),
                row("x_ms_bucket", 5, s="n", le="500"),
                row("x_ms_bucket", 5, s="n", le="+Inf"),
                row("x_ms_bucket", 3, le="+Inf", s="y"),
                row("x_ms_sum", 100, s="n"),
                row("x_ms_sum", 900, s="y"),
            ],
            {PLAIN: Distribution(((0.5, 7), (math.inf, 8)), 1.0)},
            id="histograms whose rows come in any order",
        ),
        pytest.param(
            Rule(("x_ms",), ours.PREFILL_DURATION, match=(("stage", "prefill"),)),
            [
                row("x_ms_bucket", 3, le="+Inf", stage="prefill"),
                row("x_ms_sum", 3, stage="prefill"),
                row("x_ms_bucket", 9, le="+Inf", stage="decode"),
                row("x_ms_sum", 9, stage="decode"),
            ],
            {PLAIN: Distribution(((math.inf, 3),), 3)},
            id="the histogram of one label value",
        ),
        pytest.param(
            MILLISECONDS,
            [
                row("x_ms_bucket", 3, le="+Inf"),
                row("x_ms_bucket", 2, le="500"),
                row("x_ms_sum", 900),
            ],
            {PLAIN: Distribution(((0.5, 2), (math.inf, 3)), 0.9)},
            id="a histogram with its own buckets, bounds and sum scaled",
        ),
        pytest.param(
            MILLISECONDS,
            [
                row("x_ms_bucket", 2, le="500", t="0"),
                row("x_ms_bucket", 3, le="+Inf", t="0"),
                row("x_ms_sum", 900, t="0"),
                row("x_ms_bucket", 5, t="1", le="500"),
                row("x_ms_bucket", 5, t="1", le="+Inf"),
                row("x_ms_sum", 100, t="1"),
            ],
            {PLAIN: Distribution(((0.5, 7), (math.inf, 8)), 1.0)},
            id="histograms that differ in a dropped label are added up",
        ),
    ],
)
def test_a_rule_gives(
    rule: Rule, rows: list[RawSeries], expected: dict[tuple[str, ...], float | Distribution]
) -> None:
    found = through(rule, *rows)
    assert found.keys() == expected.keys()
    for labels, value in expected.items():
        assert found[labels] == (value if isinstance(value, Distribution) else pytest.approx(value))


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([row("x_ms_bucket", 2, le="500"), row("x_ms_sum", 9)], id="no last bucket"),
        pytest.param([row("x_ms_bucket", 2, le="+Inf")], id="no sum"),
        pytest.param([row("x_ms_bucket", 2, le="+Inf"), row("x_ms_sum", math.nan)], id="a NaN sum"),
        pytest.param(
            [
                row("x_ms_bucket", 4, le="500"),
                row("x_ms_bucket", 3, le="+Inf"),
                row("x_ms_sum", 9),
            ],
            id="counts that fall",
        ),
        pytest.param(
            [
                row("x_ms_bucket", 4, le="half"),
                row("x_ms_bucket", 4, le="+Inf"),
                row("x_ms_sum", 9),
            ],
            id="a bound that is no number",
        ),
        pytest.param(
            [
                row("x_ms_bucket", 1, le="500", t="0"),
                row("x_ms_bucket", 1, le="+Inf", t="0"),
                row("x_ms_sum", 1, t="0"),
                row("x_ms_bucket", 1, le="+Inf", t="1"),
                row("x_ms_sum", 1, t="1"),
            ],
            id="bounds that differ between rows to be added up",
        ),
    ],
)
def test_rows_that_make_no_histogram_give_no_sample(rows: list[RawSeries]) -> None:
    assert through(MILLISECONDS, *rows) == {}


@pytest.mark.parametrize(
    "named, expected",
    [
        pytest.param(["m"], "m", id="the one model that other rows name"),
        pytest.param(["m", "n"], "configured", id="as configured where they name two"),
        pytest.param([""], "configured", id="as configured where they name none"),
    ],
)
def test_a_row_without_a_model_is_of(named: list[str], expected: str) -> None:
    rules = (GAUGE, Rule(("http_total",), ours.PROMPT_TOKENS))
    dialect = Dialect("e", ("x",), rules, model_label="model_name")
    rows = (*(row("x", 1, model_name=name) for name in named), row("http_total", 5))
    samples = translate((RawFamily("x", rows),), dialect, model="configured")
    assert [s.labels[0] for s in samples if s.metric is ours.PROMPT_TOKENS] == [expected]


def test_a_series_that_two_rules_give_is_the_earlier_rules() -> None:
    rules = (Rule(("x",), ours.REQUESTS_RUNNING), Rule(("y",), ours.REQUESTS_RUNNING))
    rows = (row("y", 2), row("x", 1))
    samples = translate((RawFamily("x", rows),), Dialect("e", ("x",), rules), model="m")
    assert samples == (Sample(ours.REQUESTS_RUNNING, 1, ("m", "e", "")),)
