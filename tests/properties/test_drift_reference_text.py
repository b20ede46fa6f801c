"""Laws of references: what is read back is what was written, and what is broken is refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.drift_references import ROWS, altered, packed, reference_of, unpacked
from tidegauge.drift.reference import DriftReferenceError
from tidegauge.drift.reference_text import dump, load
from tidegauge.sources.drift_files import slug

TEXT = dump(reference_of(ROWS[:12]))
FIELDS = json.loads(TEXT)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def refused(text: str | bytes) -> str:
    with pytest.raises(DriftReferenceError) as caught:
        load(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_what_is_no_reference_is_refused_in_one_line(raw: str | bytes) -> None:
    refused(raw)


@given(st.sampled_from(sorted(FIELDS)), JSON)
def test_a_field_of_any_other_value_is_refused(name: str, value: object) -> None:
    if value == FIELDS[name] or name == "made_by":  # who made it is no content
        return
    refused(altered(TEXT, **{name: value}))


@given(st.integers(0, len(TEXT) - 2), st.binary(min_size=1, max_size=1))
def test_a_byte_that_is_another_is_refused_or_says_nothing(place: int, byte: bytes) -> None:
    raw = TEXT.encode()
    try:
        read = load(raw[:place] + byte + raw[place + 1 :])
    except DriftReferenceError as error:
        assert "\n" not in str(error)  # noqa: PT017  # some bytes are blanks, or of who made it
    else:
        assert read.digest == FIELDS["digest"]


@given(st.data(), st.sampled_from(["blocks", "moments", "sample"]))
@settings(max_examples=60)
def test_bulk_that_is_another_is_refused(data: st.DataObject, name: str) -> None:
    raw = bytearray(unpacked(FIELDS[name]))
    place = data.draw(st.integers(0, len(raw) - 1) | st.integers(0, 40))
    changed = data.draw(st.binary(min_size=1, max_size=16))
    raw[place : place + len(changed)] = changed
    if bytes(raw) != unpacked(FIELDS[name]):
        refused(altered(TEXT, **{name: packed(bytes(raw))}))


@given(st.lists(st.text(min_size=1, max_size=300), unique=True, min_size=2, max_size=20))
def test_names_of_models_are_names_of_files_one_each(models: list[str]) -> None:
    slugs = [slug(model) for model in models]

    assert len(set(slugs)) == len(models)
    assert all(len(name) < 200 and name.isascii() and "/" not in name for name in slugs)
    assert not any(name.startswith(".") for name in slugs)
