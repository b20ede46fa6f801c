"""A UNIX socket to listen on: made with the permissions asked for, and unlinked by its maker alone.

A file that a killed sidecar left behind is replaced; one that somebody listens at is not.
"""

import errno
import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BACKLOG = 128  # processes that connect at the same moment, after a restart


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that listens at `path`; `inode` tells its file from another's of that name."""

    socket: socket.socket
    path: Path
    inode: int

    def close(self) -> None:
        """Listen no more, and take the file away unless it is somebody else's by now."""
        with suppress(OSError):
            if self.path.stat().st_ino == self.inode:
                self.path.unlink()
        self.socket.close()


def listen(path: Path, *, mode: int) -> Listener:
    """Listen at `path`, whose file gets the permissions `mode`.

    Raises:
        OSError: it cannot be had; `strerror` is one line that names the path.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        listening.settimeout(0)
        os.fchmod(listening.fileno(), 0o600)  # Linux: bind makes the file with no more than this
        _bind(listening, path)
        path.chmod(mode)
        listening.listen(BACKLOG)
        return Listener(listening, path, path.stat().st_ino)
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"{path}: {error.strerror or error}") from None


def _bind(listening: socket.socket, path: Path) -> None:
    try:
        listening.bind(str(path))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        _clear(path)
        listening.bind(str(path))


def _clear(path: Path) -> None:
    """Take away what nobody listens at any more."""
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise OSError(errno.EADDRINUSE, "is no socket; move it away, or name another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as caller:
        caller.settimeout(0)
        said = caller.connect_ex(str(path))
    if said != errno.ECONNREFUSED:
        raise OSError(errno.EADDRINUSE, "another program listens there; stop it, or name another")
    path.unlink()
