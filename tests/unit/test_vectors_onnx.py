"""A sentence model in a file embeds texts as its makers do; a file that will not do is one line.

The models are made here: a table of four tokens, and the mask's own arithmetic around it.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tidegauge.cli.vectors import vector_settings
from tidegauge.config.semantic import SemanticConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.server import PlanError
from tidegauge.traffic.texts.embedding import EmbeddingError, EmbeddingMissingError, Onnx
from tidegauge.traffic.texts.fitting import fitted
from tidegauge.traffic.texts.vectorizing import Job
from tidegauge.traffic.texts.vectorizing import load as load_all
from tidegauge.traffic.texts.vectors import rounded
from tidegauge.traffic.texts.vectors_onnx import load, onnx_of

WORDS = ("[UNK]", "tide", "wind", "high")
TABLE = np.array([[1, 0, 0], [0, 2, 0], [0, 0, 4], [0, -2, 8]], np.float32)
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def model(
    path: Path,
    *,
    table: np.ndarray = TABLE,
    inputs: tuple[str, ...] = INPUTS,
    kind: int = TensorProto.INT64,
    pooled: str = "",
    flat: bool = False,
) -> Path:
    """Tokens' rows of `table`; with `pooled` their first row too, by that name."""
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    shape: list[str | int] = ["texts", "tokens", table.shape[1]]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, shape)]
    constants = [numpy_helper.from_array(table, "table")]
    if pooled:
        constants.append(numpy_helper.from_array(np.array(0), "first"))
        nodes.append(helper.make_node("Gather", ["last_hidden_state", "first"], [pooled], axis=1))
        said = helper.make_tensor_value_info(pooled, TensorProto.FLOAT, ["texts", table.shape[1]])
        outputs = [said] if flat else [*outputs, said]
    graph = helper.make_graph(
        nodes,
        "tide",
        [helper.make_tensor_value_info(name, kind, ["texts", "tokens"]) for name in inputs],
        outputs,
        constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(made.SerializeToString())
    return path


def tokenizer(path: Path) -> Path:
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    path.write_text(
        json.dumps(
            {
                "version": "1.0",
                "pre_tokenizer": {"type": "Whitespace"},
                "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
                "padding": {
                    "strategy": {"Fixed": 128},
                    "direction": "Right",
                    "pad_to_multiple_of": None,
                    "pad_id": 0,
                    "pad_type_id": 0,
                    "pad_token": "[PAD]",
                },
            }
        )
    )
    return path


@pytest.fixture
def words(tmp_path: Path) -> Path:
    return tokenizer(tmp_path / "tokenizer.json")


def test_a_text_is_the_mean_of_its_tokens(tmp_path: Path, words: Path) -> None:
    embed = load(onnx_of(model(tmp_path / "a.onnx"), words))
    expected = rounded(fitted(np.array([0.0, 0.0, 4.0])))  # of (0, 2, 0) and (0, -2, 8)
    assert embed("tide high") == expected
    assert embed("") is None


def test_the_end_of_a_long_text_is_embedded(tmp_path: Path, words: Path) -> None:
    embed = load(onnx_of(model(tmp_path / "a.onnx"), words, max_tokens=2))
    assert embed("wind " * 99 + "tide high") == embed("tide high")
    assert embed("\ud800") == embed("?")


def test_a_model_that_pools_by_itself_is_believed(tmp_path: Path, words: Path) -> None:
    embed = load(onnx_of(model(tmp_path / "a.onnx", pooled="sentence_embedding"), words))
    assert embed("tide high") == rounded(fitted(np.array([0.0, 2.0, 0.0])))


@pytest.mark.parametrize("kind", [TensorProto.INT64, TensorProto.INT32])
def test_a_model_may_do_without_types_and_with_narrow_numbers(
    tmp_path: Path, words: Path, kind: int
) -> None:
    embed = load(onnx_of(model(tmp_path / "a.onnx", inputs=INPUTS[:2], kind=kind), words))
    assert embed("wind") == rounded(fitted(np.array([0.0, 0.0, 1.0])))


def test_384_dimensions_are_projected(tmp_path: Path, words: Path) -> None:
    table = np.random.default_rng(1).normal(size=(4, 384)).astype(np.float32)
    embed = load(onnx_of(model(tmp_path / "a.onnx", table=table), words))
    assert embed("wind") == rounded(fitted(table[2].astype(np.float64)))


def test_what_is_not_finite_is_an_error(tmp_path: Path, words: Path) -> None:
    table = TABLE.copy()
    table[2, 0] = np.nan
    used = onnx_of(model(tmp_path / "a.onnx", table=table), words)
    with pytest.raises(EmbeddingError, match="not finite"):
        load(used)("wind")
    vectors = load_all(("style", "semantic"), used)(Job(1, "wind", "Four metres."))
    assert (vectors.semantic, vectors.style is not None) == (None, True)
    assert vectors.failure == "onnx: an embedding that is not finite"


@pytest.mark.parametrize(
    "make,problem",
    [
        pytest.param(
            lambda path: path.write_bytes(b"no protobuf"), "no model that can be run", id="garbage"
        ),
        pytest.param(lambda path: path.write_bytes(b""), "no model that can be run", id="empty"),
        pytest.param(lambda path: None, "cannot be read: No such file", id="nowhere"),
        pytest.param(
            lambda path: model(path, inputs=("input_ids",)),
            "has inputs input_ids; it needs input_ids and attention_mask",
            id="without a mask",
        ),
        pytest.param(
            lambda path: model(path, inputs=(*INPUTS, "pixels")),
            "has inputs attention_mask, input_ids, pixels, token_type_ids; it needs",
            id="with an input that nobody knows",
        ),
        pytest.param(
            lambda path: model(path, pooled="logits", flat=True),
            "has outputs logits of 2 dimensions; it needs sentence_embedding, or one of",
            id="a classifier",
        ),
        pytest.param(
            lambda path: model(path, table=np.zeros((4, 3), np.float32)),
            "makes nothing but zeros",
            id="of zeros",
        ),
        pytest.param(
            lambda path: model(path, table=np.zeros((0, 3), np.float32)),
            "embeds no text",
            id="of fewer tokens than the tokenizer's",
        ),
    ],
)
def test_a_model_that_will_not_do_is_one_line(
    tmp_path: Path,
    words: Path,
    make: Callable[[Path], object],
    problem: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "a.onnx"
    make(path)
    with pytest.raises(EmbeddingMissingError) as caught:
        onnx_of(path, words)
    assert str(caught.value).startswith(f"{str(path)!r}: {problem}")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")  # its library would say which tokens it chokes on


def test_a_tokenizer_that_will_not_do_is_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "tokenizer.json"
    bad.write_text("{}")
    with pytest.raises(EmbeddingMissingError, match=r"no tokenizer\.json that can be read"):
        onnx_of(model(tmp_path / "a.onnx"), bad)


def test_the_extra_that_is_missing_is_named(
    tmp_path: Path, words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = onnx_of(model(tmp_path / "a.onnx"), words)
    monkeypatch.delitem(sys.modules, "onnxruntime")
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(EmbeddingMissingError, match=r"pip install 'tidegauge\[onnx\]'$"):
        load(used)


def test_an_identity_is_of_what_the_files_hold(tmp_path: Path, words: Path) -> None:
    one = onnx_of(model(tmp_path / "a.onnx"), words)
    moved = onnx_of(model(tmp_path / "b.onnx"), words)
    other = onnx_of(model(tmp_path / "c.onnx", table=TABLE * 2), words)
    assert one.identity == moved.identity != other.identity
    assert replace(one, max_tokens=9).identity != one.identity
    assert onnx_of(model(tmp_path / "a.onnx", table=TABLE * 2), words).identity == other.identity
    assert Onnx(Path("a"), Path("b"), "0123456789abcdef", "f" * 64).identity == (
        "onnx 0123456789ab, tokenizer ffffffffffff, 256 tokens"
    )


def test_a_configuration_with_a_bad_model_is_a_mistake(tmp_path: Path, words: Path) -> None:
    bad = tmp_path / "a.onnx"
    bad.write_bytes(b"no protobuf")
    section = SemanticConfig.model_validate({"onnx": {"model": bad, "tokenizer": words}})
    config = TrafficConfig(vectors=("semantic",), semantic=section)
    with pytest.raises(PlanError, match=r"^serve\.traffic\.semantic\.onnx: '.*a\.onnx': no model"):
        vector_settings(config)
    model(bad)
    assert vector_settings(config).embedding == onnx_of(bad, words)
