"""Names that an engine writes and no rule reads: counted, and listed once."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine_server import engine, saying, source_of
from tidegauge.catalog import own
from tidegauge.engines import RawFamily, engine_named
from tidegauge.engines.unmapped import unmapped
from tidegauge.samples import Sample

FIXTURES = Path(__file__).parents[1] / "fixtures" / "engines"
LLAMA = (FIXTURES / "llamacpp-b11434" / "load.prom").read_bytes()
LLAMACPP = replace(engine_named("llamacpp"), prefixes=("llamacpp:",), ignored=("llamacpp:left",))


@pytest.mark.parametrize(
    "names, expected",
    [
        pytest.param(("llamacpp:requests_deferred",), (), id="a name that a rule reads"),
        pytest.param(("llamacpp:prompt_tokens",), (), id="a counter, as its family is called"),
        pytest.param(("llamacpp:prompt_tokens_total",), (), id="a counter whose type is not said"),
        pytest.param(("llamacpp:left",), (), id="a name that is left alone on purpose"),
        pytest.param(("python_info", "process_cpu_seconds"), (), id="names that anybody writes"),
        pytest.param(
            ("llamacpp:b_new", "llamacpp:a_new"),
            ("llamacpp:a_new", "llamacpp:b_new"),
            id="names that are new to us, in order",
        ),
    ],
)
def test_a_name_is_unmapped_or_not(names: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert unmapped([RawFamily(name, ()) for name in names], LLAMACPP) == expected


def renamed(number: int) -> bytes:
    names = "".join(f"# TYPE llamacpp:n{n:03} gauge\nllamacpp:n{n:03} 1\n" for n in range(number))
    return LLAMA + names.encode()


async def test_they_are_counted_at_each_read_and_listed_when_they_change(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    bodies = (renamed(0), renamed(2), renamed(2), renamed(1), renamed(100), renamed(900))
    counts = []
    async with (
        engine(*(saying(body) for body in bodies)) as url,
        source_of(url, pinned=LLAMACPP) as source,
    ):
        for _ in bodies:
            samples = await source.read()
            counts += [s.value for s in samples if s.metric is own.ENGINE_UNMAPPED]
            assert Sample(own.ENGINE_UNMAPPED, counts[-1], ("llamacpp",)) in samples
    start = counts[0]
    assert counts == [start, start + 2, start + 2, start + 1, start + 100, start + 900]
    said = [vars(record)["names"] for record in caplog.records if "unmapped" in record.getMessage()]
    assert len(said) == 5 - (start == 0)
    assert all("llamacpp:n000" in names for names in said[-4:])
    assert all(f"llamacpp:n{n:03}" in said[-2] for n in range(100))
    assert max(map(len, said)) < 10_000
    assert said[-1].endswith(", …")
