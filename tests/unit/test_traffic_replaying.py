"""What benchmarks/drift_traffic.py is made of: files read, days stitched, swaps, fixed cut-offs."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.replaying import cutoffs, traces
from benchmarks.replaying.counted import Counted, Requests, requests
from benchmarks.replaying.days import DAY_TICKS, Days
from benchmarks.replaying.runs import Run, Trial, swapped
from benchmarks.replaying.tally import Case
from tidegauge.drift.cells import CHANNELS

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n"


def azure(count: int) -> str:
    rows = (f"2023-11-16 18:{n // 60:02}:{n % 60:02}.6805900,{n},44\n" for n in range(count))
    return AZURE + "".join(rows)


def few(ticks: list[int], cell: int = 1) -> Requests:
    cells = np.full(len(ticks), cell)
    return Requests(np.array(ticks), cells, cells)


def test_a_trace_is_csv_whatever_its_file_is_called(tmp_path: Path) -> None:
    (tmp_path / "trace.jsonl").write_text(azure(1200))
    read = traces.read(tmp_path / "trace.jsonl")
    assert (len(read), read.times[1], read.prompts[1], read.answers[1]) == (1200, 1.0, 1.0, 44.0)


def test_a_trace_is_json_lines_and_put_in_order(tmp_path: Path) -> None:
    rows = [{"timestamp": n * 1000, "input_length": n, "output_length": 2} for n in range(1200)]
    text = "\n".join(json.dumps(row) for row in reversed(rows))
    (tmp_path / "trace.csv").write_text(text)
    assert traces.read(tmp_path / "trace.csv").prompts[:3].tolist() == [0.0, 1.0, 2.0]


def test_a_stamp_may_have_a_zone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(azure(1200).replace(".6805900,", ".680590+00:00,"))
    assert traces.read(tmp_path / "a.csv").seconds == 1200.0


@pytest.mark.parametrize(
    "text, said",
    [
        pytest.param("", r"first line ''; must be TIMESTAMP", id="an empty file"),
        pytest.param("a,b\n1,2\n", r"first line 'a,b'; must be", id="another table"),
        pytest.param(
            AZURE + "2023-11-16 18:15:46,374,many\n", r"line 2: could not .* 'many'", id="a word"
        ),
        pytest.param(AZURE + "noon,374,1\n", r"line 2: Invalid isoformat .*'noon'", id="no time"),
        pytest.param(
            AZURE + "2023-11-16 18:15:46,374,-1\n", r"line 2: .* 0 or more", id="less than nothing"
        ),
        pytest.param('{"timestamp": 0}\n', r"line 1: no 'input_length'", id="no length"),
        pytest.param('{"timestamp": 0\n', r"line 1: Expecting", id="half an object"),
        pytest.param(azure(50), r"50 requests in 49 s; needed are 1000", id="too few requests"),
    ],
)
def test_what_is_no_trace_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(traces.TraceError, match=said):
        traces.read(tmp_path / "a.csv")


def test_rates_are_whole_days_relative_to_their_mean(tmp_path: Path) -> None:
    rows = [f"{at},{1 if at < 86400 else 3}" for at in range(0, 2 * 86400 + 6000, 600)]
    (tmp_path / "rates.csv").write_text("\n".join(["t_s,req_per_s", *rows]))
    assert traces.rates(tmp_path / "rates.csv").mean(axis=1).tolist() == [0.5, 1.5]


def test_half_a_day_of_rates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("t_s,req_per_s\n0,1\n600,1\n")
    with pytest.raises(traces.TraceError, match="no whole day"):
        traces.rates(tmp_path / "rates.csv")


def test_blocks_hold_the_cells_that_the_grid_gives() -> None:
    tokens = np.array([0.0, 7.0, 374.0, 2_000_000.0])
    of = requests(np.array([0.0, 1.0, 2.0, 15.0]), tokens, tokens)
    blocks = [Counted(of, 2).block(tick) for tick in range(2)]
    assert [block.requests for block in blocks] == [3, 1]
    whole = blocks[0].counts + blocks[1].counts
    for channel in CHANNELS:
        expected = np.zeros(channel.grid.cells, np.int64)
        if channel.name in {"prompt_tokens", "answer_tokens"}:
            for value in tokens.tolist():
                expected[channel.grid.cell(float(np.log1p(value)))] += 1
        assert whole[channel.place].tolist() == expected.tolist()


def test_a_sketch_holds_all_requests_of_the_reference_and_no_other() -> None:
    sketch = Counted(few([0, 0, 3, 9]), 10).sketch(9)
    assert (sketch.requests, len(list(sketch.blocks()))) == (3, 2)


def test_a_stitched_day_is_as_busy_as_its_rates() -> None:
    rng = np.random.default_rng(1)
    of = few(sorted(rng.integers(0, 360, 7200).tolist()))
    rates = np.concatenate([np.full(720, 0.5), np.full(720, 1.5)]).reshape(1, -1)
    day = Days(of, rates).day(0, rng)
    counts = np.bincount(day.ticks, minlength=DAY_TICKS)
    assert counts[:4320].mean() == pytest.approx(10, rel=0.05)
    assert counts[4320:].mean() == pytest.approx(30, rel=0.05)


def test_a_whole_swap_replaces_everything_but_the_times() -> None:
    found = swapped(few([0, 1, 1]), few([0, 5], cell=7), 1.0, np.random.default_rng(1))
    assert (found.ticks.tolist(), found.prompts.tolist()) == ([0, 1, 1], [7, 7, 7])


def test_the_index_and_the_test_say_nothing_of_equal_tokens_and_much_of_others() -> None:
    rng = np.random.default_rng(1)
    reference, same = rng.lognormal(6, 1, (5000, 2)), rng.lognormal(6, 1, (1000, 2))
    assert cutoffs.windows(reference, same) == cutoffs.Windows(2, 0, 0)
    assert cutoffs.windows(reference, 2 * same) == cutoffs.Windows(2, 2, 2)


def test_the_p_value_is_smirnovs() -> None:
    one, other = np.arange(100.0), np.arange(100.0) + 20.0
    # D = 0.2, so that lambda is √2; 2 (exp(-4) - exp(-16) + …) by hand.
    assert cutoffs.ks_p_value(one, other) == pytest.approx(0.036631, abs=1e-6)


def test_a_swap_counts_where_nothing_was_on_without_it() -> None:
    trials = (
        Trial(0.5, alarm=3, without=None, on=None),
        Trial(0.5, alarm=200, without=None, on=None),
        Trial(0.5, alarm=0, without=2, on=0),
    )
    case = Case("a case", 1.0, [Run(1, 3600, 36, trials)])
    found = case.swap(0.5, 20.0)
    assert (found.ratio, found.shown) == (0.5, 0.0)
    assert found.line() == {
        "swaps": 3,
        "quiet_without": 2,
        "detected": 0.5,
        "of_all": 0.667,
        "by_chance": 0.333,
        "net_of_chance": 0.333,
        "delay_seconds": 25.0,
    }
    assert (case.expected, case.factor, case.says) == (10.0, 10.0, True)
