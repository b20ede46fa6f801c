r"""A digest of each group of a model's files: weights, config, tokenizer.

    digest = sha256 over the group's files, sorted by their path within the model:
             path "\0" size "\0" sha256(content) "\n"

Content is the whole file for config and tokenizer, and for weights of at most 2 MiB; of larger
weights it is the first and the last MiB, where safetensors and GGUF keep names, shapes and types
of all tensors and some of their values. A model that was retrained, quantised or converted
differs there; a few bytes altered in the middle of a file do not show.

Reads disks: run it in a thread. A file is read again only when its size, times or inode change.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

SAMPLE_BYTES = 1024 * 1024
MAX_FILES = 10_000  # a folder with more is no model: somebody configured / by mistake

Group = Literal["weights", "config", "tokenizer"]
GROUPS: tuple[Group, ...] = get_args(Group)

_WEIGHTS = (".safetensors", ".gguf", ".bin", ".pt", ".pth")
_CONFIG = ("config.json", "generation_config.json", "params.json")
_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tekken.json",
    "chat_template.json",
    "chat_template.jinja",
)


@dataclass(frozen=True, slots=True)
class _State:
    """What tells whether a file has to be read again."""

    size: int
    modified_ns: int
    inode: int


class Fingerprints:
    """Digests of the model at `path`: a folder, or a single file of weights."""

    def __init__(self, path: Path, *, max_files: int = MAX_FILES) -> None:
        self._path = path
        self._max_files = max_files
        self._read: dict[Path, tuple[_State, str]] = {}

    def read(self, stopped: Callable[[], bool] = lambda: False) -> dict[str, str]:
        """The digest of each group that has files. `stopped` is asked before each file.

        Raises:
            OSError: a file cannot be read, or there are none; nothing is known then.
        """
        found = {group: sorted(self._files(group)) for group in GROUPS}
        if not any(found.values()):
            raise FileNotFoundError(f"{self._path}: no files of a model")
        kept: dict[Path, tuple[_State, str]] = {}
        digests: dict[str, str] = {}
        for group, paths in found.items():
            whole = hashlib.sha256()
            for path in paths:
                if stopped():
                    raise InterruptedError(f"{self._path}: not read to the end")
                state, content = kept[path] = self._content(path, sampled=group == "weights")
                whole.update(f"{self._name(path)}\0{state.size}\0{content}\n".encode())
            if paths:
                digests[group] = whole.hexdigest()
        self._read = kept
        return digests

    def _files(self, group: Group) -> Iterator[Path]:
        if self._path.is_file():
            if group == "weights":
                yield self._path
            return
        for number, path in enumerate(_walk(self._path)):
            if number >= self._max_files:
                most = self._max_files
                raise OSError(f"{self._path}: more than {most} files; name a model's folder")
            if _group(path.name) == group:
                yield path

    def _name(self, path: Path) -> str:
        return path.name if path == self._path else path.relative_to(self._path).as_posix()

    def _content(self, path: Path, *, sampled: bool) -> tuple[_State, str]:
        with path.open("rb") as file:
            seen = os.fstat(file.fileno())
            state = _State(seen.st_size, seen.st_mtime_ns, seen.st_ino)
            before = self._read.get(path)
            if before and before[0] == state:
                return before
            content = hashlib.sha256()
            if not sampled or state.size <= 2 * SAMPLE_BYTES:
                while block := file.read(SAMPLE_BYTES):
                    content.update(block)
            else:
                content.update(file.read(SAMPLE_BYTES))
                file.seek(-SAMPLE_BYTES, os.SEEK_END)
                content.update(file.read(SAMPLE_BYTES))
        return state, content.hexdigest()


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below, hidden folders (.git, .cache) left out.

    Raises:
        OSError: a folder cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            yield Path(parent, name)


def _group(name: str) -> Group | None:
    if name in _TOKENIZER:
        return "tokenizer"
    if name in _CONFIG or name.endswith(".index.json"):
        return "config"
    return "weights" if name.endswith(_WEIGHTS) else None
