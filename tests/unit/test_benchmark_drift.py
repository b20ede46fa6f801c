"""What the benchmarks of drift judge by: run lengths, and formulas of others."""

import numpy as np
import pytest

from benchmarks.judging import run_length
from benchmarks.judging.drift_formulas import CentroidDistance, ClusterDivergence
from benchmarks.mixing import texts
from benchmarks.mixing.texts import NoTextsError

CHANGED = np.array([0.0, 0.2, 0.1, 0.6, 0.9])


@pytest.mark.parametrize(
    "threshold, expected",
    [
        pytest.param(0.5, (2.0, 0, 0), id="the delay counts from the change, with the alarm"),
        pytest.param(0.15, (float("nan"), 1, 0), id="an alarm before the change is left out"),
        pytest.param(1.0, (3.0, 0, 1), id="without an alarm the cap counts"),
    ],
)
def test_delay(threshold, expected) -> None:
    found = run_length.delay([CHANGED], threshold, change=2, cap=3)
    assert (found.median, found.early, found.censored) == pytest.approx(expected, nan_ok=True)


def test_the_threshold_is_the_least_that_keeps_to_the_run_length() -> None:
    runs = [np.random.default_rng(seed).random(500) for seed in range(30)]
    threshold = run_length.threshold_at(runs, 200.0)
    assert run_length.mean_run_length(runs, threshold) >= 200
    assert run_length.mean_run_length(runs, threshold - 1e-6) < 200


def test_formulas_rise_with_the_share_of_a_shift() -> None:
    random = np.random.default_rng(1)
    reference, other = random.normal(size=(400, 4)), random.normal(3.0, size=(400, 4))
    for test in (CentroidDistance(reference), ClusterDivergence.of(reference)):
        mixes = [np.concatenate([reference[n:], other[:n]]) for n in (0, 40, 200)]
        scores = [test.score(mix) for mix in mixes]
        assert scores == sorted(scores)


def test_a_folder_without_a_base_is_refused_with_what_it_wants(tmp_path) -> None:
    (tmp_path / "code.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(NoTextsError, match=r"wants a base_\*\.jsonl"):
        texts.prompts(tmp_path)
