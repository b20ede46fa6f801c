"""Standard input, drained as fast as it comes: whoever writes to it must never wait for us.

A pipe holds 64 KiB; an engine whose log is piped into us would stop in the middle of an answer when
it is full. So a thread reads always, also when nobody wants it, and drops what it has no room for.
"""

import os
import select
import threading
from collections import deque

from tidegauge.sources.logs.file import CHUNK_BYTES

_ROOM_BYTES = 8 * 1024 * 1024


class Pipe:
    """Reads `file` (a descriptor) to its end, in a thread that dies with the program."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._dropped_lines = 0
        self._reader: object = None  # who wants what comes
        self._ended = False
        self._thread: threading.Thread | None = None

    @property
    def ended(self) -> bool:
        return self._ended

    def start(self, reader: object) -> None:
        """Begin, or go on, to keep what comes: for `reader`, and for nobody before it."""
        with self._lock:
            self._reader = reader
            if self._thread is None:
                self._thread = threading.Thread(target=self._drain, name="log pipe", daemon=True)
                self._thread.start()

    def stop(self, reader: object) -> None:
        """Keep nothing for it from now on; what comes is read and forgotten.

        Of no effect where another has begun: at a reload the new one starts before the old stops.
        """
        with self._lock:
            if self._reader is reader:
                self._reader = None
                self._chunks.clear()
                self._held = 0

    def read(self) -> bytes:
        """What came first of what is held; empty when nothing is."""
        with self._lock:
            if not self._chunks:
                return b""
            chunk = self._chunks.popleft()
            self._held -= len(chunk)
            return chunk

    def dropped_lines(self) -> int:
        """Lines that there was no room for, since this was asked last."""
        with self._lock:
            dropped, self._dropped_lines = self._dropped_lines, 0
            return dropped

    def _drain(self) -> None:
        while True:
            try:
                select.select([self._file], [], [])  # it may be set to not block, by whoever
                chunk = os.read(self._file, CHUNK_BYTES)
            except BlockingIOError:
                continue
            except (OSError, ValueError):  # it was closed
                break
            if not chunk:
                break
            self._keep(chunk)
        self._ended = True

    def _keep(self, chunk: bytes) -> None:
        with self._lock:
            if self._reader is not None and self._held + len(chunk) <= _ROOM_BYTES:
                self._chunks.append(chunk)
                self._held += len(chunk)
            elif self._reader is not None:
                self._dropped_lines += chunk.count(b"\n")
