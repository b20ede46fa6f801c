"""The capture that an engine is played from: chosen, and made as large as wanted.

Of one data-parallel rank, the rows of several; rows of an engine without ranks get one.
"""

import re
from pathlib import Path

from benchmarks.scraping.files import NoCaptureError, exposition, files

_RANK = 'engine="0"'
_ROW = re.compile(r"(?m)^([^#\s{]+)(?:\{(\}?)|(?= ))")
_VLLM = re.compile(r"(?m)^(?:ray_)?vllm[:_]")


def largest(data: Path) -> tuple[Path, str]:
    """The file, or of a folder's captures vLLM's largest, and its text; any engine's in need.

    Raises:
        NoCaptureError: none of them is a capture.
    """
    found: list[tuple[bool, int, Path, str]] = []
    for path in files(data):
        try:
            text = exposition(path)
        except NoCaptureError:
            if path == data:
                raise
            continue
        found.append((bool(_VLLM.search(text)), rows(text), path, text))
    if not found:
        raise NoCaptureError("no capture there")
    *_, path, text = max(found)
    return path, text


def several_ranks(text: str, *, series: int) -> str:
    """The capture as of as many data-parallel ranks as make so many series."""
    if rows(text) < series and _RANK not in text:
        text = _ROW.sub(_with_rank, text)
    ranks = 1
    while rows(said := ranked(text, ranks)) < series and _RANK in text:
        ranks += 1
    return said


def ranked(text: str, ranks: int) -> str:
    return "".join(
        line.replace(_RANK, f'engine="{rank}"')
        for line in text.splitlines(keepends=True)
        for rank in range(ranks if _RANK in line else 1)
    )


def rows(text: str) -> int:
    return len(re.findall(r"(?m)^[^#\n]", text))


def _with_rank(row: re.Match[str]) -> str:
    name, closed = row.groups()
    if closed is None:
        return f"{name}{{{_RANK}}}"
    return f"{name}{{{_RANK}{closed or ','}"
