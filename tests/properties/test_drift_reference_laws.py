"""Laws of reading a reference, for any input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.drift.reference import DriftReferenceError
from tidegauge.drift.reference_text import load


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_reading_a_reference_raises_only_its_own_error(raw: bytes | str) -> None:
    with pytest.raises(DriftReferenceError):
        load(raw)
