"""The semantic vector from a sentence model in an ONNX file, such as MiniLM.

The optional extra `tidegauge[onnx]` brings what runs it. Tokens' embeddings are pooled as
sentence-transformers does: their mean, where the attention mask is 1 (Reimers and Gurevych, 2019).
A model that pools by itself says so by an output named `sentence_embedding`.
"""

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tidegauge.traffic.texts.embedding import EmbeddingError, EmbeddingMissingError, Onnx
from tidegauge.traffic.texts.fitting import DIMENSIONS_MAX, fitted
from tidegauge.traffic.texts.vectors import Embed, rounded

_MISSING = "an ONNX model needs more packages: pip install 'tidegauge[onnx]'"
_Whole = np.int64 | np.int32
_NEEDED, _OPTIONAL = ("input_ids", "attention_mask"), ("token_type_ids",)
_WHOLE: dict[str, type[_Whole]] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_POOLED = "sentence_embedding"
_RANK_OF_TOKENS, _RANK_OF_SENTENCES = 3, 2
_PROBE = "How high is the tide?"
_BLOCK_BYTES = 1 << 20
_SILENT = 4  # of onnxruntime's severities: its errors, which we catch, may have a text's tokens


def onnx_of(model: Path, tokenizer: Path, *, max_tokens: int = 256) -> Onnx:
    """The embedding of two files, once it is known that a text can be embedded with them.

    Files that are what they were are not tried again.

    Raises:
        EmbeddingMissingError: the extra is not installed, or the files are none that will do.
    """
    asked = Onnx(model, tokenizer, _digest(model), _digest(tokenizer), max_tokens)
    _try(asked)
    return asked


def load(onnx: Onnx) -> Embed:
    """Read the model and the tokenizer, about half a second for MiniLM; runs in one thread.

    Raises:
        EmbeddingMissingError: as `onnx_of`.
    """
    if not all(find_spec(package) for package in ("onnxruntime", "tokenizers")):
        raise EmbeddingMissingError(_MISSING)
    # Only here, so that nothing of it is imported where no such vector is asked for.
    import onnxruntime  # noqa: PLC0415
    from tokenizers import Tokenizer  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # so that its CPU time is ours
    options.log_severity_level = _SILENT
    try:
        session = onnxruntime.InferenceSession(
            str(onnx.model), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its classes are its extension module's  # noqa: BLE001
        raise _wrong(onnx.model, f"no model that can be run ({type(error).__name__})") from None
    try:
        tokenizer = Tokenizer.from_file(str(onnx.tokenizer))
        tokenizer.no_padding()
        tokenizer.enable_truncation(onnx.max_tokens, direction="left")
    except Exception:  # it raises no class of its own  # noqa: BLE001
        raise _wrong(onnx.tokenizer, "no tokenizer.json that can be read") from None
    kinds = _inputs(onnx, {each.name: str(each.type) for each in session.get_inputs()})
    output = _output(onnx, [(each.name, len(each.shape)) for each in session.get_outputs()])

    def embed(text: str) -> bytes | None:
        # A lone surrogate, which JSON can spell, is nothing that the tokenizer takes.
        encoding = tokenizer.encode(text.encode("utf-8", "replace").decode())
        if not encoding.ids:
            return None
        rows = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        given = {name: np.array([rows[name]], kind) for name, kind in kinds.items()}
        (found,) = session.run([output], given)
        vector = _pooled(found, np.array(encoding.attention_mask, bool))
        if not np.isfinite(vector).all():
            raise EmbeddingError("onnx: an embedding that is not finite")
        return rounded(fitted(vector))

    return embed


def _digest(path: Path) -> str:
    try:
        stat = path.stat()
        return _digest_of(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from None


@lru_cache(maxsize=8)
def _digest_of(path: Path, _changed: int, _bytes: int) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            found.update(block)
    return found.hexdigest()


@lru_cache(maxsize=2)
def _try(onnx: Onnx) -> None:
    embed = load(onnx)
    try:
        vector = embed(_PROBE)
    except Exception as error:  # of onnxruntime, which has no base class for them  # noqa: BLE001
        reason = f"embeds no text ({type(error).__name__}); is {onnx.tokenizer.name} the model's?"
        raise _wrong(onnx.model, reason) from None
    if vector is None:
        raise _wrong(onnx.model, "makes nothing but zeros of a text")


def _inputs(onnx: Onnx, types: dict[str, str]) -> dict[str, type[_Whole]]:
    """Which kind of number the model takes, by input."""
    right = f"{' and '.join(_NEEDED)}, and may have {_OPTIONAL[0]}"
    if set(types) - {*_NEEDED, *_OPTIONAL} or not set(_NEEDED) <= set(types):
        raise _wrong(onnx.model, f"has inputs {', '.join(sorted(types))}; it needs {right}")
    strange = sorted(name for name, kind in types.items() if kind not in _WHOLE)
    if strange:
        kind = types[strange[0]]
        raise _wrong(onnx.model, f"input {strange[0]} is {kind}; it has to be of whole numbers")
    return {name: _WHOLE[kind] for name, kind in types.items()}


def _output(onnx: Onnx, ranks: list[tuple[str, int]]) -> str:
    if (_POOLED, _RANK_OF_SENTENCES) in ranks:
        return _POOLED
    for name, rank in ranks:
        if rank == _RANK_OF_TOKENS:
            return name
    said = ", ".join(f"{name} of {rank} dimensions" for name, rank in ranks)
    raise _wrong(
        onnx.model, f"has outputs {said}; it needs {_POOLED}, or one of (texts, tokens, numbers)"
    )


def _pooled(found: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    if not 0 < found.shape[-1] <= DIMENSIONS_MAX:
        raise EmbeddingError(f"onnx: an embedding is 1 to {DIMENSIONS_MAX} numbers")
    if found.ndim == _RANK_OF_SENTENCES:
        return np.asarray(found[0], np.float64)
    tokens = np.asarray(found[0][mask], np.float64)
    mean: NDArray[np.float64] = tokens.mean(axis=0)
    return mean


def _wrong(path: Path, reason: str) -> EmbeddingMissingError:
    return EmbeddingMissingError(f"{str(path)!r}: {reason}")
