"""What every drift test in the table must keep to."""

from collections.abc import Callable

import pytest

from tidegauge.drift.bins import LengthBins, Value
from tidegauge.drift.reference import ChannelReference
from tidegauge.drift.registry import DRIFT_TESTS
from tidegauge.drift.test import DriftTest
from tidegauge.drift.window import WindowLimits

LIMITS = WindowLimits(requests=100, seconds=60.0, min_requests=50)
REFERENCE = ChannelReference(
    "prompt_length", LengthBins((9, 19, 29)), (250.0, 250.0, 250.0, 250.0), 1000
)
ORDINARY: list[Value] = [(float(n % 40),) for n in range(100)]
SHIFTED: list[Value] = [(35.0,)] * 100


@pytest.fixture(params=DRIFT_TESTS)
def make(request: pytest.FixtureRequest) -> Callable[[], DriftTest]:
    return lambda: DRIFT_TESTS[request.param](REFERENCE, LIMITS)


@pytest.fixture
def drift_test(make: Callable[[], DriftTest]) -> DriftTest:
    return make()


def test_it_knows_nothing_before_enough_requests(drift_test: DriftTest) -> None:
    assert drift_test.update((), now=0).effect_size is None
    assert drift_test.update(ORDINARY[: LIMITS.min_requests - 1], now=0).effect_size is None


def test_a_verdict_states_evidence_and_what_it_is_calibrated_for(drift_test: DriftTest) -> None:
    verdict = drift_test.update(ORDINARY, now=0)
    assert verdict.evidence_requests == 100
    assert verdict.calibrated_for
    assert verdict.effect_by_chance is not None
    assert verdict.effect_by_chance > 0


def test_a_shift_has_a_larger_effect_than_none_and_than_chance(drift_test: DriftTest) -> None:
    ordinary = drift_test.update(ORDINARY, now=0).effect_size
    shifted = drift_test.update(SHIFTED, now=1)
    assert ordinary is not None
    assert shifted.effect_size is not None
    assert shifted.effect_by_chance is not None
    assert shifted.effect_size > max(10 * ordinary, 10 * shifted.effect_by_chance)


def test_it_recovers_when_the_shift_ends(drift_test: DriftTest) -> None:
    ordinary = drift_test.update(ORDINARY, now=0).effect_size
    drift_test.update(SHIFTED, now=1)
    assert drift_test.update(ORDINARY, now=2).effect_size == pytest.approx(ordinary)


def test_an_empty_batch_changes_nothing_but_age(drift_test: DriftTest) -> None:
    before = drift_test.update(ORDINARY, now=0)
    assert drift_test.update((), now=1) == before
    assert drift_test.update((), now=1000).effect_size is None


def test_one_by_one_is_the_same_as_all_at_once(make: Callable[[], DriftTest]) -> None:
    drift_test, twin = make(), make()
    for value in ORDINARY[:-1]:
        drift_test.update((value,), now=0)
    single = drift_test.update(ORDINARY[-1:], now=0)
    assert single == twin.update(ORDINARY, now=0)
