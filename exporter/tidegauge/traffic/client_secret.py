"""The secret that clients are hashed with, out of a file."""

from pathlib import Path

from tidegauge.traffic.client_key import SHORTEST_SECRET_BYTES


class ClientSecretError(Exception):
    """A file holds no secret that can be used. The message says why, and repeats none of it."""


def read_client_secret(path: Path) -> bytes:
    """All that the file holds, less white space around it.

    Raises:
        ClientSecretError: it can't be read, or holds too little.
    """
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ClientSecretError(f"cannot be read: {error.strerror}") from None
    if len(secret) < SHORTEST_SECRET_BYTES:
        right = f"write {SHORTEST_SECRET_BYTES} random ones or more"
        raise ClientSecretError(f"holds {len(secret)} bytes; {right}")
    return secret
