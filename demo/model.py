"""The demo engine's model: a llama of random weights over bytes, written in a second and cached.

Its answers are nonsense, its cost is real: the shape below is what sets a replica's speed. Whoever
changes what is written for the same shape raises `_GENERATION`, or old caches live on.
"""

import hashlib
import os
import threading
from dataclasses import astuple, dataclass
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

_GENERATION = 1
_SPECIAL = ("<unk>", "<s>", "</s>")
_SPACE = "\N{LOWER ONE EIGHTH BLOCK}"  # how a SentencePiece vocabulary spells a blank
_CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "assistant:"
)
_SILENT_WEIGHT = -100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """What a model costs: about `layers * (4 * width**2 + 3 * width * feed_forward)` weights."""

    width: int = 384
    layers: int = 6
    heads: int = 6
    feed_forward: int = 1024
    context: int = 4096
    seed: int = 1


def cached_model(folder: Path, shape: ModelShape | None = None) -> Path:
    """The model's file under `folder`, written first if it is not there; many may call at once."""
    shape = shape or ModelShape()
    key = hashlib.sha256(repr((_GENERATION, astuple(shape))).encode()).hexdigest()[:12]
    path = folder / f"random-{key}.gguf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{path.name}.{os.getpid()}.{threading.get_ident()}"
        try:
            write_model(draft, shape)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    return path


def write_model(path: Path, shape: ModelShape) -> None:
    """Write the same bytes for the same shape, whatever the machine's core count or load."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tidegauge-demo-random")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _add_vocabulary(writer)
    for name, tensor in _tensors(shape):
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_vocabulary(writer: gguf.GGUFWriter) -> None:
    kinds = gguf.TokenType
    writer.add_tokenizer_model("llama")
    writer.add_token_list([*_SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), _SPACE])
    writer.add_token_scores([0.0] * _vocabulary_size())
    writer.add_token_types(
        [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL, *[kinds.BYTE] * 256, kinds.NORMAL]
    )
    writer.add_vocab_size(_vocabulary_size())
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(value=True)
    writer.add_add_space_prefix(value=False)
    writer.add_chat_template(_CHAT_TEMPLATE)


def _vocabulary_size() -> int:
    return len(_SPECIAL) + 256 + 1


def _tensors(shape: ModelShape) -> list[tuple[str, NDArray[np.float32]]]:
    """Every weight, in the file's order; rows are outputs, as GGUF wants them.

    Channel 0 of the residual stream is a constant: every token's embedding sets it and no layer
    writes it. The output matrix reads it to keep silent what is no printable character, so that
    each token of an answer is a character that a stream can carry, and none ends the answer.
    """
    rng = np.random.default_rng(shape.seed)
    width, wide = shape.width, shape.feed_forward

    def random(rows: int, columns: int) -> NDArray[np.float32]:
        return rng.standard_normal((rows, columns), dtype=np.float32) / np.float32(columns**0.5)

    ones = np.ones(width, dtype=np.float32)
    embedding = random(_vocabulary_size(), width)
    embedding[:, 0] = 1.0
    output = random(_vocabulary_size(), width) * np.float32(2)
    output[:, 0] = 0.0
    output[_silent_tokens(), 0] = _SILENT_WEIGHT
    tensors = [("token_embd.weight", embedding)]
    for layer in range(shape.layers):
        block = [
            ("attn_norm", ones),
            ("attn_q", random(width, width)),
            ("attn_k", random(width, width)),
            ("attn_v", random(width, width)),
            ("attn_output", _sparing_channel_0(random(width, width))),
            ("ffn_norm", ones),
            ("ffn_gate", random(wide, width)),
            ("ffn_up", random(wide, width)),
            ("ffn_down", _sparing_channel_0(random(width, wide))),
        ]
        tensors += [(f"blk.{layer}.{name}.weight", tensor) for name, tensor in block]
    return [*tensors, ("output_norm.weight", ones), ("output.weight", output)]


def _sparing_channel_0(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    weights[0, :] = 0.0
    return weights


def _silent_tokens() -> list[int]:
    printable = {len(_SPECIAL) + byte for byte in range(0x21, 0x7F)} | {_vocabulary_size() - 1}
    return [token for token in range(_vocabulary_size()) if token not in printable]
