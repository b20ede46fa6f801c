"""Laws of the engine's log: any bytes are taken, totals only rise, no word of it gets out."""

import json
import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tidegauge.errors.listing import listing
from tidegauge.errors.masking import GAP, Mask
from tidegauge.errors.patterns import Patterns
from tidegauge.errors.records import Record
from tidegauge.errors.severity import LEVELS, head_of
from tidegauge.errors.tally import Limits, Tally
from tidegauge.errors.vocabulary import words
from tidegauge.sources.logs.events import event_of
from tidegauge.sources.logs.lines import LINE_BYTES, Counts, Lines
from tidegauge.sources.logs.stream import Stream

WORDS = words()
HEADS = (
    "",
    "ERROR:    ",
    "WARNING 08-11 12:00:00 [core.py:700] ",
    "0.00.003.902 E srv ",
    "[2026-01-01 12:00:00 TP0] ",
    "2026-07-11T12:00:00.123456789Z stderr F ERROR:    ",
    "2026-07-11T12:00:00.123456789Z stderr P CRITICAL: ",
    "Traceback (most recent call last):\n",
    '{"level":"error","message":"',
    'time=2026-01-01T12:00:00Z level=ERROR msg="',
    "E0711 12:34:56.123456 123 model.cc:12] ",
    "{",
    "  ",
)
MARKER = "zqxjmarkerkjxqz"
PIECES = st.sampled_from(
    (
        *(
            "failed",
            "prompt:",
            "prompt=",
            "messages=[",
            "request",
            "'",
            '"',
            "`",
            "{",
            "}",
            "<",
            ">",
        ),
        *(
            "CUDA out of memory",
            "error",
            "\\",
            "\\n",
            "the",
            "7",
            "/",
            ".",
            ": ",
            "=",
            ", ",
            "\r",
            "\t",
        ),
        *("Error: ", "Exception", "\x00", "\x1b[31m", "\N{LEFT DOUBLE QUOTATION MARK}", "doesn't"),
        *(MARKER, MARKER.upper(), f"{MARKER}Error", f"{MARKER}.py", f"x_{MARKER}", f"{MARKER}:"),
    )
)
LINES = st.lists(
    st.tuples(st.sampled_from(HEADS), st.lists(PIECES, max_size=12), st.sampled_from((" ", ""))),
    max_size=8,
).map(lambda rows: "\n".join(head + glue.join(pieces) for head, pieces, glue in rows))


def take(body: bytes, cuts: list[int], *, most: int = 1000) -> tuple[Tally, Counts]:
    """What is counted of a log that comes in pieces."""
    counts, patterns, tally = Counts(), Patterns(), Tally(Limits(3, 0), 0)
    stream = Stream(counts)
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    records = [
        record for start, end in pairwise(edges) for record in stream.feed(body[start:end], most, 0)
    ]
    records += stream.end()
    for record in records:
        assert MARKER not in repr(record).lower()
        tally.add(record.level, patterns.of(record), 1.0)
    return tally, counts


@given(st.binary(max_size=2000), st.lists(st.integers(0, 5000), max_size=5))
def test_any_bytes_are_taken_and_counted(body: bytes, cuts: list[int]) -> None:
    tally, counts = take(body, cuts)
    assert counts.read + counts.cut + counts.skipped <= body.count(b"\n") + 1
    json.loads(listing(tally.listed(), 2.0))


@given(LINES, st.lists(st.integers(0, 5000), max_size=5))
def test_no_word_of_a_line_gets_out(text: str, cuts: list[int]) -> None:
    tally, _ = take(text.encode(), cuts)
    out = [listing(tally.listed(), 2.0), repr(tally.totals()), repr(tally.listed())]
    out += [repr(event_of(pattern, 1)) for pattern, _ in tally.news()]
    assert MARKER not in " ".join(out).lower()


@given(LINES, st.lists(st.integers(0, 5000), max_size=5))
def test_how_it_is_cut_into_pieces_makes_no_difference(text: str, cuts: list[int]) -> None:
    body = text.encode()
    whole, pieces = take(body, [])[0], take(body, cuts)[0]
    assert listing(whole.listed(), 2.0) == listing(pieces.listed(), 2.0)
    assert whole.levels == pieces.levels


@given(st.text(max_size=400))
def test_a_pattern_is_made_of_the_vocabularys_words(text: str) -> None:
    tokens = Mask(WORDS).tokens(text)
    assert all(token == GAP or WORDS[token.lower()] == token for token in tokens)
    assert all(not (one == GAP == two) for one, two in pairwise(tokens))


@given(st.text(max_size=400))
def test_any_line_has_a_level_or_none(text: str) -> None:
    head = head_of(text)
    assert head is None or head.level in LEVELS


@given(st.lists(st.tuples(st.sampled_from(LEVELS), st.integers(0, 20)), max_size=60))
def test_totals_only_rise(rows: list[tuple[str, int]]) -> None:
    patterns, tally = Patterns(), Tally(Limits(3, 0), 0)
    nouns = sorted(word for word in WORDS.values() if word.isalpha() and word.islower())
    before: dict[tuple[str, str], int] = {}
    for moment, (level, number) in enumerate(rows):
        record = Record(level, f"{nouns[7 * number]} {nouns[11 * number]} failed")
        tally.add(level, patterns.of(record), float(moment))
        after = {(name, severity): n for name, severity, n in tally.totals()}
        assert all(after[key] >= n for key, n in before.items())
        before = after
    mined = sum(level in ("warning", "error", "fatal") for level, _ in rows)
    assert sum(before.values()) == mined


@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(0, 3))
def test_lines_are_those_of_the_whole(chunks: list[bytes], most: int) -> None:
    counts = Counts()
    lines = Lines(counts)
    taken = [line for chunk in chunks for line in lines.feed(chunk, most)] + lines.end()
    assert len(taken) == counts.read
    if most == 3 and not counts.skipped:
        assert b"\n".join(taken).rstrip(b"\n") == b"".join(chunks).rstrip(b"\n")


def test_memory_is_bounded_whatever_comes() -> None:
    rng = random.Random(7)
    nouns = [word for word in WORDS.values() if word.isalpha() and word.islower()]
    patterns, tally, counts = Patterns(), Tally(Limits(50, 0), 0), Counts()
    stream = Stream(counts)
    for _ in range(40):  # twice what the largest memory holds
        body = "".join(
            f"ERROR:    {' '.join(rng.choices(nouns, k=3))} {rng.random()}\n" for _ in range(1000)
        )
        for record in stream.feed(body.encode(), 10_000, 0):
            tally.add(record.level, patterns.of(record), 1.0)
    assert len(tally.listed()) == 1000
    names = {name for name, _, _ in tally.totals() if name.startswith("p")}
    assert len(names - {"preemption"}) <= 50 + 1
    assert patterns.size <= 27_000
    for _ in range(3):
        list(stream.feed(b"x" * 10 * LINE_BYTES, 10, 0))
    assert counts.cut == 1
