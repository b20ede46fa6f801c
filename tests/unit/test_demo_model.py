from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gguf
import pytest

from demo.model import ModelShape, cached_model, write_model

TINY = ModelShape(width=32, layers=1, heads=2, feed_forward=64, context=64)


def test_the_same_shape_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write_model(one, TINY)
    write_model(two, TINY)
    assert one.read_bytes() == two.read_bytes()


def test_a_cached_model_is_not_written_again(tmp_path: Path) -> None:
    path = cached_model(tmp_path, TINY)
    written = path.stat().st_mtime_ns
    assert cached_model(tmp_path, TINY) == path
    assert path.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(ModelShape(width=32, layers=2, heads=2, feed_forward=64), id="other layers"),
        pytest.param(
            ModelShape(width=32, layers=1, heads=2, feed_forward=64, context=64, seed=2),
            id="another seed",
        ),
    ],
)
def test_another_shape_is_another_file(tmp_path: Path, other: ModelShape) -> None:
    assert cached_model(tmp_path, TINY) != cached_model(tmp_path, other)


def test_many_may_write_at_once_and_nothing_half_written_is_seen(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: cached_model(tmp_path, TINY), range(4)))
    assert [*tmp_path.iterdir()] == [*paths]


def test_every_byte_and_the_blank_have_a_token(tmp_path: Path) -> None:
    reader = gguf.GGUFReader(cached_model(tmp_path, TINY))
    tokens = reader.get_field("tokenizer.ggml.tokens").contents()
    assert len(tokens) == 260
    assert tokens[3 + 0x41] == "<0x41>"
