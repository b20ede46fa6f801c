"""Bins learned from lengths, and how a length falls into them."""

import pytest

from tidegauge.drift.bins import ClassBins, LengthBins, quantile_bins


@pytest.mark.parametrize(
    "lengths,labels",
    [
        pytest.param(
            range(80), ("0-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+"),
            id="even lengths give eight even bins",
        ),
        pytest.param([16] * 100, ("0-15", "16", "17+"), id="a constant: below, equal, above"),
        pytest.param([0] * 100, ("0", "1+"), id="nothing is below zero"),
        pytest.param([1] * 100, ("0", "1", "2+"), id="one is above zero"),
        pytest.param(
            [3] * 5 + [16] * 90 + [30] * 5, ("0-15", "16", "17+"),
            id="a common length stands alone though others occur",
        ),
        pytest.param([4] * 50 + [8] * 50, ("0-3", "4", "5-7", "8", "9+"), id="two values"),
        pytest.param([5], ("0-4", "5", "6+"), id="a single request"),
    ],
)  # fmt: skip
def test_bins_by_the_references_quantiles(lengths: list[int], labels: tuple[str, ...]) -> None:
    assert quantile_bins(list(lengths)).labels == labels


@pytest.mark.parametrize(
    "length,label",
    [(0, "0-34"), (34, "0-34"), (35, "35-56"), (56, "35-56"), (57, "57+"), (10**9, "57+")],
)
def test_a_length_falls_into_the_bin_that_its_label_says(length: int, label: str) -> None:
    bins = LengthBins((34, 56))
    spread = dict(zip(bins.labels, bins.spread((length,)), strict=True))
    assert spread == {name: float(name == label) for name in bins.labels}


@pytest.mark.parametrize("edges", [(), (5, 5), (7, 3), (-1, 4)])
def test_edges_that_do_not_ascend_are_refused(edges: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must be ascending whole numbers"):
        LengthBins(edges)


def test_a_class_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="must be distinct"):
        ClassBins(("lower", "lower"))
