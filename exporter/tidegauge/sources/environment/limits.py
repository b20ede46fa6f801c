"""What the owner declares: where good ends. Facts are judged against it.

No clock, no network, no logging: values only.
"""

from dataclasses import dataclass

GIB = 1024**3
MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Range:
    """Versions of `name` that are known to work, as packaging.specifiers writes them."""

    name: str
    specifier: str


@dataclass(frozen=True, slots=True)
class Limits:
    """`shared_memory_always`: judge it also where fewer than two GPUs need it.

    `weights`, `config` and `tokenizer` are the beginning of the digest that the files must have;
    empty: the one they had when the engine came up.
    """

    ranges: tuple[Range, ...] = ()
    disk_free_ratio: float = 0.05
    disk_free_bytes: int = GIB
    shared_memory_bytes: int = GIB
    shared_memory_free_bytes: int = 128 * MIB
    shared_memory_always: bool = False
    clock_error_seconds: float = 1.0
    clock_required: bool = False
    descriptors_ratio: float = 0.8
    weights: str = ""
    config: str = ""
    tokenizer: str = ""
