"""Exchanges in, series out: from the first request of a model to a shift that has a name."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.unit.drift_exchanges import BEGIN, MODEL, OK, SETTINGS, exchanges, reference, values
from tidegauge.catalog import drift as catalog
from tidegauge.drift.monitor import DriftMonitor, Learned, Model
from tidegauge.drift.watched import Watched
from tidegauge.samples import Sample
from tidegauge.traffic.exchange import OUTCOMES, Exchange, Outcome

MOST_SERIES = 600


def monitor(*models: str, learns: bool = True) -> DriftMonitor:
    return DriftMonitor(models or (MODEL,), SETTINGS, learns=learns)


def watching() -> DriftMonitor:
    watched = monitor()
    watched.models[MODEL].watched = Watched(reference(), SETTINGS)
    return watched


class Run:
    """A monitor that sees a request a second, and a tick every ten."""

    def __init__(self, watched: DriftMonitor) -> None:
        self.monitor = watched
        self.now = 0.0
        self.learned: list[Learned] = []

    def see(self, seen: Iterable[Exchange]) -> None:
        for exchange in seen:
            self.monitor.observe(exchange, at=BEGIN + self.now)
            self.now += 1.0
            if self.now % SETTINGS.tick_seconds == 0:
                self.tick()

    def tick(self) -> None:
        for model in self.monitor.models.values():
            learned = model.tick(now=self.now)
            self.learned += [] if learned is None else [learned]

    def wait(self, seconds: float) -> None:
        for _ in range(int(seconds / SETTINGS.tick_seconds)):
            self.now += SETTINGS.tick_seconds
            self.tick()

    def samples(self, model: str = MODEL) -> list[Sample]:
        return list(self.monitor.models[model].samples(at=BEGIN + self.now))

    def ratio(self, channel: str) -> float:
        return values(iter(self.samples()), catalog.RATIO)[MODEL, channel]


def test_every_bin_is_there_at_zero_before_the_first_request() -> None:
    samples = Run(watching()).samples()
    bins = values(iter(samples), catalog.BIN_REQUESTS)

    assert set(bins.values()) == {0.0}
    assert bins.keys() == values(iter(samples), catalog.REFERENCE_RATIO).keys()
    assert values(iter(samples), catalog.SCORE) == {}
    assert values(iter(samples), catalog.LEARNED_RATIO) == {(MODEL,): 1.0}


def test_reference_shares_sum_to_one_per_channel() -> None:
    shares = values(iter(Run(watching()).samples()), catalog.REFERENCE_RATIO)
    channels = {channel for _, channel, _ in shares}

    for channel in channels:
        of_channel = (share for labels, share in shares.items() if labels[1] == channel)
        assert sum(of_channel) == pytest.approx(1.0)


def test_a_model_is_learned_and_then_scored() -> None:
    run = Run(monitor())
    run.see(exchanges("chat", 300, seed=1))
    halfway = values(iter(run.samples()), catalog.LEARNED_RATIO)
    run.see(exchanges("chat", 320, seed=2))

    assert 0.4 < halfway[MODEL,] < 0.6
    (learned,) = run.learned
    assert not learned.alarmed
    assert 500 <= learned.sketch.requests <= 620
    assert run.monitor.models[MODEL].learning.sketch.requests < 20


def test_more_of_the_same_is_no_shift() -> None:
    run = Run(watching())
    run.see(exchanges("chat", 1500, seed=7))

    alarms = values(iter(run.samples()), catalog.ALARMS)
    assert set(alarms.values()) == {0.0}


def test_a_shift_is_found_named_and_ends() -> None:
    run = Run(watching())
    run.see(exchanges("chat", 300, seed=3))
    before = run.ratio("inputs")
    run.see(exchanges("code", 200, seed=4))
    during, samples = run.ratio("inputs"), run.samples()
    run.see(exchanges("chat", 900, seed=5))

    assert before < 1.0 <= during
    assert run.ratio("inputs") < 1.0
    assert values(iter(samples), catalog.ALARMS)[MODEL, "inputs"] == 1.0
    tops = values(iter(samples), catalog.TOP_CHANNEL)
    (top,) = (channel for _, side, channel, _ in tops if side == "inputs")
    scores = values(iter(samples), catalog.SCORE)
    chances = values(iter(samples), catalog.SCORE_BY_CHANCE)
    assert scores[MODEL, top] > 2 * chances[MODEL, top]


@pytest.mark.parametrize("outcome", sorted(set(OUTCOMES) - {"ok"}))
def test_what_did_not_end_well_is_passed_over(outcome: Outcome) -> None:
    run = Run(watching())
    run.see([replace(OK, outcome=outcome)] * 20)

    assert set(values(iter(run.samples()), catalog.BIN_REQUESTS).values()) == {0.0}


def test_a_model_that_is_not_watched_is_passed_over() -> None:
    run = Run(watching())
    run.see([replace(OK, model="other")] * 20)

    assert set(values(iter(run.samples()), catalog.BIN_REQUESTS).values()) == {0.0}


def test_a_model_that_is_renamed_is_learned_anew_and_its_old_name_falls_silent() -> None:
    run = Run(monitor(MODEL, "chat-8b"))
    run.monitor.models[MODEL].watched = Watched(reference(), SETTINGS)
    run.see(exchanges("chat", 200, seed=3))
    run.see(replace(e, model="chat-8b") for e in exchanges("chat", 700, seed=4))

    assert values(iter(run.samples()), catalog.SCORE) == {}
    assert values(iter(run.samples()), catalog.RATIO) == {}
    assert [learned.sketch.model for learned in run.learned] == ["chat-8b"]


def test_series_of_a_model_are_bounded() -> None:
    run = Run(watching())
    run.see(exchanges("chat", 300, seed=3))
    run.see(exchanges("code", 300, seed=3))

    assert len(run.samples()) <= MOST_SERIES


def test_a_period_with_an_alarm_says_so() -> None:
    run = Run(watching())
    run.see(exchanges("code", 700, seed=3))

    (learned,) = run.learned
    assert learned.alarmed


def test_a_clock_that_is_set_back_neither_alarms_nor_ages() -> None:
    run = Run(watching())
    run.see(exchanges("chat", 300, seed=3))
    for exchange in exchanges("chat", 100, seed=4):
        run.monitor.observe(exchange, at=BEGIN - 86_400.0)
    run.wait(60)
    samples = list(run.monitor.models[MODEL].samples(at=BEGIN - 86_400.0))

    assert run.ratio("inputs") < 1.0
    assert values(iter(samples), catalog.REFERENCE_AGE) == {(MODEL,): 0.0}


def test_a_hundred_models_are_watched_each_by_itself() -> None:
    names = [f"lora-{number}" for number in range(100)]
    run = Run(monitor(*names))
    shared = Watched(reference(), SETTINGS)
    assert isinstance(run.monitor.models["lora-7"], Model)
    run.monitor.models["lora-7"].watched = shared
    run.see(replace(e, model=names[i % 100]) for i, e in enumerate(exchanges("chat", 400, seed=3)))

    seen = {name: run.monitor.models[name].learning.sketch.requests for name in names}
    assert set(seen.values()) == {4}


def test_a_reload_goes_on_where_it_was() -> None:
    run = Run(watching())
    run.see(exchanges("chat", 200, seed=3))
    after = monitor(MODEL, "new")
    after.take_over(run.monitor)

    assert after.models[MODEL].watched is run.monitor.models[MODEL].watched
    assert after.models[MODEL].learning.sketch.requests == 200
