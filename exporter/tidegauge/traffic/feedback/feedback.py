"""Feedback joined to answers and counted: whichever of the two comes first, however often.

No clock of its own, no network, no logging: it lives in one event loop. Counters never fall, so a
user who thinks again is counted beside the first verdict, in a series of changes.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from tidegauge.catalog import feedback
from tidegauge.samples import Sample
from tidegauge.traffic.exchange import OTHER, Exchange
from tidegauge.traffic.feedback.answers import Answer, Answers
from tidegauge.traffic.feedback.opinion import Opinion
from tidegauge.traffic.feedback.rating import VERDICTS, Verdict
from tidegauge.traffic.feedback.waiting import Waiting

Result = Literal["joined", "early", "expired", "unknown", "duplicate", "changed", "categorised"]
"""joined: its answer was known; early: it came before its answer, and was joined when that came;
expired: its answer was known once, and is no more; unknown: no such answer came in time;
duplicate: it repeats what was said of the same answer; changed: it is another verdict than before
on the same answer; categorised: it is the same verdict, and the first with a category. Only the
first four add to `llm_feedback_total`."""
RESULTS: tuple[Result, ...] = get_args(Result)

_NOBODYS = ("", "")  # model and version of an answer that was not found


@dataclass(frozen=True, slots=True)
class FeedbackRules:
    """What may become a label, and how much is remembered for how long.

    `versions` says which version each of `models` runs in, as for traffic.
    """

    models: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    most_answers: int = 100_000
    join_seconds: float = 86_400.0
    most_waiting: int = 10_000
    wait_seconds: float = 600.0


@dataclass(slots=True)
class Memory:
    """What a Feedback remembers and has counted; another one may go on with it."""

    answers: Answers = field(default_factory=Answers)
    waiting: Waiting = field(default_factory=Waiting)
    counts: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    changes: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    categorised: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    results: Counter[Result] = field(default_factory=Counter)


class Feedback:
    """Hears of answers by `observe`, and of what is thought of them by `hear`.

    With the `memory` of another one it goes on where that one was, from its first use on; one that
    is never used changes nothing. `now` is of one monotonic clock everywhere.
    """

    def __init__(self, rules: FeedbackRules, *, memory: Memory | None = None) -> None:
        self._rules = rules
        self._models = {"", OTHER, *rules.models}
        self._versions = {"", OTHER, *rules.versions.values()}
        self._categories = {"", OTHER, *rules.categories}
        self.memory = memory or Memory()
        self._in_use = False

    def observe(self, exchange: Exchange, now: float) -> None:
        """An answer has ended; one without an id can't be judged."""
        self._take_over()
        key = exchange.answer_key
        if key is None:
            return
        model = exchange.model if exchange.model in self._models else OTHER
        version = exchange.version if exchange.version in self._versions else OTHER
        self.memory.answers.add(key, model=model, version=version, now=now)
        early = self.memory.waiting.take(key)
        if early:
            self._judge(early, Answer(model, version), "early")

    def hear(self, opinion: Opinion, now: float) -> Result | None:
        """Count it, and say how it was joined; None where it waits for its answer."""
        self.expire(now)
        answer = self.memory.answers.find(opinion.key, now)
        if answer is None:
            return self._hear_of_nothing(opinion, now)
        if answer.verdict is None:
            return self._judge(opinion, answer, "joined")
        return self._hear_again(opinion, answer, answer.verdict)

    def expire(self, now: float) -> None:
        """Let go of what is too old: feedback that waited in vain counts for nobody."""
        self._take_over()
        self.memory.answers.expire(now)
        for late in self.memory.waiting.overdue(now):
            self._count(late, *_NOBODYS, "unknown")

    def samples(self) -> tuple[Sample, ...]:
        """All of the catalogue's feedback metrics."""
        self._take_over()
        return (
            *(Sample(feedback.FEEDBACK, n, labels) for labels, n in self.memory.counts.items()),
            *(Sample(feedback.CHANGED, n, labels) for labels, n in self.memory.changes.items()),
            *(
                Sample(feedback.CATEGORISED, n, labels)
                for labels, n in self.memory.categorised.items()
            ),
            *(Sample(feedback.JOINED, n, (result,)) for result, n in self.memory.results.items()),
            Sample(feedback.ANSWERS, len(self.memory.answers)),
            Sample(feedback.WAITING, len(self.memory.waiting)),
        )

    def _hear_again(self, opinion: Opinion, answer: Answer, was: Verdict) -> Result:
        owner, is_first = (answer.model, answer.version), not answer.categorised
        categorises = is_first and opinion.category != ""
        if categorises:
            self.memory.categorised[(*owner, opinion.verdict, self._category(opinion))] += 1
        if opinion.verdict != was:
            self.memory.changes[(*owner, was, opinion.verdict)] += 1
        categorised = answer.categorised or categorises
        self.memory.answers.judge(opinion.key, opinion.verdict, categorised=categorised)
        if opinion.verdict != was:
            return self._result("changed")
        return self._result("categorised" if categorises else "duplicate")

    def _hear_of_nothing(self, opinion: Opinion, now: float) -> Result | None:
        if self.memory.answers.is_gone(opinion.key):
            return self._count(opinion, *_NOBODYS, "expired")
        waiting = self.memory.waiting.find(opinion.key)
        if waiting is None:
            self.memory.waiting.add(opinion, now)
            return None
        category = waiting.category or opinion.category
        if (opinion.verdict, category) == (waiting.verdict, waiting.category):
            return self._result("duplicate")
        self.memory.waiting.add(replace(opinion, category=category), now)
        return self._result("changed" if opinion.verdict != waiting.verdict else "categorised")

    def _judge(self, opinion: Opinion, answer: Answer, result: Result) -> Result:
        categorised = opinion.category != ""
        self.memory.answers.judge(opinion.key, opinion.verdict, categorised=categorised)
        return self._count(opinion, answer.model, answer.version, result)

    def _count(self, opinion: Opinion, model: str, version: str, result: Result) -> Result:
        self.memory.counts[model, version, opinion.verdict, self._category(opinion)] += 1
        return self._result(result)

    def _category(self, opinion: Opinion) -> str:
        return opinion.category if opinion.category in self._categories else OTHER

    def _result(self, result: Result) -> Result:
        self.memory.results[result] += 1
        return result

    def _take_over(self) -> None:
        if self._in_use:
            return
        self._in_use, rules = True, self._rules
        self.memory.answers.bound(most=rules.most_answers, seconds=rules.join_seconds)
        self.memory.waiting.bound(most=rules.most_waiting, seconds=rules.wait_seconds)
        self._open(rules)

    def _open(self, rules: FeedbackRules) -> None:
        """Series that exist from the start, so that increase() sees the first of each."""
        self.memory.results.update(dict.fromkeys(RESULTS, 0))
        owners = [_NOBODYS, (OTHER, ""), *((m, rules.versions.get(m, "")) for m in rules.models)]
        for model, version in owners:
            for verdict in VERDICTS:
                opened = {(model, version, verdict, each): 0 for each in self._categories}
                self.memory.counts.update(opened)
                if model:
                    self.memory.changes.update(_changes(model, version, verdict))
                    self.memory.categorised.update({k: 0 for k in opened if k[-1]})


def _changes(model: str, version: str, verdict: Verdict) -> dict[tuple[str, str, str, str], int]:
    return {(model, version, was, verdict): 0 for was in VERDICTS if was != verdict}
