"""Whatever is sent as an exchange, an opinion, a webhook or a body, only its own error comes of it.

And whatever is said of answers, in whatever order: counters never fall, each feedback is counted
once, and no more is remembered than was allowed.
"""

import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.unit.test_traffic_feedback import answer
from tidegauge.samples import Sample
from tidegauge.traffic.answer_key import answer_key
from tidegauge.traffic.client_key import ClientKey
from tidegauge.traffic.exchange import FINISH_REASONS, OUTCOMES, ROUTES
from tidegauge.traffic.feedback import Feedback, FeedbackRules
from tidegauge.traffic.item import ItemError
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.opinion import FIELDS as SAID
from tidegauge.traffic.opinion import Opinion, opinion
from tidegauge.traffic.pushed import FIELDS, pushed
from tidegauge.traffic.rating import VERDICTS, Scale, Verdict
from tidegauge.traffic.webhook import Mapped

CHAT = Labelling(frozenset({"chat"}), {"chat": "v2"}, ClientKey(b"secret"))
STARS = Scale(low=1, high=5, bad=2, good=4)
NUMBERS = st.one_of(st.integers(), st.floats(), st.integers(0, 600))
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=20))
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)
LIKELY = st.one_of(JSON, st.sampled_from((*OUTCOMES, *ROUTES, *FINISH_REASONS, "chat", "up", "v2")))


@given(st.one_of(JSON, st.dictionaries(st.sampled_from(FIELDS), LIKELY)))
def test_an_exchange_is_taken_or_refused_with_its_own_error(value: object) -> None:
    try:
        exchange = pushed(value, CHAT).exchange
    except ItemError:
        return
    assert exchange.model in ("chat", "other")
    assert exchange.version in ("v2", "other", "")
    assert exchange.outcome in OUTCOMES
    assert 0 <= exchange.duration_seconds <= 7 * 86400


@given(st.one_of(JSON, st.dictionaries(st.sampled_from(SAID), LIKELY)))
def test_an_opinion_is_taken_or_refused_with_its_own_error(value: object) -> None:
    try:
        said = opinion(value, scale=STARS, categories={"tone"})
    except ItemError:
        return
    assert said.verdict in VERDICTS
    assert said.category in ("", "tone", "other")


POINTER = st.lists(st.text("abc01=~", max_size=4), min_size=1, max_size=4).map(
    lambda steps: "".join("/" + step.replace("~", "~0") for step in steps)
)


@given(
    document=JSON,
    places=st.tuples(POINTER, POINTER, POINTER),
    parameter=st.one_of(st.none(), st.text(max_size=3)),
)
def test_a_webhook_is_taken_or_refused_with_its_own_error(
    document: object, places: tuple[str, str, str], parameter: str | None
) -> None:
    mapped = Mapped(places[0], places[1], STARS, category=places[2], parameter=parameter)
    try:
        said = mapped.opinion(document, {"tone"})
    except ItemError:
        return
    assert said
    assert said.verdict in VERDICTS


@given(st.text())
def test_every_id_has_a_key(identifier: str) -> None:
    value = json.loads(json.dumps(identifier))
    assert 0 <= answer_key(value) < 2**64


NAMES = st.sampled_from([f"answer-{n}" for n in range(12)])
MOST, WAITING = 4, 3


class Said(RuleBasedStateMachine):
    """Answers and feedback in any order, with time passing in between."""

    @initialize()
    def begin(self) -> None:
        rules = FeedbackRules(
            models=("chat",),
            versions={"chat": "v2"},
            categories=("tone",),
            most_answers=MOST,
            join_seconds=50.0,
            most_waiting=WAITING,
            wait_seconds=10.0,
        )
        self.feedback = Feedback(rules)
        self.now = 0.0
        self.heard = 0
        self.before: Counter[tuple[str, tuple[str, ...]]] = Counter()

    @rule(seconds=st.floats(0, 60))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.feedback.expire(self.now)

    @rule(name=NAMES)
    def answered(self, name: str) -> None:
        self.feedback.observe(answer(name), self.now)

    @rule(name=NAMES, verdict=st.sampled_from(VERDICTS), category=st.sampled_from(["", "tone"]))
    def judged(self, name: str, verdict: Verdict, category: str) -> None:
        self.feedback.hear(Opinion(answer_key(name), verdict, category), self.now)
        self.heard += 1

    @invariant()
    def counters_never_fall(self) -> None:
        now = Counter({(s.metric.name, s.labels): count(s) for s in self.counters()})
        assert all(now[series] >= n for series, n in self.before.items())
        self.before = now

    @invariant()
    def each_feedback_is_counted_once(self) -> None:
        self.feedback.expire(self.now)
        counted = self.total("llm_feedback_joined_total")
        assert counted + self.total("llm_feedback_waiting") == self.heard
        counting = self.feedback.memory.results
        first = sum(counting[each] for each in ("joined", "early", "expired", "unknown"))
        assert self.total("llm_feedback_total") == first
        assert self.total("llm_feedback_changed_total") <= counting["changed"]
        late = self.total("llm_feedback_categorised_total")
        assert late <= counting["changed"] + counting["categorised"]

    @invariant()
    def no_more_is_remembered_than_was_allowed(self) -> None:
        memory = self.feedback.memory
        assert len(memory.answers) <= MOST
        assert len(memory.answers._order) == len(memory.answers._held)
        assert len(memory.waiting) <= len(memory.waiting._order) <= 2 * WAITING

    def counters(self) -> list[Sample]:
        return [s for s in self.feedback.samples() if s.metric.kind == "counter"]

    def total(self, name: str) -> int:
        return sum(count(s) for s in self.feedback.samples() if s.metric.name == name)


def count(sample: Sample) -> int:
    assert isinstance(sample.value, int)
    return sample.value


TestSaid = Said.TestCase
TestSaid.settings = settings(stateful_step_count=30)
