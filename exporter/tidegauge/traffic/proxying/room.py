"""Where the bytes of every connection arrive before they are passed on: one buffer for all.

An event loop reads a connection and hands over what came before it reads the next, so one is
enough. asyncio otherwise allocates 256 KiB for each read, which costs five times as much as the
read of a token.
"""

_BYTES = 64 << 10


class Room:
    """To be read into, and `taken` from at once."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(_BYTES))

    def taken(self, size: int) -> bytes:
        """A copy of the first `size` bytes."""
        return bytes(self.buffer[:size])
