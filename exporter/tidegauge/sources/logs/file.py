"""A log file followed by its name, through rotation, truncation and absence.

Everything here blocks, and runs in the source's thread. Nothing is remembered on disk.
"""

import contextlib
import os
import stat
from pathlib import Path

CHUNK_BYTES = 256 * 1024
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO without a writer must not hold us


class LogFile:
    """Gives the bytes that are added to what the path leads to.

    A file that is there at first is read from its end, unless `from_start`; one that takes its
    place, or comes later, from its start. What is written between our last look and a copy-and-
    truncate is lost, as to anybody who follows a file by its size.
    """

    def __init__(self, path: Path, *, from_start: bool) -> None:
        self.path = path
        self._from_start = from_start
        self._file: int | None = None
        self._identity = (0, 0)
        self._offset = 0
        self._regular = True
        self.idle = True  # whether the last read gave nothing

    def __repr__(self) -> str:
        return f"LogFile({str(self.path)!r})"

    @property
    def is_open(self) -> bool:
        return self._file is not None

    def look(self) -> bool:
        """Open the file if none is open; whether one is. One that comes after this is new.

        Raises:
            OSError: it is there, and cannot be read.
        """
        if self._file is None:
            try:
                self._open()
            except FileNotFoundError:
                pass
            finally:
                self._from_start = True
        return self.is_open

    def read(self) -> bytes:
        """What comes next, at most CHUNK_BYTES; empty when there is no more now.

        Raises:
            OSError: the file system fails.
        """
        if self._file is None:
            return b""
        try:
            chunk = os.read(self._file, CHUNK_BYTES)
        except BlockingIOError:
            chunk = b""
        self._offset += len(chunk)
        self.idle = not chunk
        if not chunk and self._regular and os.fstat(self._file).st_size < self._offset:
            self._offset = os.lseek(self._file, 0, os.SEEK_SET)  # truncated: it begins anew
            return self.read()
        return chunk

    def moved(self) -> bool:
        """Whether the path leads to another file now; if so, this one is let go of.

        To be asked when `read` has nothing more. A file that was removed is held on to until
        another takes its place: its writer may go on.
        """
        if self._file is None:
            return False
        try:
            now = self.path.stat()
        except OSError:
            return False
        if (now.st_dev, now.st_ino) == self._identity:
            return False
        self.close()
        return True

    def close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None

    def _open(self) -> None:
        file = os.open(self.path, _FLAGS)
        try:
            found = os.fstat(file)
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(f"{self.path}: is a folder")
            self._regular = stat.S_ISREG(found.st_mode)
            self._offset = 0
            if self._regular and not self._from_start:
                self._offset = os.lseek(file, 0, os.SEEK_END)
        except OSError:
            os.close(file)
            raise
        self._file, self._identity = file, (found.st_dev, found.st_ino)
