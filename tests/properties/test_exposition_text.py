"""Laws of our parser beside prometheus_client's.

What is valid is read alike; what both read is the same; anything else is a SourceError.
Also the fuzz run of every CI build: real captures with bytes flipped, cut out and spliced in.
"""

import random
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.openmetrics.exposition import ALLOWUTF8
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_text
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Exemplar

from tests.exposition_reference import openmetrics_reference, reference
from tidegauge.engines import RawFamily
from tidegauge.sources.engine_text import ExpositionParser, parse
from tidegauge.sources.source import SourceError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "engines"
CAPTURES = sorted(FIXTURES.rglob("*.prom"))
BODIES = [path.read_bytes() for path in CAPTURES]
SMALL = [body[: body.index(b"\n", len(body) // 2) + 1][-3000:] for body in BODIES]

NAME = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True)
LABEL_NAME = NAME.filter(lambda name: not name.startswith("__"))
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=12)
LABEL_VALUE = st.one_of(
    TEXT, st.sampled_from(['a "b"', "c\\d", "e\nf", "", "{x=", "}", ",", " # ", "=\\"])
)
SPACE = st.sampled_from(["", " ", "\t", "  "])
GAP = st.sampled_from([" ", "  ", " \t"])
NUMBER = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(
        ["NaN", "+Inf", "-Inf", "Inf", "1.15891634176e+011", "-1.0", "1e400", "9" * 400]
    ),
)
KIND = st.sampled_from(
    ["counter", "gauge", "summary", "histogram", "untyped", "unknown", "info", "stateset"]
)
SUFFIX = st.sampled_from(["", "_total", "_bucket", "_sum", "_count", "_created", "_other"])
COMMENT = re.compile(r"(?m)^\s*#[^ \t\r\v\f\n].*")


def escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@st.composite
def openmetrics_families(draw: st.DrawFn) -> list[Metric]:
    """Families of any type of OpenMetrics, with rows of one set of label names."""
    kinds = {"": "gauge", "_total": "counter", "_info": "info"}
    families: list[Metric] = []
    for name in draw(st.lists(st.text("abc:_", min_size=2, max_size=6), unique=True, max_size=4)):
        ending = draw(st.sampled_from([*kinds, "_bucket"]))
        family = Metric(f"{name}{len(families)}", draw(TEXT), kinds.get(ending, "histogram"))
        at = draw(st.sampled_from([None, None, 17.5]))
        for value in draw(st.lists(LABEL_VALUE, unique=True, max_size=3)):
            labels = {"x": value, "y": "z"} if draw(st.booleans()) else {"x": value}
            number = 1.0 if ending == "_info" else draw(st.floats(0, 1e18).map(round))
            if ending != "_bucket":
                family.add_sample(family.name + ending, labels, number, at)
                continue
            seen = draw(st.sampled_from([None, Exemplar({"trace": "a b"}, 0.5, 17.25)]))
            for bound, count in (("1.0", number), ("+Inf", number * 2)):
                row = {"le": bound, **labels}
                family.add_sample(f"{family.name}_bucket", row, count, at, seen)
            family.add_sample(f"{family.name}_sum", labels, number, at)
            family.add_sample(f"{family.name}_count", labels, number * 2, at)
        families.append(family)
    return families


@st.composite
def rows(draw: st.DrawFn, name: str) -> str:
    """A row of valid Prometheus text, spaces and all."""
    labels = draw(st.dictionaries(LABEL_NAME, LABEL_VALUE, max_size=4))
    pairs = [
        f'{draw(SPACE)}{key}{draw(SPACE)}={draw(SPACE)}"{escaped(value)}"{draw(SPACE)}'
        for key, value in labels.items()
    ]
    comma = draw(st.sampled_from(["", ","])) if pairs else ""
    braced = f"{draw(SPACE)}{{{','.join(pairs)}{comma}}}" if pairs or draw(st.booleans()) else ""
    timestamp = draw(st.sampled_from(["", "", "", f"{draw(GAP)}1700000000123"]))
    return f"{draw(SPACE)}{name}{braced}{draw(GAP)}{draw(NUMBER)}{timestamp}{draw(SPACE)}"


@st.composite
def expositions(draw: st.DrawFn) -> str:
    """A valid exposition: metadata, rows, comments and blank lines, in all their variety."""
    lines: list[str] = []
    for name in draw(st.lists(NAME, max_size=4)):
        if draw(st.booleans()):
            lines.append(f"#{draw(GAP)}HELP{draw(GAP)}{name}{draw(GAP)}{draw(TEXT)}")
        if draw(st.booleans()):
            lines.append(f"#{draw(GAP)}TYPE{draw(GAP)}{name}{draw(GAP)}{draw(KIND)}{draw(SPACE)}")
        lines.extend(draw(rows(f"{name}{draw(SUFFIX)}")) for _ in range(draw(st.integers(0, 4))))
        lines.append(draw(st.sampled_from(["", " ", "# a comment", "#", "#HELP x", "# EOF ?"])))
    return "".join(f"{line}\n" for line in lines)


def alike(ours: Iterable[RawFamily], theirs: Iterable[RawFamily]) -> None:
    # As text: NaN equals NaN, and 0.0 is not -0.0.
    assert repr(tuple(ours)) == repr(tuple(theirs))


def never_otherwise(body: bytes) -> None:
    """We may refuse what they read; what both read is the same."""
    reason, ours = outcome(body)
    assert reason in {None, "parse"}
    if reason is None and not body.endswith(b"# EOF\n"):
        # They look for TYPE and HELP also behind "##", which is a comment.
        alike(ours, reference(COMMENT.sub("#", body.decode())))


def outcome(body: bytes) -> tuple[str | None, tuple[RawFamily, ...]]:
    try:
        return None, parse(body)
    except SourceError as error:
        return error.reason, ()


class Families:
    """A collector of what is there, without what has no room in OpenMetrics.

    vLLM shows the creation time of a counter x as a gauge x_created, SGLang a histogram x beside
    x_sum.
    """

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.metrics: list[Metric] = []
        taken: set[str] = set()
        for metric in metrics:
            endings = ("", "_total", "_created", "_sum", "_count", "_bucket")
            names = {metric.name + ending for ending in endings}
            if names.isdisjoint(taken):
                self.metrics.append(metric)
            taken |= names

    def collect(self) -> Iterable[Metric]:
        return self.metrics

    def text(self) -> str:
        registry = CollectorRegistry()
        registry.register(self)
        # Its default replaces colons in rows, but not in their TYPE.
        return openmetrics_text(registry, ALLOWUTF8).decode()


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name} {path.stem}")
def test_a_capture_is_read_as_prometheus_client_reads_it(path: Path) -> None:
    body, parser = path.read_bytes(), ExpositionParser()
    expected = reference(body.decode())
    alike(parser.parse(body), expected)
    alike(parser.parse(body), expected)


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name} {path.stem}")
def test_a_capture_said_in_openmetrics_is_read_alike(path: Path) -> None:
    text = Families(text_string_to_metric_families(path.read_text())).text()
    alike(parse(text.encode()), openmetrics_reference(text))


@settings(max_examples=150, deadline=None)
@given(text=expositions())
def test_any_valid_exposition_is_read_as_prometheus_client_reads_it(text: str) -> None:
    alike(parse(text.encode()), reference(text))


@settings(max_examples=150, deadline=None)
@given(families=openmetrics_families())
def test_any_openmetrics_is_read_as_prometheus_client_reads_it(families: list[Metric]) -> None:
    text = Families(families).text()
    alike(parse(text.encode()), openmetrics_reference(text))


@settings(max_examples=100, deadline=None)
@given(first=expositions(), second=expositions())
def test_what_was_read_before_changes_nothing(first: str, second: str) -> None:
    parser = ExpositionParser()
    for text in (first, second, first):
        alike(parser.parse(text.encode()), reference(text))


@settings(max_examples=1000, deadline=None)
@given(
    lines=st.lists(
        st.text(alphabet='ab_:{}=",\\# \t1.e+-N', max_size=30)
        | st.sampled_from(["# TYPE a counter", "# HELP a", "# TYPE a_b histogram", "a 1"]),
        max_size=5,
    )
)
def test_whatever_looks_like_an_exposition_is_read_alike_or_not_at_all(lines: list[str]) -> None:
    never_otherwise("".join(f"{line}\n" for line in lines).encode())


@settings(max_examples=800, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 4))
def test_a_damaged_capture_is_read_alike_or_not_at_all(seed: int, count: int) -> None:
    rng = random.Random(seed)
    body = rng.choice(SMALL)
    for _ in range(count):
        body = damaged(body, rng)
    never_otherwise(body)
    never_otherwise(body + b"# EOF\n")


def damaged(body: bytes, rng: random.Random) -> bytes:
    """A byte changed, a piece cut out or doubled, or a piece of another capture put in."""
    at = rng.randrange(len(body) + 1)
    to = min(len(body), at + rng.randrange(60))
    other = rng.choice(SMALL)
    start = rng.randrange(len(other))
    return rng.choice(
        [
            body[:at] + bytes([rng.choice(b'{}"\\=, \n\t#_+.0aN\xff')]) + body[at + 1 :],
            body[:at] + body[to:],
            body[:to] + body[at:],
            body[:at] + other[start : start + rng.randrange(200)] + body[at:],
        ]
    )
