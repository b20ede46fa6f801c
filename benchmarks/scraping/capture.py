"""A capture made as large as wanted: of one data-parallel rank, the rows of several."""

import re

_RANK = 'engine="0"'


def several_ranks(text: str, *, series: int) -> str:
    """The capture as of as many data-parallel ranks as make so many series.

    Raises:
        ValueError: its rows name no rank 0 that could be repeated.
    """
    ranks = 1
    while rows(said := ranked(text, ranks)) < series:
        if _RANK not in text:
            raise ValueError(f"{rows(text)} series, fewer than {series}, and none has {_RANK}")
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
