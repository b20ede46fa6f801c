"""Others' rules, emulated, against bands worked out by hand; and whose figures are the goals."""

import numpy as np
import pytest

from benchmarks.judging.bars import bars
from benchmarks.judging.corpus import Series
from benchmarks.judging.emulated import RULES, adaptive, robust, z_score
from benchmarks.judging.windows import before, median, spread

STEP = 300.0
HOUR, DAY = 3600.0, 86400.0


def series(values: list[float], *, windows: int = 0) -> Series:
    times = 1_400_000_000 + np.arange(len(values)) * STEP
    return Series("a.csv", times, np.array(values), ((0, 1),) * windows)


def test_a_window_holds_what_came_after_its_begin_and_until_its_end() -> None:
    times = np.arange(5) * STEP
    values = np.array([1.0, 2.0, np.nan, 4.0, 9.0])
    two = spread(times, values, 2 * STEP)
    assert two.count.tolist() == [1, 2, 1, 1, 2]
    assert two.mean == pytest.approx([1, 1.5, 2, 4, 6.5])
    assert two.deviation == pytest.approx([0, 0.5, 0, 0, 2.5])
    ago = spread(times, values, 2 * STEP, ago=2 * STEP)
    assert ago.mean[2:] == pytest.approx([1, 1.5, 2])
    assert np.isnan(ago.mean[:2]).all()
    assert median(times, values, 3 * STEP) == pytest.approx([1, 1.5, 1.5, 3, 6.5])
    assert before(times, values, 1.5 * STEP)[2:4].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("rule", [adaptive, robust])
def test_around_a_constant_the_band_is_half_of_it(rule) -> None:
    ruled = rule(series([10.0] * 600))
    assert not ruled.fires.any()
    assert ruled.scores == pytest.approx(np.zeros(600))


def test_the_adaptive_band_by_hand() -> None:
    # The last hour holds eleven times 10 and one 22: its mean is 11, half of it 5.5, and its
    # deviation 3.3, which is no half of the mean. So the band ends at 16.5, and 22 is twice as far.
    ruled = adaptive(series([10.0] * 400 + [22.0, 22.0] + [10.0] * 5))
    assert ruled.scores[400] == pytest.approx((22 - 11) / 5.5)
    assert ruled.fires.nonzero()[0].tolist() == [401]  # outside for 5 minutes


def test_a_value_that_is_not_above_0_is_none_for_grafanas_rules() -> None:
    assert not adaptive(series([10.0] * 400 + [0.0] * 3)).fires.any()


def test_the_z_score_is_of_the_values_before() -> None:
    values = [9.0, 11.0] * 200
    ruled = z_score(DAY)(series([*values, 13.0]))  # mean 10, deviation 1
    assert ruled.scores[400] == pytest.approx(1.0)
    assert ruled.fires.nonzero()[0].tolist() == [400]
    assert not z_score(DAY)(series([5.0] * 400)).fires.any()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_short_series_with_a_gap_is_judged(rule) -> None:
    found = rule(Series("a.csv", np.array([0.0, STEP, 9 * DAY]), np.array([1.0, -1.0, 2.0]), ()))
    assert np.isfinite(found.scores).all()
    assert len(found.fires) == 3


@pytest.mark.parametrize(
    "files, windows, said, standard, low_fp",
    [
        pytest.param(58, 116, "the whole corpus", 74.9, 67.0, id="the whole corpus"),
        pytest.param(29, 60, "a half", 73.2, 69.9, id="a half"),
        # ARTime: (116 x 74.9 - 60 x 73.2) / 56, (116 x 65.1 - 60 x 64.4) / 56.
        pytest.param(29, 56, "worked out", 76.7, 65.8, id="the other half"),
        pytest.param(3, 5, "3 files", 74.9, 67.0, id="any other"),
    ],
)
def test_the_bar_is_the_best_published_on_those_files(
    files: int, windows: int, said: str, standard: float, low_fp: float
) -> None:
    each = [windows // files + (at < windows % files) for at in range(files)]
    bar = bars([series([1.0, 2.0], windows=count) for count in each])
    assert said in bar.files
    assert (bar.best("standard"), bar.best("low_fp")) == (standard, low_fp)
