"""References: equal content is equal, whoever merged it; written and read back it is the same."""

import json

import numpy as np
import pytest

from tests.unit.drift_references import (
    BEGIN,
    ROWS,
    altered,
    packed,
    reference_of,
    sketch_of,
    unpacked,
)
from tidegauge.drift import reference_bulk as bulk
from tidegauge.drift.reference import DriftReferenceError, DriftVersionError, Reference, merged
from tidegauge.drift.reference_text import MAX_TEXT_BYTES, dump, load
from tidegauge.drift.row import Row
from tidegauge.drift.sketch import Sketch

TEXT = dump(reference_of())
FIELDS = json.loads(TEXT)
BULK = {name: unpacked(FIELDS[name]) for name in ("blocks", "moments", "sample")}


def replicas() -> list[Reference]:
    """Three sidecars that saw every third request each."""
    sketches = [Sketch("chat") for _ in range(3)]
    for place, row in enumerate(ROWS):
        sketches[place % 3].add(row, at=BEGIN + 3.0 * place)
    return [Reference.of(sketch, made_by="0.1.0", semantic="words") for sketch in sketches]


def block_with(number: int, value: int) -> str:
    """The blocks, one number of the first changed."""
    raw = np.frombuffer(BULK["blocks"], "<i8").copy()
    raw[number] = value
    return packed(raw.tobytes())


def sample_with(offset: int, raw: bytes) -> str:
    """The sample, some bytes changed."""
    whole = bytearray(BULK["sample"])
    whole[offset : offset + len(raw)] = raw
    return packed(bytes(whole))


def test_written_and_read_back_it_is_the_same() -> None:
    read = load(TEXT)

    assert read == load(TEXT.encode()) == reference_of()
    assert bulk.content(read.sketch) == bulk.content(sketch_of())
    assert (read.sketch.begin, read.sketch.end) == (BEGIN, BEGIN + 3.0 * 149)
    assert dump(read) == TEXT


def test_the_head_can_be_read_by_people() -> None:
    head = TEXT[: TEXT.index(' "blocks"')]

    assert head.startswith('{"format": 2,\n "model": "chat",\n "features": "')
    assert '"requests": 150,\n "block_seconds": 10.0,\n "digest": "' in head


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)], ids=str)
def test_replicas_merged_in_any_order_are_one_sidecar(order: tuple[int, ...]) -> None:
    found = replicas()
    whole = merged([load(dump(found[place])) for place in order], made_by="0.2.0")

    assert whole.digest == reference_of().digest
    assert bulk.content(whole.sketch) == bulk.content(sketch_of())


def test_merging_leaves_the_merged_as_they_were() -> None:
    first, second, _ = replicas()
    before = first.digest

    merged([first, second], made_by="0.1.0")

    assert Reference.of(first.sketch, made_by="0.1.0", semantic="words").digest == before


def test_other_content_has_another_digest_and_another_maker_none() -> None:
    usual = reference_of()

    assert reference_of(ROWS[:149]).digest != usual.digest
    assert reference_of(model="code").digest != usual.digest
    assert reference_of(semantic="other").digest != usual.digest
    assert Reference.of(sketch_of(), made_by="9", semantic="words").digest == usual.digest


def test_references_of_other_models_or_embeddings_do_not_merge() -> None:
    with pytest.raises(DriftReferenceError, match=r"^model 'code': is not 'chat'$"):
        merged([reference_of(), reference_of(model="code")], made_by="0")
    with pytest.raises(DriftReferenceError, match=r"^semantic: vectors of 'other' cannot be added"):
        merged([reference_of(), reference_of(semantic="other")], made_by="0")
    assert merged([reference_of(semantic=""), reference_of()], made_by="0").semantic == "words"


def test_references_whose_blocks_do_not_fit_do_not_merge() -> None:
    odd = Sketch("chat", block_seconds=15.0)
    odd.add(ROWS[0], at=BEGIN)

    with pytest.raises(DriftReferenceError, match=r"^block_seconds: 15 s is not 10 s doubled"):
        merged([reference_of(), Reference.of(odd, made_by="0")], made_by="0")


def test_references_with_and_without_times_do_not_merge() -> None:
    untimed = Reference.of(sketch_of(begin=0.0), made_by="0", semantic="words")

    with pytest.raises(DriftReferenceError, match=r"^begin: the requests of only one of the two"):
        merged([reference_of(), untimed], made_by="0")
    assert merged([untimed, untimed], made_by="0").sketch.requests == 300


def test_no_requests_and_no_model_make_no_reference() -> None:
    with pytest.raises(DriftReferenceError, match=r"^model 'chat': a reference of no requests"):
        Reference.of(Sketch("chat"), made_by="0")
    with pytest.raises(DriftReferenceError, match=r"^model '': "):
        Reference.of(sketch_of(model=""), made_by="0")


def test_a_row_of_which_little_is_known_is_kept() -> None:
    reference = reference_of([Row(()), Row((3,), (None, ROWS[0].vectors[1]))])

    assert load(dump(reference)).sketch.sample == reference.sketch.sample


def test_a_sketch_with_as_many_blocks_as_there_can_be_is_read_back() -> None:
    wide = sketch_of([Row(row.cells) for row in ROWS] * 14, step=10.0)
    reference = Reference.of(wide, made_by="0")

    assert wide.block_seconds > 10
    assert load(dump(reference)).digest == reference.digest


ALTERED = "the file was altered or cut, build the reference again"


@pytest.mark.parametrize(
    "fields,message",
    [
        pytest.param({"format": 1}, "format: 1 is not that of this tidegauge (2); build the "
            "reference again", id="an older format"),
        pytest.param({"features": "1.9"}, "features: '1.9' is not the version of this tidegauge "
            f"('{FIELDS['features']}'); build the reference again", id="other features"),
        pytest.param({"model": "code"}, "does not match the content", id="renamed by hand"),
        pytest.param({"model": ""}, "model: String should have at least 1 character, not ''",
            id="no name"),
        pytest.param({"model": None}, "model: is missing", id="no model"),
        pytest.param({"model": 7}, "model: Input should be a valid string, not 7", id="a number"),
        pytest.param({"text": "hello"}, "text: Unexpected keyword argument, not 'hello'",
            id="a field that does not belong"),
        pytest.param({"begin": -1.0}, "begin: Input should be greater than or equal to 0, not -1.0",
            id="before 1970"),
        pytest.param({"begin": float("inf")}, "begin: Input should be", id="without a begin"),
        pytest.param({"end": 1.0}, f"begin: {BEGIN} is after end (1.0)", id="it ends before"),
        pytest.param({"end": BEGIN + 9999}, "blocks: do not reach from begin to end; " + ALTERED,
            id="an end beyond its blocks"),
        pytest.param({"block_seconds": 0.0}, "block_seconds: Input should be greater than",
            id="blocks of no time"),
        pytest.param({"requests": 0}, "requests: Input should be greater than or equal to 1, not 0",
            id="no requests"),
        pytest.param({"requests": 151}, "requests: 151, and its blocks have 150", id="one more"),
        pytest.param({"requests": 1.5}, "requests: Input should be a valid integer", id="a half"),
        pytest.param({"digest": "0" * 16}, "digest: '0000000000000000' does not match the content",
            id="another digest"),
        pytest.param({"blocks": "%"}, "blocks: is no base64", id="no base64"),
        pytest.param({"blocks": "QUJD"}, "blocks: Error -3 while decompressing", id="no zlib"),
        pytest.param({"blocks": FIELDS["blocks"][:400]}, "blocks: is cut", id="cut"),
        pytest.param({"blocks": packed(b"x" * 80)}, "blocks: 80 bytes are no blocks of",
            id="no whole blocks"),
        pytest.param({"blocks": packed(b"")}, "blocks: 0 bytes are no blocks", id="no blocks"),
        pytest.param({"blocks": packed(bytes(bulk.MAX_BLOCKS_BYTES + 1))},
            f"blocks: holds more than {bulk.MAX_BLOCKS_BYTES} bytes", id="a bomb"),
        pytest.param({"sample": packed(bytes(1 << 26))},
            f"sample: holds more than {bulk.MAX_SAMPLE_BYTES} bytes", id="a bomb of a sample"),
        pytest.param({"blocks": block_with(2, -1)}, "blocks.0: a count of -1 of 4 requests",
            id="a count below zero"),
        pytest.param({"blocks": block_with(2, 5)}, "blocks.0: a count of 5 of 4 requests",
            id="a count above all requests"),
        pytest.param({"blocks": block_with(1, 0)}, "blocks.0: 0 requests; there must be 1 or more",
            id="a block of no requests"),
        pytest.param({"blocks": block_with(0, 1 << 60)}, "blocks: are not in the order of time",
            id="blocks out of order"),
        pytest.param({"blocks": block_with(0, -(1 << 62))}, "blocks: do not reach from begin",
            id="a block before the beginning"),
        pytest.param({"moments": packed(BULK["moments"][:-8])}, "moments: 526328 bytes; there must",
            id="moments that lack one"),
        pytest.param({"moments": packed(b"\xff" * len(BULK["moments"]))},
            "moments: cannot be those of 150 vectors", id="squares below zero"),
        pytest.param({"sample": packed(BULK["sample"][:-1])}, "sample: is cut", id="a cut sample"),
        pytest.param({"sample": packed(b"")}, "sample: 0 requests; of 150 there must be 150",
            id="no sample"),
        pytest.param({"sample": sample_with(10, b"\xff\xff")}, "sample: cell 65535; there are",
            id="a cell that is none"),
        pytest.param({"sample": sample_with(10, b"\x01\x00\x00\x00")},
            "sample: a request has two values of a channel", id="two cells of a channel"),
        pytest.param({"sample": sample_with(10 + 2 * len(ROWS[0].cells), bytes(256))},
            "sample: a vector without a direction", id="a vector of zeros"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(fields: dict[str, object], message: str) -> None:
    with pytest.raises(DriftReferenceError) as caught:
        load(altered(TEXT, **fields))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, DriftVersionError) == ("of this tidegauge" in message)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff\xfe\x00", b"null", b"[" * 10_000])
def test_what_is_no_reference_is_refused(raw: bytes) -> None:
    with pytest.raises(DriftReferenceError):
        load(raw)


def test_a_reference_of_the_first_format_is_told_from_the_rest() -> None:
    first = '{"format": 1, "model": "chat", "features": "2", "digest": "", "channels": []}'

    with pytest.raises(DriftVersionError, match="format: 1 is not that of this tidegauge"):
        load(first)


def test_a_text_without_end_is_not_even_parsed() -> None:
    with pytest.raises(DriftReferenceError, match="a reference has at most"):
        load(b" " * (MAX_TEXT_BYTES + 1))


def test_a_reference_cut_anywhere_is_refused() -> None:
    for end in range(0, len(TEXT) - 2, len(TEXT) // 40):
        with pytest.raises(DriftReferenceError):
            load(TEXT[:end])
