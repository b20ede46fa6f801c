"""Feedback joined to answers: before, after, long after, twice, and otherwise."""

import sys

import pytest

from tests.gaps import gaps
from tidegauge.traffic.answer_key import answer_key
from tidegauge.traffic.answers import Answers
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.feedback import Feedback, FeedbackRules
from tidegauge.traffic.item import ItemError
from tidegauge.traffic.opinion import Opinion, opinion
from tidegauge.traffic.rating import Scale, Verdict

RULES = FeedbackRules(
    models=("chat",),
    versions={"chat": "v2"},
    categories=("tone", "facts"),
    most_answers=3,
    join_seconds=100.0,
    most_waiting=2,
    wait_seconds=10.0,
)
STARS = Scale(low=1, high=5, bad=2, good=4)


def answer(name: str | None, *, model: str = "chat", version: str = "v2") -> Exchange:
    key = None if name is None else answer_key(name)
    return Exchange(
        model=model,
        version=version,
        streamed=True,
        outcome="ok",
        status=200,
        finish_reason="stop",
        duration_seconds=1.0,
        first_token_seconds=0.1,
        gaps=gaps(),
        prompt_tokens=1,
        generation_tokens=1,
        features=None,
        answer_key=key,
    )


def says(name: str, verdict: Verdict = "good", category: str = "") -> Opinion:
    return Opinion(answer_key(name), verdict, category)


def counted(feedback: Feedback, name: str) -> dict[tuple[str, ...], float]:
    found = {s.labels: s.value for s in feedback.samples() if s.metric.name == name}
    return {labels: value for labels, value in found.items() if isinstance(value, int) and value}


def verdicts(feedback: Feedback) -> dict[tuple[str, ...], float]:
    return counted(feedback, "llm_feedback_total")


def results(feedback: Feedback) -> dict[str, float]:
    return {k[0]: v for k, v in counted(feedback, "llm_feedback_joined_total").items()}


def test_feedback_is_joined_to_the_model_and_version_of_its_answer() -> None:
    feedback = Feedback(RULES)
    feedback.observe(answer("a"), 0)
    assert feedback.hear(says("a", "bad", "tone"), 99) == "joined"
    assert verdicts(feedback) == {("chat", "v2", "bad", "tone"): 1}
    assert results(feedback) == {"joined": 1}


def test_feedback_that_comes_before_its_answer_waits_for_it() -> None:
    feedback = Feedback(RULES)
    assert feedback.hear(says("a"), 0) is None
    assert not verdicts(feedback)
    assert counted(feedback, "llm_feedback_waiting") == {(): 1}
    feedback.observe(answer("a"), 9)
    assert verdicts(feedback) == {("chat", "v2", "good", ""): 1}
    assert results(feedback) == {"early": 1}
    assert feedback.hear(says("a"), 9) == "duplicate"


def test_feedback_whose_answer_never_comes_counts_for_nobody() -> None:
    feedback = Feedback(RULES)
    feedback.hear(says("a", "bad", "facts"), 0)
    feedback.expire(10.1)
    assert verdicts(feedback) == {("", "", "bad", "facts"): 1}
    assert results(feedback) == {"unknown": 1}


def test_feedback_long_after_is_counted_as_expired() -> None:
    feedback = Feedback(RULES)
    feedback.observe(answer("a"), 0)
    assert feedback.hear(says("a"), 101) == "expired"
    assert verdicts(feedback) == {("", "", "good", ""): 1}
    assert counted(feedback, "llm_feedback_answers") == {}


def test_the_oldest_answer_is_forgotten_first_where_there_are_too_many() -> None:
    feedback = Feedback(RULES)
    for name in "abcd":
        feedback.observe(answer(name), 0)
    assert counted(feedback, "llm_feedback_answers") == {(): 3}
    assert feedback.hear(says("a"), 1) == "expired"
    assert feedback.hear(says("b"), 1) == "joined"


def test_the_same_twice_is_counted_once_and_another_verdict_as_a_change() -> None:
    feedback = Feedback(RULES)
    feedback.observe(answer("a"), 0)
    heard = [feedback.hear(says("a", each), 1) for each in ("good", "good", "bad", "bad", "good")]
    assert heard == ["joined", "duplicate", "changed", "duplicate", "changed"]
    assert verdicts(feedback) == {("chat", "v2", "good", ""): 1}
    assert counted(feedback, "llm_feedback_changed_total") == {
        ("chat", "v2", "good", "bad"): 1,
        ("chat", "v2", "bad", "good"): 1,
    }


def test_a_mind_changed_before_the_answer_came_is_counted_as_it_ended() -> None:
    feedback = Feedback(RULES)
    heard = [feedback.hear(says("a", each), 1) for each in ("good", "good", "bad")]
    assert heard == [None, "duplicate", "changed"]
    feedback.observe(answer("a"), 2)
    assert verdicts(feedback) == {("chat", "v2", "bad", ""): 1}
    assert results(feedback) == {"duplicate": 1, "changed": 1, "early": 1}


def test_a_category_may_come_after_the_verdict() -> None:
    feedback = Feedback(RULES)
    feedback.observe(answer("a"), 0)
    said: list[tuple[Verdict, str]] = [
        ("bad", ""),
        ("bad", "tone"),
        ("bad", "facts"),
        ("good", "facts"),
    ]
    heard = [feedback.hear(says("a", verdict, category), 1) for verdict, category in said]
    assert heard == ["joined", "categorised", "duplicate", "changed"]
    assert verdicts(feedback) == {("chat", "v2", "bad", ""): 1}
    categorised = counted(feedback, "llm_feedback_categorised_total")
    assert categorised == {("chat", "v2", "bad", "tone"): 1}


def test_a_category_may_come_with_another_verdict() -> None:
    feedback = Feedback(RULES)
    feedback.observe(answer("a"), 0)
    heard = [feedback.hear(says("a"), 1), feedback.hear(says("a", "bad", "evil"), 1)]
    assert heard == ["joined", "changed"]
    categorised = counted(feedback, "llm_feedback_categorised_total")
    assert categorised == {("chat", "v2", "bad", "other"): 1}


def test_a_category_may_come_after_the_verdict_and_both_before_the_answer() -> None:
    feedback = Feedback(RULES)
    heard = [feedback.hear(says("a", "bad", each), 0) for each in ("", "tone", "", "facts")]
    assert heard == [None, "categorised", "duplicate", "duplicate"]
    feedback.observe(answer("a"), 1)
    assert verdicts(feedback) == {("chat", "v2", "bad", "tone"): 1}


def test_so_many_wait_and_no_more() -> None:
    feedback = Feedback(RULES)
    for name in "abcdef":
        feedback.hear(says(name), 0)
    feedback.expire(0)
    assert counted(feedback, "llm_feedback_waiting") == {(): 2}
    assert results(feedback) == {"unknown": 4}


def test_what_waits_is_not_pushed_out_by_what_waits_no_more() -> None:
    feedback = Feedback(RULES)
    feedback.hear(says("patient"), 0)
    for index in range(50):
        name = str(index)
        feedback.hear(says(name), 0)
        feedback.observe(answer(name), 0)
    feedback.expire(0)
    assert len(feedback.memory.waiting._order) <= 4
    assert counted(feedback, "llm_feedback_waiting") == {(): 1}
    assert results(feedback) == {"early": 50}


def test_an_answer_that_is_seen_twice_keeps_its_verdict() -> None:
    feedback = Feedback(RULES)
    feedback.observe(answer("a"), 0)
    feedback.hear(says("a"), 1)
    feedback.observe(answer("a"), 2)
    assert feedback.hear(says("a"), 3) == "duplicate"


def test_an_answer_without_an_id_is_not_remembered() -> None:
    feedback = Feedback(RULES)
    feedback.observe(answer(None), 0)
    assert counted(feedback, "llm_feedback_answers") == {}


def test_nothing_that_is_not_configured_becomes_a_label() -> None:
    feedback = Feedback(RULES)
    feedback.observe(answer("a", model="evil", version="v9"), 0)
    feedback.hear(says("a", "good", "evil"), 1)
    assert verdicts(feedback) == {("other", "other", "good", "other"): 1}


def test_series_exist_before_anything_was_said() -> None:
    samples = Feedback(RULES).samples()
    labels = {s.labels for s in samples if s.metric.name == "llm_feedback_total"}
    assert ("chat", "v2", "bad", "") in labels
    assert ("chat", "v2", "bad", "tone") in labels
    assert ("", "", "good", "other") in labels
    changes = {s.labels for s in samples if s.metric.name == "llm_feedback_changed_total"}
    assert ("chat", "v2", "good", "bad") in changes
    assert ("chat", "v2", "good", "good") not in changes


def test_another_with_its_memory_goes_on_where_it_was() -> None:
    before = Feedback(RULES)
    before.observe(answer("a"), 0)
    before.hear(says("b"), 0)
    rules = FeedbackRules(models=("chat", "new"), categories=("tone",), join_seconds=50.0)
    after = Feedback(rules, memory=before.memory)
    assert after.hear(says("a"), 1) == "joined"
    after.observe(answer("b"), 1)
    assert results(after) == {"joined": 1, "early": 1}
    assert verdicts(after) == {("chat", "v2", "good", ""): 1, ("chat", "other", "good", ""): 1}
    after.observe(answer("c"), 2)
    assert after.hear(says("c"), 60) == "expired"


def test_one_that_is_never_used_changes_nothing() -> None:
    before = Feedback(RULES)
    before.observe(answer("a"), 0)
    said = before.samples()
    Feedback(FeedbackRules(models=("new",), join_seconds=1.0), memory=before.memory)
    assert before.samples() == said
    assert before.hear(says("a"), 99) == "joined"


def test_what_an_answer_costs() -> None:
    """Stated in docs/feedback.md and in the configuration's description."""
    answers = Answers(most=100_000, seconds=1e9)
    for index in range(100_000):
        answers.add(answer_key(str(index)), model="chat", version="v2", now=index / 10)
    held, order = answers._held, answers._order
    # Keys are shared between the two; values are numbers of their own.
    numbers = sum(sys.getsizeof(key) + sys.getsizeof(value) for key, value in held.items())
    whole = (
        sys.getsizeof(held) + sys.getsizeof(order) + numbers + sys.getsizeof(answers._gone._marks)
    )
    assert whole / 100_000 < 170


@pytest.mark.parametrize(
    "fields, verdict",
    [
        ({"rating": 1}, "bad"),
        ({"rating": 2.0}, "bad"),
        ({"rating": 3}, "neutral"),
        ({"rating": 4}, "good"),
        ({"thumb": "up"}, "good"),
        ({"thumb": "down", "comment": "Swordfish"}, "bad"),
    ],
)
def test_a_rating_or_a_thumb_is_a_verdict(fields: dict[str, object], verdict: str) -> None:
    said = opinion({"id": "a"} | fields, scale=STARS, categories={"tone"})
    assert said == Opinion(answer_key("a"), verdict)  # type: ignore[arg-type]  # one of three
    assert "Swordfish" not in repr(said)


@pytest.mark.parametrize(
    "value, line",
    [
        ({"rating": 3}, "id: is missing"),
        ({"id": "", "rating": 3}, "id: is missing"),
        ({"id": 5, "rating": 3}, "id: text of at most 1024 characters is wanted, not a number"),
        ({"id": "a"}, "one of rating and thumb is wanted"),
        ({"id": "a", "rating": 3, "thumb": "up"}, "one of rating and thumb is wanted"),
        ({"id": "a", "rating": 6}, "rating: a number from 1 to 5 is wanted, not another number"),
        ({"id": "a", "rating": "Swordfish"}, "rating: a number from 1 to 5 is wanted, not text"),
        ({"id": "a", "thumb": "Swordfish"}, "thumb: one of down, up is wanted, not another word"),
        ({"id": "a", "thumb": "up", "category": 4}, "category: text"),
        ({"id": "a", "thumb": "up", "comment": 4}, "comment: text"),
        ({"id": "a", "thumb": "up", "Swordfish": 4}, "has a field that is not known"),
        (["Swordfish"], "an object is wanted, not an array"),
    ],
)
def test_feedback_of_no_use_says_why_and_repeats_nothing(value: object, line: str) -> None:
    with pytest.raises(ItemError) as refused:
        opinion(value, scale=STARS, categories={"tone"})
    assert line in str(refused.value)
    assert "Swordfish" not in str(refused.value)
