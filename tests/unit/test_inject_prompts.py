"""Kinds of prompts differ in what drift watches, and their schedule says which one is asked."""

from collections import Counter

import numpy as np
import pytest

from tidegauge.inject.plan import plan, users_by_rank
from tidegauge.inject.prompts import PROMPT_KINDS, Prompt, parse_kinds
from tidegauge.inject.schedule import ScheduleError


def drawn(kind: str, *, seed: int = 1, count: int = 500) -> list[Prompt]:
    rng = np.random.default_rng(seed)
    return [PROMPT_KINDS[kind](rng) for _ in range(count)]


@pytest.mark.parametrize(
    "kind,chars,tokens",
    [
        ("chat", (30, 120), (8, 16)),
        ("code", (110, 260), (16, 28)),
        ("multilingual", (10, 130), (8, 16)),
    ],
)
def test_lengths_are_modest(kind: str, chars: tuple[int, int], tokens: tuple[int, int]) -> None:
    for prompt in drawn(kind):
        assert chars[0] <= len(prompt.text) <= chars[1]
        assert tokens[0] <= prompt.max_tokens <= tokens[1]


def test_kinds_differ_in_their_characters() -> None:
    chat, code, foreign = ("".join(p.text for p in drawn(kind)) for kind in PROMPT_KINDS)
    assert chat.isascii()
    assert code.isascii()
    assert sum(not c.isascii() for c in foreign) / len(foreign) > 0.4
    assert sum(c.isdigit() for c in code) / len(code) > 0.05
    assert not any(c.isdigit() for c in chat)


@pytest.mark.parametrize("kind", PROMPT_KINDS)
def test_the_same_seed_gives_the_same_prompts(kind: str) -> None:
    assert drawn(kind) == drawn(kind)
    assert drawn(kind) != drawn(kind, seed=2)


@pytest.mark.parametrize(
    "at,kind", [(0, "chat"), (79.9, "chat"), (80, "code"), (160, "chat"), (9999, "chat")]
)
def test_a_kind_holds_until_the_next_point(at: float, kind: str) -> None:
    assert parse_kinds("0s:chat,80s:code,160s:chat").kind(at) == kind


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ScheduleError, match="'poem' is no kind of prompt; known are chat, code"):
        parse_kinds("0s:chat,80s:poem")


def test_a_plan_joins_arrivals_with_the_kind_of_their_time_and_a_share_of_streams() -> None:
    rng = np.random.default_rng(1)
    arrivals = [n / 10 for n in range(1000)]
    planned = list(plan(arrivals, parse_kinds("0s:chat,50s:code"), rng=rng, stream_share=0.25))
    assert [p.at_seconds for p in planned] == arrivals
    assert {p.kind for p in planned[:500]} == {"chat"}
    assert {p.kind for p in planned[500:]} == {"code"}
    assert sum(p.stream for p in planned) == pytest.approx(250, rel=0.2)
    assert {p.user for p in planned} == {None}


def test_users_ask_less_the_further_down_they_are() -> None:
    users = users_by_rank(4, np.random.default_rng(1))
    arrivals = [n / 10 for n in range(2000)]
    kinds = parse_kinds("chat")
    rng = np.random.default_rng(1)
    planned = plan(arrivals, kinds, rng=rng, stream_share=1, users=users)
    asked = Counter(p.user for p in planned)
    assert [user for user, _ in asked.most_common()] == [f"user-{rank}" for rank in range(1, 5)]
    assert asked["user-4"] == pytest.approx(asked["user-1"] / 2, rel=0.15)
