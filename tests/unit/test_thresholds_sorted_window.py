"""A window of values in order of size, beside the plain way to make one."""

import random

from tidegauge.thresholds.sorted_window import SortedWindow


def test_it_is_the_last_values_sorted_whichever_leaves_and_enters() -> None:
    rng = random.Random(1)
    values = [float(rng.randrange(12)) for _ in range(500)]
    for capacity in (1, 2, 7):
        window = SortedWindow(capacity)
        for n, value in enumerate(values, start=1):
            window.push(value)
            assert window.ascending.tolist() == sorted(values[max(0, n - capacity) : n])
