"""The semantic vector: the mean of the embeddings of a text's tokens, from WordLlama's files.

The optional extra `tidegauge[semantic]` brings them. They are read where they lie: importing the
package would pull in an HTTP client and its compiled modules, and its loader may ask the network.
"""

from collections.abc import Callable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tidegauge.traffic.texts.vectors import Embed, rounded

TEXT_CHARS = 1024
"""How much of a text is embedded: from its end, since a prompt's end is what its user said."""

_MISSING = "the semantic vector needs more packages: pip install 'tidegauge[semantic]'"
_WEIGHTS = "wordllama/weights/l2_supercat_256.safetensors"
_TOKENIZER = "wordllama/tokenizers/l2_supercat_tokenizer_config.json"
_TENSOR = "embedding.weight"


class SemanticMissingError(Exception):
    """What the semantic vector is made with is not installed; the message says what to do."""


def folder(find: Callable[[str], Distribution] = distribution) -> Path:
    """Where WordLlama's files are, once everything that `load` needs is there. Reads no weights.

    Raises:
        SemanticMissingError: something is not.
    """
    try:
        found = [find(name) for name in ("safetensors", "tokenizers", "wordllama")]
    except PackageNotFoundError:
        raise SemanticMissingError(_MISSING) from None
    packages = Path(str(found[-1].locate_file("")))
    for file in (_WEIGHTS, _TOKENIZER):
        if not (packages / file).is_file():
            raise SemanticMissingError(f"{_MISSING} (this wordllama has no {Path(file).name})")
    return packages


def load() -> Embed:
    """Read 16 MB of weights and a tokenizer, about 0.2 s.

    Raises:
        SemanticMissingError: they are not installed.
    """
    packages = folder()
    # Only here, so that nothing of it is imported where no semantic vector is asked for.
    from safetensors.numpy import load_file  # noqa: PLC0415
    from tokenizers import Tokenizer  # noqa: PLC0415

    weights: NDArray[np.float16] = load_file(packages / _WEIGHTS)[_TENSOR]
    tokenizer = Tokenizer.from_file(str(packages / _TOKENIZER))

    def embed(text: str) -> bytes | None:
        # A lone surrogate, which JSON can spell, is nothing that the tokenizer takes.
        whole = text[-TEXT_CHARS:].encode("utf-8", "replace").decode()
        tokens = tokenizer.encode(whole, add_special_tokens=False).ids
        return rounded(weights[tokens].mean(axis=0, dtype=np.float64)) if tokens else None

    return embed
