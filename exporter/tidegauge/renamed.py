"""Samples under their old names too, for as long as those are exported.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Sequence

from tidegauge import __version__
from tidegauge.catalog.renames import RENAMES, Rename
from tidegauge.samples import Sample


def with_old_names(
    samples: Sequence[Sample], renames: Sequence[Rename] = RENAMES, *, version: str = __version__
) -> Sequence[Sample]:
    """The samples, and after them those of renamed series once more under the name of before.

    Labels that the old series did not have are left out; of series that are one without them,
    only the first is repeated. A series that is there under its old name anyway is not repeated.
    """
    names = {rename.new: rename for rename in renames if rename.exported(version)}
    if not names:
        return samples
    seen = {(sample.metric.name, sample.labels) for sample in samples}
    repeated: list[Sample] = []
    for sample in samples:
        rename = names.get(sample.metric)
        if rename is None:
            continue
        labels = sample.labels[: len(rename.old.labels)]
        if (rename.old.name, labels) not in seen:
            seen.add((rename.old.name, labels))
            repeated.append(Sample(rename.old, sample.value, labels))
    return (*samples, *repeated)
