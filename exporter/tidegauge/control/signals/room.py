"""A bound on the number of series, shared by all signals."""


class Room:
    """Room for `limit` series."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._free = limit

    def claim(self) -> bool:
        """Whether there is room for one more, which has it then."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    def release(self, series: int) -> None:
        """Give back the room of so many."""
        self._free += series
