import pytest

from tidegauge.errors.masking import GAP, MOST_WORDS, Mask
from tidegauge.errors.patterns import Patterns
from tidegauge.errors.records import Record
from tidegauge.errors.vocabulary import words

MASK = Mask(words())


def shown(message: str) -> str:
    return " ".join(MASK.tokens(message))


@pytest.mark.parametrize(
    "message,pattern",
    [
        ("request (410 tokens) exceeds the available context size", None),
        (
            "failed to launch slot with task, id_task = 7",
            "failed to launch slot with task id_task <*>",
        ),
        ("Failed to load /models/x/y.gguf: not found", "failed to load <*> not found"),
        ("ValueError: cannot parse 'my secret' here", "ValueError cannot parse <*>"),
        ('unexpected token "my secret', "unexpected token <*>"),
        ("failed \u2018error\u2019 memory", "failed <*>"),
        ("failed \u201eerror\u201c memory", "failed <*>"),
        ("failed \u300cerror\u300d memory", "failed <*>"),
        ("doesn\u2019t fit memory", "<*> fit memory"),
        ("f\u0430iled memory", "<*> memory"),  # a Cyrillic letter that looks like ours
        ("failed\u200bmemory error", "<*> error"),  # a blank of no width
        ("failed 4111 a1 memory", "failed <*> memory"),
        ("invalid request: {'prompt': 'error'} failed", "invalid request <*>"),
        ("error for prompt: failed request error", "error for prompt <*>"),
        ("bad prompt=failed request error", "bad prompt <*>"),
        ("bad prompt failed", "bad prompt failed"),
        ("bad prompt tomato failed", "bad prompt <*>"),
        ("messages = request failed", "messages <*>"),
        ("torch.cuda.OutOfMemoryError: no memory", "OutOfMemoryError no memory"),
        ("evil.tomato.server failed", "<*> failed"),
        ("key sk-tomato-failed rejected", "key <*> rejected"),
        ("a@b.failed is busy", "<*> is busy"),
        ("one two three 4 5 6 failed", "one two <*> failed"),
        (
            "tomato failed potato failed onion failed leek failed",
            "<*> failed <*> failed <*> failed <*>",
        ),
        ("doesn't support request", "doesn't support request"),
        ("<b>failed</b>", "<*>"),
        ("it was the and of", "<*>"),
        ("", ""),
        ("  ", ""),
        ("7", "<*>"),
    ],
)
def test_only_words_of_the_trade_are_shown(message: str, pattern: str | None) -> None:
    if pattern is not None:
        assert shown(message) == pattern


def test_a_pattern_is_bounded() -> None:
    assert len(MASK.tokens("failed request " * 1000)) == MOST_WORDS + 1
    assert MASK.tokens("failed request " * 1000)[-1] == GAP


def test_words_of_the_configuration_are_shown_as_well() -> None:
    assert " ".join(Mask(words(["Tomato"])).tokens("tomato failed")) == "tomato failed"


def found(message: str, ending: str = "", level: str = "error") -> str:
    pattern = Patterns().of(Record(level, message, ending))
    return pattern.id if pattern else ""


def test_an_id_is_the_same_whatever_the_numbers_and_wherever() -> None:
    ids = {found(f"Failed to load /m/{n}: {n} tokens after {n}.5 seconds") for n in range(50)}
    assert len(ids) == 1
    assert ids == {found("Failed to load /other: 1 tokens after 2 seconds")}


def test_information_has_no_pattern() -> None:
    assert [found("Failed to load", level=level) for level in ("info", "debug", "unknown")] == [
        ""
    ] * 3


@pytest.mark.parametrize(
    "message",
    [
        'prompt: "why do I get CUDA out of memory"',
        "Received request cmpl-1: prompt: 'CUDA out of memory', params",
        "bad input=nccl error too many open files",
        "could not parse {'a': 'CUDA out of memory'}",
    ],
)
@pytest.mark.parametrize("level", ["info", "warning", "error", "unknown"])
def test_a_user_who_asks_about_an_error_raises_none(message: str, level: str) -> None:
    assert found(message, level=level).startswith("p") or not found(message, level=level)


def test_a_known_pattern_in_an_exception_is_found() -> None:
    assert found("Exception in ASGI application", "OSError: [Errno 24] Too many open files") == (
        "files_exhausted"
    )


def test_preemption_is_found_at_any_level_but_only_as_the_engine_writes_it() -> None:
    said = "KV cache pool is full. Retract requests. #retracted_reqs: 1"
    assert found(said, level="info") == "preemption"
    assert not found(f"a user said {said}", level="info")
