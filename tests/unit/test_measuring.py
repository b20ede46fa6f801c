"""Exchanges get their features, some get vectors, and every one is recorded, whatever happens."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from queue import SimpleQueue

import pytest

from tidegauge.traffic.ended import NO_TEXTS, Ended, Texts
from tidegauge.traffic.exchange import NO_GAPS, Exchange
from tidegauge.traffic.features import features
from tidegauge.traffic.measuring import PATIENCE_SECONDS, QUEUE_MAX, Measuring
from tidegauge.traffic.texts.cpu_budget import CpuBudget
from tidegauge.traffic.texts.vector_settings import VectorSettings, VectorTallies
from tidegauge.traffic.texts.vectorizing import Job, Vectorize, Vectorizing, Vectors
from tidegauge.traffic.texts.vectors import VectorKind

EXCHANGE = Exchange(
    model="chat",
    streamed=True,
    outcome="ok",
    status=200,
    finish_reason="stop",
    duration_seconds=1.0,
    first_token_seconds=0.1,
    gaps=NO_GAPS,
    prompt_tokens=3,
    generation_tokens=2,
    features=None,
)
TEXTS = Texts(prompt="How high?", answer="Four metres.", prompt_chars=9, answer_chars=12)
MADE = Vectors(semantic=None, style=b"\x7f" * 256)
BOTH: tuple[VectorKind, ...] = ("style", "semantic")


@dataclass
class World:
    """A measuring whose thread hands back to `calls`, with a clock that stands still."""

    settings: VectorSettings = field(default_factory=lambda: VectorSettings(BOTH))
    vectorize: Vectorize = lambda _: MADE
    now: float = 100.0
    drawn: float = 0.0

    def __post_init__(self) -> None:
        self.calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.tallies = VectorTallies()
        self.recorded: list[Exchange] = []
        self.measuring = Measuring(
            self.settings,
            hand_back=self.calls.put,
            tallies=self.tallies,
            clock=lambda: self.now,
            draw=lambda: self.drawn,
            loading=lambda: self.vectorize,
        )

    def measure(self, texts: Texts = TEXTS, **changes: object) -> None:
        exchange = replace(EXCHANGE, **changes)
        self.measuring.measure(Ended(exchange, texts), self.recorded.append)

    def handed_back(self) -> None:
        self.calls.get(timeout=30)()

    @property
    def results(self) -> dict[str, float]:
        samples = self.tallies.samples()
        return {s.labels[0]: s.value for s in samples if s.labels and s.value}


@pytest.fixture
def hung() -> Iterator[Callable[[Job], Vectors]]:
    """A vectorizer that hangs until the test is over."""
    over = threading.Event()

    def hang(_: Job) -> Vectors:
        over.wait(60)
        return MADE

    yield hang
    over.set()


def test_without_vectors_an_exchange_is_recorded_at_once_with_its_features() -> None:
    world = World(VectorSettings())
    world.measure(replace(TEXTS, prompt_chars=99))
    (exchange,) = world.recorded
    expected = features("How high?", "Four metres.", prompt_chars=99)
    assert exchange == replace(EXCHANGE, features=expected)
    assert world.results == {}


def test_an_exchange_without_text_is_recorded_at_once_without_features() -> None:
    world = World()
    world.measure(NO_TEXTS)
    assert world.recorded == [EXCHANGE]
    assert world.results == {}


def test_with_vectors_it_is_recorded_once_they_are_made() -> None:
    world = World()
    world.measure()
    assert world.recorded == []
    world.handed_back()
    (exchange,) = world.recorded
    assert exchange.features
    assert (exchange.features.style, exchange.features.semantic) == (MADE.style, None)
    assert exchange.features.prompt
    assert world.results == {"made": 1}


def test_a_vector_sees_no_more_of_a_text_than_it_needs() -> None:
    seen: list[Job] = []
    world = World(vectorize=lambda job: seen.append(job) or MADE)
    world.measure(Texts(prompt="p" * 65_536, answer="a" * 65_536))
    world.handed_back()
    (job,) = seen
    assert (len(job.prompt), len(job.answer)) == (1024, 8192)
    assert "pp" not in repr(job)
    assert "aa" not in repr(job)


@pytest.mark.parametrize("kind,side", [("style", "answer"), ("semantic", "prompt")])
def test_a_vector_that_is_not_asked_for_sees_no_text(kind: VectorKind, side: str) -> None:
    seen: list[Job] = []
    world = World(VectorSettings((kind,)), vectorize=lambda job: seen.append(job) or MADE)
    world.measure()
    world.handed_back()
    (job,) = seen
    assert {"prompt": bool(job.prompt), "answer": bool(job.answer)} == {
        "prompt": side == "prompt",
        "answer": side == "answer",
    }


def test_sampling_leaves_vectors_out_and_no_exchange() -> None:
    world = World(VectorSettings(BOTH, sample_ratio=0.25))
    for drawn in (0.3, 0.2, 0.9, 0.25):
        world.drawn = drawn
        world.measure()
    assert len(world.recorded) == 3
    world.handed_back()
    assert len(world.recorded) == 4
    assert world.results == {"made": 1, "sampled_out": 3}


def test_over_budget_vectors_are_left_out_until_it_is_paid_back() -> None:
    world = World(VectorSettings(BOTH, budget_ratio=0.1))
    world.measuring._budget.spend(1.5)  # 1 s was saved up; only the thread could say what it used
    world.measure()
    assert (len(world.recorded), world.results) == (1, {"over_budget": 1})
    world.now += 5.1
    world.measure()
    assert len(world.recorded) == 1
    world.handed_back()
    assert (len(world.recorded), world.results) == (2, {"over_budget": 1, "made": 1})


def test_what_a_vector_costs_is_counted_and_taken_from_the_budget() -> None:
    cpu = iter([0.0, 0.0, 3.0])
    spent: list[float] = []
    calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
    vectorizing = Vectorizing(
        lambda: lambda _: MADE,
        lambda done: spent.append(done.cpu_seconds),
        hand_back=calls.put,
        cpu_clock=lambda: next(cpu),
    )
    vectorizing.put(Job(1, "", "text"))
    calls.get(timeout=30)()
    assert spent == [3.0]


def test_a_budget_saves_up_ten_seconds_and_no_more() -> None:
    budget = CpuBudget(0.5, now=0)
    assert budget.allows(1000)
    budget.spend(5.0)
    assert not budget.allows(1000)
    assert budget.allows(1000.1)
    budget.spend(10)
    assert not budget.allows(1019.9)
    assert budget.allows(1020.2)


def test_a_thread_that_hangs_delays_what_waits_and_nothing_else(
    hung: Callable[[Job], Vectors],
) -> None:
    world = World(vectorize=hung)
    for number in range(QUEUE_MAX + 3):
        world.measure(prompt_tokens=number)
    assert [each.prompt_tokens for each in world.recorded] == [QUEUE_MAX + n for n in range(3)]
    world.now += PATIENCE_SECONDS + 0.1
    world.measure(NO_TEXTS, prompt_tokens=-1)
    assert sorted(each.prompt_tokens or 0 for each in world.recorded) == [*range(-1, QUEUE_MAX + 3)]
    assert world.results == {"queue_full": 3, "late": QUEUE_MAX}


def test_closing_records_whatever_waits_and_what_comes_later_at_once(
    hung: Callable[[Job], Vectors],
) -> None:
    world = World(vectorize=hung)
    for number in range(5):
        world.measure(prompt_tokens=number)
    world.measuring.close()
    world.measure(prompt_tokens=5)
    assert [each.prompt_tokens for each in world.recorded] == [*range(6)]
    assert all(each.features for each in world.recorded)
    assert world.results == {"late": 6}


def test_what_was_late_is_recorded_once() -> None:
    begun, closed = threading.Event(), threading.Event()

    def wait(_: Job) -> Vectors:
        begun.set()
        closed.wait(60)
        return MADE

    world = World(vectorize=wait)
    world.measure()
    assert begun.wait(30)
    world.measuring.close()
    closed.set()
    world.handed_back()
    assert len(world.recorded) == 1
    assert world.results == {"late": 1}


class PanicError(BaseException):
    """As what Rust code raises when it panics: no Exception."""


@pytest.mark.parametrize("error", [ValueError, MemoryError, PanicError, SystemExit])
def test_a_vector_that_fails_costs_itself_and_says_nothing_of_the_text(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(job: Job) -> Vectors:
        raise error(job.prompt)

    world = World(vectorize=fail)
    for _ in range(2):
        world.measure()
        world.handed_back()
    assert len(world.recorded) == 2
    assert all(each.features for each in world.recorded)
    assert world.results == {"failed": 2}
    assert error.__name__ in str([record.__dict__ for record in caplog.records])
    assert "How high" not in str([record.__dict__ for record in caplog.records])


def test_a_thread_that_is_gone_is_started_anew() -> None:
    world = World()
    world.measure()
    world.handed_back()
    thread = world.measuring._vectorizing._threads[0]
    assert thread
    world.measuring._vectorizing._jobs.put(None)  # as if it had died; we were forked, for one
    thread.join(30)
    world.measure()
    world.handed_back()
    assert world.results == {"made": 2}


def test_a_thread_ends_when_the_loop_that_it_hands_back_to_is_closed() -> None:
    def closed(_: Callable[[], None]) -> None:
        raise RuntimeError("Event loop is closed")

    vectorizing = Vectorizing(lambda: lambda _: MADE, lambda _: None, hand_back=closed)
    vectorizing.put(Job(1, "", "text"))
    assert vectorizing._threads[0]
    vectorizing._threads[0].join(30)
    assert not vectorizing._threads[0].is_alive()


def test_a_body_as_large_as_may_be_is_measured_in_no_time_that_anybody_notices() -> None:
    world = World(VectorSettings())
    for text in ("a" * 65_536, "潮汐 😀" * 13_107, "\n\x00" * 32_768, "to the sea " * 5957):
        begun = time.thread_time()
        world.measure(Texts(text, text, prompt_chars=4 << 20, answer_chars=4 << 20))
        assert time.thread_time() - begun < 0.25  # a hundredth of it, on a machine at rest
    assert len(world.recorded) == 4


PROGRAM = """
import time, safetensors.numpy, tokenizers
from tidegauge.traffic.texts.vectorizing import Job, Vectorizing, load
work = Vectorizing(lambda: load(("semantic",)), lambda _: None, hand_back=lambda call: call())
work.put(Job(1, "How high is the tide?", ""))
time.sleep({})
"""


@pytest.mark.parametrize("seconds", [0.01, 0.03])
def test_a_program_ends_well_while_its_thread_is_inside_of_rust(seconds: float) -> None:
    """It was aborted: an interpreter that ends unwinds a daemon thread, which Rust won't have."""
    command = [sys.executable, "-c", PROGRAM.format(seconds)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert (ran.returncode, ran.stderr) == (0, "")
