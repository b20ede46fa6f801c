"""References for tests of drift."""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence

from tests.unit.drift_rows import random_rows
from tidegauge.drift.reference import Reference
from tidegauge.drift.row import Row
from tidegauge.drift.sketch import Sketch

BEGIN = 1.8e9
ROWS = random_rows(150)


def sketch_of(
    rows: Sequence[Row] = ROWS, *, model: str = "chat", begin: float = BEGIN, step: float = 3.0
) -> Sketch:
    """A request every `step` seconds."""
    sketch = Sketch(model)
    for place, row in enumerate(rows):
        sketch.add(row, at=begin + step * place)
    return sketch


def reference_of(
    rows: Sequence[Row] = ROWS, *, model: str = "chat", semantic: str = "words", step: float = 3.0
) -> Reference:
    """Of a sketch of these."""
    sketch = sketch_of(rows, model=model, step=step)
    return Reference.of(sketch, made_by="0.1.0", semantic=semantic)


def packed(raw: bytes) -> str:
    """As the bulk of a reference's text."""
    return b64encode(zlib.compress(raw, 1)).decode()


def unpacked(text: str) -> bytes:
    """What `packed` was given."""
    return zlib.decompress(b64decode(text))


def altered(text: str, /, **fields: object) -> str:
    """The text with other fields; None leaves one out."""
    tree = json.loads(text) | fields
    return json.dumps({key: value for key, value in tree.items() if value is not None})
