"""NAB's score against sums that are worked out by hand, row by row."""

from collections.abc import Mapping
from math import exp
from pathlib import Path

import numpy as np
import pytest

from benchmarks.judging.corpus import CorpusError, Series, read
from benchmarks.judging.episodes import Episodes, Watch
from benchmarks.judging.nab_score import PROFILES, Scores, Scoring, probation, worth

STEP = 300.0


def sigmoid(y: float) -> float:
    return 2 / (1 + exp(5 * y)) - 1


def series(rows: int, *windows: tuple[int, int], name: str = "a.csv") -> Series:
    return Series(name, np.arange(rows) * STEP, np.zeros(rows), windows)


def scores(rows: int, at: Mapping[int, float]) -> Scores:
    return np.array([at.get(row, 0.0) for row in range(rows)])


# 100 rows: rows 0 to 14 are on probation. The window's rows are 40 to 49: 10 wide, 9 steps long.
FILE = series(100, (40, 49))
HALF_WINDOW = sigmoid(-5 / 10) / sigmoid(-1)  # row 45: (49 - 45 + 1) / 10 before the end
LAST_OF_WINDOW = sigmoid(-1 / 10) / sigmoid(-1)  # row 49: never 0, it is 1 before the end
JUST_BEHIND = sigmoid(1 / 9)  # row 50: 1 of 9 steps behind the end; -0.271
TWICE_BEHIND = sigmoid(18 / 9)  # row 67: -0.9999


def test_the_sigmoid_is_as_published() -> None:
    # NAB's own comments say 0.98661 at the left edge and 0.84828 half of the way.
    assert sigmoid(-1) == pytest.approx(0.98661, abs=1e-5)
    assert sigmoid(-0.5) == pytest.approx(0.84828, abs=1e-5)
    assert pytest.approx(0.85979, abs=1e-5) == HALF_WINDOW
    assert pytest.approx(-0.27085, abs=1e-5) == JUST_BEHIND


@pytest.mark.parametrize(
    "detections, standard, low_fp, low_fn",
    [
        # Nothing found: -1 (or -2) of -1 to +1 (or -2 to +1).
        pytest.param((), 0, 0, 0, id="nothing is 0"),
        pytest.param((40,), 100, 100, 100, id="the window's first row is 100"),
        # (0.85979 + 1) / 2; a miss that weighs 2: (0.85979 + 2) / 3.
        pytest.param(
            (45,),
            50 * (HALF_WINDOW + 1),
            50 * (HALF_WINDOW + 1),
            100 * (HALF_WINDOW + 2) / 3,
            id="found late",
        ),
        pytest.param(
            (49,),
            50 * (LAST_OF_WINDOW + 1),
            50 * (LAST_OF_WINDOW + 1),
            100 * (LAST_OF_WINDOW + 2) / 3,
            id="found at the last moment",
        ),
        pytest.param((40, 41, 45, 49), 100, 100, 100, id="only a window's first counts"),
        # 0.11 x -0.27085 beside the window: (1 - 0.02979 + 1) / 2 = 98.51 %.
        pytest.param(
            (40, 50),
            50 * (1 + 0.11 * JUST_BEHIND + 1),
            50 * (1 + 0.22 * JUST_BEHIND + 1),
            100 * (1 + 0.11 * JUST_BEHIND + 2) / 3,
            id="false right behind the window",
        ),
        pytest.param(
            (40, 67),
            50 * (2 + 0.11 * TWICE_BEHIND),
            50 * (2 + 0.22 * TWICE_BEHIND),
            100 * (3 + 0.11 * TWICE_BEHIND) / 3,
            id="false two windows behind",
        ),
        # Row 76 is 27 steps behind, 3 windows: from there on -1, flat. (1 - 0.11 + 1) / 2 = 94.5 %.
        pytest.param((40, 76), 94.5, 89, 100 * 2.89 / 3, id="false three windows behind"),
        pytest.param((40, 99), 94.5, 89, 100 * 2.89 / 3, id="false far behind"),
        pytest.param((40, 15), 94.5, 89, 100 * 2.89 / 3, id="false before any window"),
        # Each costs: (1 - 3 x 0.11 + 1) / 2 = 83.5 %.
        pytest.param((40, 20, 21, 22), 83.5, 67, 100 * 2.67 / 3, id="each false one costs"),
        pytest.param((40, 0, 7, 14), 100, 100, 100, id="on probation nothing counts"),
        # -0.11 of a null of -1, over 2.
        pytest.param((20,), -5.5, -11, 100 * -0.11 / 3, id="worse than nothing is below 0"),
    ],
)
def test_one_file_by_hand(
    detections: tuple[int, ...], standard: float, low_fp: float, low_fn: float
) -> None:
    scoring = Scoring([FILE], [scores(100, dict.fromkeys(detections, 1.0))])
    found = {name: scoring.at(profile, 1.0) for name, profile in PROFILES.items()}
    assert found == pytest.approx({"standard": standard, "low_fp": low_fp, "low_fn": low_fn})


def test_files_are_summed_before_they_are_normalised() -> None:
    files = [FILE, series(200, (100, 119), (150, 169))]
    said = [
        # Found half of the way, false once before any window.
        scores(100, {45: 0.9, 20: 0.7}),
        # The first window found at once, false 5 of 19 steps behind it, the second missed.
        scores(200, {100: 0.8, 124: 0.6}),
    ]
    total = HALF_WINDOW - 0.11 + 1 + 0.11 * sigmoid(5 / 19) - 1
    assert Scoring(files, said).at(PROFILES["standard"], 0.5) == pytest.approx(
        100 * (total + 3) / 6
    )


def test_the_best_threshold_leaves_out_what_costs_more_than_it_finds() -> None:
    files = [FILE, series(200, (100, 119), (150, 169))]
    # From the top: 1 found; 2 found; 0.11 lost and 1 found at the same score; 10 x 0.11 lost.
    said = [
        scores(100, {40: 0.9, 20: 0.7} | dict.fromkeys(range(22, 32), 0.6)),
        scores(200, {100: 0.8, 150: 0.7}),
    ]
    best = Scoring(files, said).best(PROFILES["standard"])
    assert best.threshold == 0.7
    assert best.score == pytest.approx(100 * (3 - 0.11 + 3) / 6)


def test_a_score_of_nothing_never_detects() -> None:
    assert Scoring([FILE], [np.zeros(100)]).at(PROFILES["standard"], -1.0) == 0


def test_a_window_on_probation_can_neither_be_found_nor_missed() -> None:
    # Nothing: -1 of one window to miss, and +2 for two windows first found, as NAB counts them.
    scoring = Scoring([series(100, (2, 5), (40, 49))], [scores(100, {2: 1.0, 40: 1.0})])
    assert scoring.at(PROFILES["standard"], 1.0) == pytest.approx(100 * (1 + 1) / (2 + 1))


@pytest.mark.parametrize(
    "rows, expected",
    [
        pytest.param(100, 15, id="15 %"),
        pytest.param(4032, 604, id="whole rows, the lower number"),
        pytest.param(5000, 750, id="of 5,000 rows"),
        pytest.param(22695, 750, id="never of more"),
    ],
)
def test_probation(rows: int, expected: int) -> None:
    assert probation(rows) == expected


def test_behind_a_second_window_the_distance_starts_anew() -> None:
    share = worth(series(200, (100, 119), (150, 169))).share
    assert share[149] == pytest.approx(sigmoid(30 / 19))
    assert share[170] == pytest.approx(sigmoid(1 / 19))


FOLDER_ROWS = "timestamp,value\n2014-04-01 00:00:00,1\n2014-04-01 00:05:00,2.5\n"


def folder(path: Path, csv: str, windows: str) -> Path:
    (path / "labels").mkdir()
    (path / "data" / "group").mkdir(parents=True)
    (path / "data" / "group" / "a.csv").write_text(csv)
    labels = f'{{"group/a.csv": {windows}, "group/elsewhere.csv": []}}'
    (path / "labels" / "combined_windows.json").write_text(labels)
    return path


def test_a_stamp_that_occurs_twice_is_its_first_row(tmp_path: Path) -> None:
    # The clock is set back after 01:55: 01:00 to 01:55 occur twice, rows 12 to 23 and 24 to 35.
    stamps = [f"{hour:02}:{minute:02}" for hour in (0, 1, 1, 2) for minute in range(0, 60, 5)]
    lines = [f"2014-11-02 {stamp}:00,1\n" for stamp in stamps]
    window = '[["2014-11-02 01:30:00.000000", "2014-11-02 01:50:00.000000"]]'
    (found,) = read(folder(tmp_path, "timestamp,value\n" + "".join(lines), window))
    assert found.windows == ((18, 22),)
    marks = worth(found)
    # Row 30 is 01:30 again: outside, 8 rows behind the end of a window of 4 steps.
    assert marks.window[[17, 18, 22, 23, 30, 34]].tolist() == [-1, 0, 0, -1, -1, -1]
    assert marks.share[30] == pytest.approx(sigmoid(8 / 4))
    assert marks.share[34] == -1  # 12 of 4
    # Detected the second time only: it is a false one, and the window is missed. 48 rows, 7 on
    # probation: (-1 + 0.11 x -0.9999 + 1) / 2.
    scoring = Scoring([found], [scores(48, {30: 1.0})])
    assert scoring.at(PROFILES["standard"], 1.0) == pytest.approx(50 * 0.11 * sigmoid(2))


@pytest.mark.parametrize(
    "csv, windows, message",
    [
        pytest.param(FOLDER_ROWS + "2014-04-01 00:10:00,\n", "[]", r"a\.csv:4: ", id="no value"),
        pytest.param(FOLDER_ROWS + "yesterday,1\n", "[]", r"a\.csv:4: .*yesterday", id="no stamp"),
        pytest.param(FOLDER_ROWS + "2014-04-01 00:10:00,nan\n", "[]", r":4: .*nan", id="NaN"),
        pytest.param("time,value\n", "[]", r":1: no columns timestamp and value", id="header"),
        pytest.param("", "[]", r":1: no columns", id="an empty file"),
        pytest.param("timestamp,value\n", "[]", r"fewer than two", id="no row"),
        pytest.param(
            FOLDER_ROWS,
            '[["2014-04-02 00:00:00", "2014-04-02 00:05:00"]]',
            "a window's edge is no stamp",
            id="a window elsewhere",
        ),
        pytest.param(
            FOLDER_ROWS,
            '[["2014-04-01 00:05:00", "2014-04-01 00:00:00"]]',
            "end before they begin",
            id="a window turned round",
        ),
        pytest.param(FOLDER_ROWS, '[["2014-04-01 00:00:00"]]', "not {", id="half of a window"),
        pytest.param(FOLDER_ROWS, "nothing", "Expecting", id="labels that are no JSON"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    csv: str, windows: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(CorpusError, match=message):
        read(folder(tmp_path, csv, windows))


def test_a_folder_without_labels_or_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"combined_windows\.json"):
        read(tmp_path)
    read(folder(tmp_path, FOLDER_ROWS, "[]"))
    (tmp_path / "data" / "group" / "a.csv").unlink()
    with pytest.raises(CorpusError, match="none of the 2 labelled files"):
        read(tmp_path)


def test_episodes_by_hand() -> None:
    # 288 rows a day; 2,880 rows are 10 days less a step; probation ends at row 432, 1.5 days. The
    # window is 288 rows, 287 steps long.
    file = series(2880, (1000, 1287))
    alarms = np.zeros(2880, dtype=bool)
    alarms[[100, 431]] = True  # on probation
    alarms[[500, 501, 502]] = True  # one run
    alarms[[504]] = True  # another, near as it is
    alarms[[1100, 1102]] = True  # the window, found
    alarms[[1286, 1287, 1288]] = True  # a run that leaves the window
    found = Watch([file]).episodes([alarms])
    days = (2879 - 432 - 287) / 288
    assert found == Episodes(windows=1, found=1, episodes=3, days=pytest.approx(days))
    assert (found.recall_ratio, found.per_series_day) == (1.0, pytest.approx(3 / days))


def test_a_window_that_nothing_alarms_in_is_not_found() -> None:
    alarms = np.zeros(2880, dtype=bool)
    alarms[[999, 1288]] = True
    found = Watch([series(2880, (1000, 1287))]).episodes([alarms])
    assert (found.windows, found.found, found.episodes) == (1, 0, 2)
