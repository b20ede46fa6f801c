"""Names of series don't vanish: a renamed one lives on for two releases, a removed one is found."""

from pathlib import Path

import pytest

from tidegauge import __version__
from tidegauge.catalog import CATALOG, Metric
from tidegauge.catalog.renames import RENAMES, Rename
from tidegauge.renamed import with_old_names
from tidegauge.samples import Sample

RELEASED = Path(__file__).parents[1] / "golden" / "released-series.txt"
HEAD = """\
# Every series that a release has had: name, kind, labels. A name never leaves this list; its series
# may be renamed, by an entry in catalog/renames.py. New ones are added at a release, by
# pytest tests/unit/test_renames.py --update-golden
"""

OLD = Metric("llm_old_seconds_total", "counter", "Old.", ("model",), "seconds")
NEW = Metric("llm_new_seconds_total", "counter", "New.", ("model", "kind"), "seconds")
OTHER = Metric("llm_other", "gauge", "Other.")
RENAME = Rename(OLD, NEW, since="0.3", removed_in="0.5")


def described(metric: Metric) -> str:
    return " ".join((metric.name, metric.kind, ",".join(metric.labels))).strip()


def lost(lines: list[str], catalogue: dict[str, Metric], renames: tuple[Rename, ...]) -> list[str]:
    """Released series, as the list has them, that would break who uses them."""
    known = {**{rename.old.name: rename.old for rename in renames}, **catalogue}
    broken = []
    for line in lines:
        name, kind, *labels = line.split()
        metric = known.get(name)
        kept = metric and metric.kind == kind
        if not (kept and set(",".join(labels).split(",")) - {""} <= set(metric.labels)):
            broken.append(line)
    return broken


def test_no_released_series_has_vanished(request: pytest.FixtureRequest) -> None:
    lines = [line for line in RELEASED.read_text().splitlines() if not line.startswith("#")]
    catalogue = {metric.name: metric for metric in CATALOG}
    assert lost(lines, catalogue, RENAMES) == []
    if request.config.getoption("--update-golden"):
        gone = [line for line in lines if line.split()[0] not in catalogue]
        lines = sorted({*gone, *map(described, CATALOG)})
        RELEASED.write_text(HEAD + "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize(
    "catalogue, renames, expected",
    [
        pytest.param([OLD], (), [], id="kept"),
        pytest.param([NEW], (RENAME,), [], id="renamed"),
        pytest.param([NEW], (), [described(OLD)], id="renamed, but nobody was told"),
        pytest.param([], (), [described(OLD)], id="removed"),
        pytest.param(
            [Metric(OLD.name, "counter", "Old.", (), "seconds")],
            (),
            [described(OLD)],
            id="with a label less",
        ),
        pytest.param(
            [Metric(OLD.name, "counter", "Old.", ("kind", "model"), "seconds")],
            (),
            [],
            id="with a label more",
        ),
    ],
)
def test_what_counts_as_vanished(
    catalogue: list[Metric], renames: tuple[Rename, ...], expected: list[str]
) -> None:
    known = {metric.name: metric for metric in catalogue}
    assert lost([described(OLD)], known, renames) == expected


def test_old_names_that_should_be_gone_are_not_exported_any_more() -> None:
    names = {metric.name for metric in CATALOG}
    assert not [r.old.name for r in RENAMES if r.old.name in names]
    assert not [r.new.name for r in RENAMES if r.exported(__version__) and r.new.name not in names]


SAMPLES = (
    Sample(OTHER, 1),
    Sample(NEW, 2, ("m", "a")),
    Sample(NEW, 3, ("m", "b")),
    Sample(NEW, 4, ("n", "a")),
)


@pytest.mark.parametrize("version", ["0.2.9", "0.3.0", "0.4.7"])
def test_a_renamed_series_lives_on_under_its_old_name(version: str) -> None:
    assert with_old_names(SAMPLES, (RENAME,), version=version) == (
        *SAMPLES,
        Sample(OLD, 2, ("m",)),
        Sample(OLD, 4, ("n",)),
    )


@pytest.mark.parametrize("version", ["0.5.0", "0.6.1", "1.0.0"])
def test_until_the_release_that_removes_it(version: str) -> None:
    assert with_old_names(SAMPLES, (RENAME,), version=version) is SAMPLES


def test_a_series_that_is_there_under_its_old_name_is_not_repeated() -> None:
    samples = (Sample(OLD, 9, ("m",)), Sample(NEW, 2, ("m", "a")))
    assert with_old_names(samples, (RENAME,), version="0.3.0") == samples


@pytest.mark.parametrize(
    "old, new, since, removed_in, message",
    [
        pytest.param(OLD, OLD, "0.3", "0.5", "the name is the same", id="to itself"),
        pytest.param(
            OLD, OTHER, "0.3", "0.5", "counter can't become a gauge", id="to another kind"
        ),
        pytest.param(NEW, OLD, "0.3", "0.5", "must begin with", id="with a label less"),
        pytest.param(
            OLD, NEW, "0.3", "0.4", "from 0.3 to 0.4: not 2 minor releases", id="for one release"
        ),
        pytest.param(OLD, NEW, "soon", "0.4", "'soon' is no release", id="some time"),
    ],
)
def test_a_rename_that_would_break_users_is_refused(
    old: Metric, new: Metric, since: str, removed_in: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Rename(old, new, since, removed_in)


def test_across_a_major_release() -> None:
    assert Rename(OLD, NEW, "0.9", "1.0").exported("0.12.0")
