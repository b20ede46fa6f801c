"""The parser of expositions, line by line: what it reads, what it refuses, and what that costs."""

import contextlib
import itertools
import time
from collections.abc import Callable

import pytest

from tests.exposition_reference import openmetrics_reference, reference
from tidegauge.engines import RawFamily, RawSeries
from tidegauge.sources import engine_text
from tidegauge.sources.engine_text import LINE_BYTES, ExpositionParser, parse
from tidegauge.sources.source import SourceError


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# TYPE a counter\na 1\n", id="a counter gets _total"),
        pytest.param("# TYPE a_total counter\na_total 1\n", id="a counter's family loses _total"),
        pytest.param(
            "# TYPE a counter\na 1\na_created 7\n", id="a counter's _created is a family of its own"
        ),
        pytest.param(
            '# TYPE a summary\na{quantile="0.5"} 1\na_sum 2\na_count 3\n', id="a summary's rows"
        ),
        pytest.param(
            '# TYPE a histogram\na_bucket{le="1"} 1\na_sum 2\na_count 3\na 4\n',
            id="a histogram has no plain row",
        ),
        pytest.param(
            '# TYPE a gaugehistogram\na_bucket{le="1"} 1\n', id="a type that only OpenMetrics has"
        ),
        pytest.param("a 1\na 2\nb 3\n", id="rows without metadata are a family each"),
        pytest.param("# TYPE a gauge\nb 1\na 1\n", id="a family ends where a stranger begins"),
        pytest.param("# HELP a\n# TYPE b gauge\n", id="families without rows"),
        pytest.param("# HELP\na 1\n", id="help of nothing"),
        pytest.param("# TYPE a gauge\n# HELP a Late.\na 1\n", id="help after the type"),
        pytest.param("#TYPE a counter\n#\n# a TYPE\n#HELP\na 1\n", id="comments"),
        pytest.param("\n \n\t\na 1\n", id="blank lines"),
        pytest.param(" \ta \t 1 \t\n\tb\t2\n  # TYPE c counter\nc 1\n", id="space all over"),
        pytest.param("a 1\r\n# TYPE b counter\r\nb 1\r\n\r\n", id="carriage returns"),
        pytest.param('a{} 1\na{b="c",} 2\na{,b="c"} 3\na {b="c"}4\n', id="commas and braces"),
        pytest.param('a{ b = "c" , d = "e" } 1\n', id="space between labels"),
        pytest.param('a{b=""} 1\n', id="an empty label value"),
        pytest.param('a{b:c="d"} 1\n', id="a colon in a label's name"),
        pytest.param(
            'a{b="\\"\\\\\\n\\x",c="d e"} 1\n', id="escapes, and a backslash that escapes nothing"
        ),
        pytest.param('a{b="} 1",c="{",d="#",e=" # "} 2\n', id="braces and comments in values"),
        pytest.param('# HELP a \\n"x\\\n# TYPE a gauge\na 1\n', id="quotes in help"),
        pytest.param(
            '# TYPE "a b" counter\n{"a b","c d"="e"} 1\n{ f="g", "h" } 2\n',
            id="names in quotes",
        ),
        pytest.param('{__name__="a",b="c"} 1\n', id="the name as a label"),
        pytest.param("a 1.15891634176e+011\na -1.0\n", id="numbers of the wild"),
        pytest.param("a NaN\na +Inf\na -Inf\na Infinity\na nan\n", id="no numbers, by name"),
        pytest.param(f"a {'9' * 400}\na 1e400\na -{'9' * 400}\n", id="numbers beyond floats"),
        pytest.param('a 1 1700000000000\na{b="c"} 2 -5\na\t3\t7\n', id="timestamps"),
        pytest.param(
            'a 1 # {b="c"} 2\na{d="e"} 3 4 # {b="x y"} 5 6\n', id="exemplars where none belong"
        ),
    ],
)
def test_odd_text_is_read_as_prometheus_client_reads_it(text: str) -> None:
    assert repr(parse(text.encode())) == repr(reference(text))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# TYPE a counter\na_total 1\na_created 2\n", id="a counter"),
        pytest.param('# TYPE a summary\na{quantile="0.5"} 1\na_sum 2\na_count 3\n', id="a summary"),
        pytest.param(
            '# TYPE a histogram\na_bucket{le="1.0"} 1 5\n'
            'a_bucket{le="+Inf"} 1 5 # {x="y z"} 0.5 4.5\n'
            "a_sum 2 5\na_count 1 5\na_created 3 5\n",
            id="a histogram with exemplars and timestamps",
        ),
        pytest.param(
            '# TYPE a gaugehistogram\na_bucket{le="+Inf"} 1\na_gcount 1\na_gsum 2\n',
            id="a histogram that falls",
        ),
        pytest.param('# TYPE a info\na_info{b="c"} 1\n', id="info"),
        pytest.param('# TYPE a stateset\na{a="on"} 1\na{a="off"} 0\n', id="a set of states"),
        pytest.param(
            '# HELP a_seconds H\\\\ \\" \\n.\n# TYPE a_seconds gauge\n# UNIT a_seconds seconds\n'
            "a_seconds 1\n",
            id="unit and escapes",
        ),
        pytest.param('a{b="1"} 1\na{b="2"} 2\nc 1\n', id="rows of one name make one family"),
        pytest.param('# TYPE "a b" gauge\n{"a b","c d"="e"} 1\n', id="names in quotes"),
        pytest.param("", id="nothing"),
    ],
)
@pytest.mark.parametrize("content_type", ["application/openmetrics-text; version=1.0.0", "", "x"])
def test_openmetrics_is_known_by_its_end_and_read_as_prometheus_client_reads_it(
    text: str, content_type: str
) -> None:
    text += "# EOF\n"
    assert repr(parse(text.encode(), content_type=content_type)) == repr(
        openmetrics_reference(text)
    )


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("half_a_line", id="no value"),
        pytest.param("NaN", id="no value, and a name that is a number"),
        pytest.param("a x", id="a word for a value"),
        pytest.param("a 1_000", id="Python's underscores"),
        pytest.param("a 1 2 3", id="more than a timestamp"),
        pytest.param("a 1 noon", id="a word for a timestamp"),
        pytest.param("1a 1", id="a name that starts with a digit"),
        pytest.param("ä 1", id="a name that wants quotes"),
        pytest.param("a b{} 1", id="two names"),
        pytest.param('"a"{} 1', id="a quoted name before the brace"),
        pytest.param('{b="c"} 1', id="no name"),
        pytest.param('{"",b="c"} 1', id="an empty name"),
        pytest.param('a{"b"} 1', id="a name too many"),
        pytest.param('a{b="c} 1', id="a value that does not end"),
        pytest.param('a{b="c" 1', id="labels that do not end"),
        pytest.param('a{b="c"d="e"} 1', id="no comma"),
        pytest.param('a{b="c",,d="e"} 1', id="two commas"),
        pytest.param('a{b="c"}"} 1', id="a quote too many"),
        pytest.param("a{b=c} 1", id="a value without quotes"),
        pytest.param("a{b=} 1", id="a label without a value"),
        pytest.param('a{b="c",b="d"} 1', id="a label twice"),
        pytest.param('a{__b="c"} 1', id="a reserved label"),
        pytest.param("# TYPE a", id="no type"),
        pytest.param("# TYPE a metre", id="no such type"),
        pytest.param("# TYPE 1a gauge", id="a type of no name"),
        pytest.param("# HELP 1a text", id="help of no name"),
        pytest.param('# TYPE "a gauge', id="a quoted name that does not end"),
        pytest.param("# TYPE _total counter", id="a counter with nothing but an ending"),
    ],
)
def test_a_wrong_line_is_refused_and_named(line: str) -> None:
    text = "".join(["# TYPE ok gauge\n", *("ok 1\n" for _ in range(9_998)), f"{line}\n", "ok 1\n"])
    with pytest.raises(SourceError) as caught:
        parse(text.encode())
    assert caught.value.reason == "parse"
    assert str(caught.value) == "line 10000 is no exposition text"


@pytest.mark.parametrize(
    "body, content_type, problem",
    [
        pytest.param(b"a 1\nb", "", "line 2 is cut off", id="in mid-line"),
        pytest.param(b"a 1\n", "application/openmetrics-text", "is cut off", id="before # EOF"),
        pytest.param(b"", "application/openmetrics-text", "is cut off", id="before it began"),
        pytest.param(b"a 1\n# EOF\na 2\n# EOF\n", "", "goes on after", id="two answers in one"),
        pytest.param(b"a 1\n" * 9999 + b"\xff\n", "", "not UTF-8 at byte 39996", id="garbage"),
    ],
)
def test_a_damaged_answer_is_refused(body: bytes, content_type: str, problem: str) -> None:
    with pytest.raises(SourceError, match=problem) as caught:
        parse(body, content_type=content_type)
    assert caught.value.reason == "parse"


def test_a_line_may_be_long_but_not_longer() -> None:
    def line(length: int) -> bytes:
        return b'a{b="' + b"c" * (length - 9) + b'"} 1'

    body = b"x 1\n" * 5000 + line(LINE_BYTES) + b"\nx 1\n"
    assert len(parse(body)) == 5002
    with pytest.raises(SourceError, match=f"line 5001 is longer than {LINE_BYTES} bytes"):
        parse(b"x 1\n" * 5000 + line(LINE_BYTES + 1) + b"\nx 1\n")


def test_where_the_text_is_cut_for_parsing_does_not_show() -> None:
    text = "# TYPE x gauge\n" + "".join(f'x{{a="é€😀{n}"}} {n}\n' for n in range(5000))
    assert parse(text.encode()) == reference(text)


def test_parsing_gives_up_when_told_to() -> None:
    body, asked = b"a 1\n" * 100_000, itertools.count()
    with pytest.raises(SourceError, match=r"gave up parsing at line \d+") as caught:
        parse(body, stopped=lambda: next(asked) == 2)
    assert caught.value.reason == "timeout"
    every = iter(range(10**6))
    parse(body, stopped=lambda: next(every) < 0)
    assert next(every) > len(body) / 20_000, "asked every few hundred usual lines"


def test_a_flood_of_rows_is_refused() -> None:
    with pytest.raises(SourceError, match="more than 250000 rows") as caught:
        parse(b"# TYPE a gauge\n" + b"a 1\n" * (engine_text.MAX_ROWS + 20_000))
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(lambda n: 'a{b="' + '\\"' * (n // 2) + '"} 1', id="escaped quotes"),
        pytest.param(lambda n: 'a{b="' + '\\"' * (n // 2), id="escaped quotes without an end"),
        pytest.param(lambda n: 'a{b="' + "\\" * n, id="backslashes"),
        pytest.param(lambda n: "a{" + '"' * n, id="quotes"),
        pytest.param(lambda n: "a{" + '"",' * (n // 3) + "} 1", id="empty names"),
        pytest.param(lambda n: "a{" + 'b="",' * (n // 5) + "} 1", id="labels, all the same"),
        pytest.param(
            lambda n: "a{" + ",".join(f'b{i}=""' for i in range(n // 9)) + "} 1",
            id="labels, all different",
        ),
        pytest.param(lambda n: "{" * n, id="braces"),
        pytest.param(lambda n: "a{" + "}" * n + " 1", id="closing braces"),
        pytest.param(lambda n: "a" + " " * n + "x", id="spaces"),
        pytest.param(lambda n: "a" + " 1" * (n // 2), id="values"),
        pytest.param(lambda n: '# TYPE "' + '\\"' * (n // 2), id="a quoted name without an end"),
        pytest.param(lambda n: "#" + " #" * (n // 2), id="comments"),
        pytest.param(lambda n: "# HELP a " + '"\\' * (n // 2), id="help"),
        pytest.param(lambda n: "a 1 # {" + '"' * n, id="an exemplar"),
    ],
)
def test_a_nasty_line_costs_its_length(line: Callable[[int], str]) -> None:
    body = (line(LINE_BYTES - 200) + "\n").encode()
    began = time.perf_counter()
    with contextlib.suppress(SourceError):
        parse(body)
    # A few milliseconds; what is quadratic takes seconds.
    assert time.perf_counter() - began < 0.3


def test_what_is_remembered_is_bounded() -> None:
    parser = ExpositionParser()
    for batch in range(30):
        text = "".join(f'a{{b{batch}="{n}{"x" * 900}"}} 1\n' for n in range(100))
        parser.parse(f"# TYPE a gauge\n{text}".encode())
    # Looks inside, because memory does not show otherwise.
    remembered = sum(map(len, parser._labels))
    assert 0 < remembered <= engine_text.LABEL_CHARACTERS


def test_a_family_and_a_row_compare_as_values() -> None:
    (family,) = parse(b'# TYPE a gauge\na{b="c"} 1\n')
    assert family == RawFamily("a", (RawSeries("a", 1.0, (("b", "c"),)),))
