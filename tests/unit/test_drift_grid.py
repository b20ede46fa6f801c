"""Grids: fixed cells, the same whatever the traffic."""

import pytest

from tidegauge.drift.cells import CELLS, CHANNELS, NAMES
from tidegauge.drift.grid import MAX_CELLS, Grid, lengths
from tidegauge.traffic.texts.feature_vector import COLUMNS


def test_edges_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValueError, match=r"edges \(2.0, 1.0\): must rise"):
        Grid("ratio", (2.0, 1.0))


def test_more_cells_than_a_grid_has_are_refused() -> None:
    with pytest.raises(ValueError, match="65 cells: a grid has at most 64"):
        Grid("ratio", tuple(float(edge) for edge in range(MAX_CELLS)))


def test_first_and_last_cell_are_open() -> None:
    grid = Grid("seconds", (1.0, 2.0))

    assert [grid.cell(value) for value in (-9.0, 1.0, 1e9)] == [0, 1, 2]


def test_short_lengths_have_a_cell_each() -> None:
    grid = lengths(0.225, 1_000_000)

    cells = [grid.cell(value) for value in (0.0, 0.7, 1.1, 1.4)]

    assert len(set(cells)) == len(cells)


def test_channels_lie_side_by_side() -> None:
    ends = [channel.place.stop for channel in CHANNELS]

    assert [channel.first for channel in CHANNELS] == [0, *ends[:-1]]
    assert ends[-1] == CELLS


def test_each_channel_has_a_name_and_a_column_of_its_own() -> None:
    columns = [channel.column for channel in CHANNELS]

    assert len(set(NAMES)) == len(NAMES)
    assert len(set(columns)) == len(columns)
    assert set(columns) <= set(COLUMNS)
