"""Whether a user's password is right, by bcrypt, without a scrape paying for bcrypt each time.

A password that was right is remembered as a keyed digest, which is worth nothing outside of this
process. One that was wrong is not: guessing stays as slow as bcrypt is, one guess at a time.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping

import bcrypt

_REMEMBERED = 100
_WAITING = 16  # guesses that may wait for their turn; each holds a connection
_READ_BYTES = 72  # what bcrypt reads of a password, and what htpasswd hashed of it


class BusyError(Exception):
    """Too many passwords are being checked already."""


class Passwords:
    """Checks passwords against bcrypt hashes by user. Unknown users take as long as known ones."""

    def __init__(self, hashes: Mapping[str, str]) -> None:
        self._hashes = {user: text.encode() for user, text in hashes.items()}
        # A hash that no password has, as dear as the dearest: who asks learns no names by time.
        cost = max((text.split(b"$")[2] for text in self._hashes.values()), default=b"10")
        self._nobodys = b"$2b$" + cost + b"$" + b"." * 53
        self._secret = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def right(self, user: str, password: str) -> bool:
        """Whether `password` is the user's.

        Raises:
            BusyError: too many are waiting for an answer.
        """
        found = self._hashes.get(user)
        digest = self._digest(user, password)
        if digest in self._right:
            self._right.move_to_end(digest)
            return True
        if self._waiting >= _WAITING:
            raise BusyError
        self._waiting += 1
        try:
            async with self._turn:
                same = await asyncio.to_thread(_same, password, found or self._nobodys)
        finally:
            self._waiting -= 1
        if not same or found is None:
            return False
        self._right[digest] = None
        while len(self._right) > _REMEMBERED:
            self._right.popitem(last=False)
        return True

    def _digest(self, user: str, password: str) -> bytes:
        parts = (part.encode(errors="surrogateescape") for part in (user, password))
        said = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hmac.new(self._secret, said, hashlib.sha256).digest()


def _same(password: str, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password.encode(errors="surrogateescape")[:_READ_BYTES], hashed)
    except ValueError:  # a salt that bcrypt has no use for
        return False
