"""Versions as drivers, engines and libraries write them, and the ranges they must lie in.

No clock, no network, no logging: same arguments, same answer.
"""

import re

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

_NUMBERS = re.compile(r"^[a-z]?(\d+(?:\.\d+)*)", re.IGNORECASE | re.ASCII)


def version_of(text: str) -> Version | None:
    """The version that a text says; None if it says none.

    What is no version by PEP 440 counts by its leading numbers: llama.cpp says b11434-0cf2f7a, and
    b0-unknown where it was built outside its repository, which is none.

    >>> version_of("550.54.14") < version_of("580.65.06"), str(version_of("b11434-0cf2f7a"))
    (True, '11434')
    >>> version_of("unknown"), version_of("b0-unknown")
    (None, None)
    """
    try:
        return Version(text)
    except InvalidVersion:
        found = _NUMBERS.match(text.strip())
        return Version(found[1]) if found and found[1] != "0" else None


def within(version: Version, specifier: str) -> bool:
    """Whether the version lies in the range. Pre-releases count by their number.

    >>> within(Version("2.8.0+cu128"), "==2.8.0"), within(Version("0.11.0rc1"), ">=0.10,<0.33")
    (True, True)
    """
    return SpecifierSet(specifier).contains(version, prereleases=True)
