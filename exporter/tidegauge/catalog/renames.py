"""Series that have been renamed, and the release from which their old names are gone.

A renamed series is exported under both names for KEPT_RELEASES minor releases at least. An entry
stays in RENAMES for good, so that what became of a name can be looked up.
No clock, no network, no logging: same arguments, same answer.
"""

import re
from dataclasses import dataclass

from tidegauge.catalog.metric import Metric

KEPT_RELEASES = 2

_RELEASE = re.compile(r"^(\d+)\.(\d+)(\.\d+)?$")


@dataclass(frozen=True, slots=True)
class Rename:
    """`old` is `new` since a release, and ends with another; releases are written `0.4`.

    `new` has the same kind and the same labels, and may have more labels after them.

    Raises:
        ValueError: the two don't fit, or the old name would end too early.
    """

    old: Metric
    new: Metric
    since: str
    removed_in: str

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise ValueError(f"rename of {self.old.name} to {self.new.name}: {problem}")

    def exported(self, version: str) -> bool:
        """Whether a release of that version still has the old name."""
        return release(version) < release(self.removed_in)


RENAMES: tuple[Rename, ...] = ()


def release(version: str) -> tuple[int, int]:
    """The minor release of a version.

    Raises:
        ValueError: that is no version.

    >>> release("0.4"), release("1.12.3")
    ((0, 4), (1, 12))
    """
    found = _RELEASE.match(version)
    if found is None:
        raise ValueError(f"{version!r} is no release; write such as 0.4")
    return int(found[1]), int(found[2])


def _problem(rename: Rename) -> str | None:
    old, new = rename.old, rename.new
    checks = (
        (old.name == new.name, "the name is the same"),
        (old.kind != new.kind, f"a {old.kind} can't become a {new.kind}"),
        (
            new.labels[: len(old.labels)] != old.labels,
            f"labels {new.labels!r} must begin with {old.labels!r}",
        ),
        (
            release(rename.removed_in) < _earliest(rename.since),
            f"from {rename.since} to {rename.removed_in}: not {KEPT_RELEASES} minor releases",
        ),
    )
    return next((text for broken, text in checks if broken), None)


def _earliest(since: str) -> tuple[int, int]:
    major, minor = release(since)
    return major, minor + KEPT_RELEASES
