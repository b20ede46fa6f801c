"""Lines out of bytes that were split anywhere.

No clock, no network, no logging: same arguments, same answer. Memory is bounded: a line longer
than the limit is skipped.
"""

LIMIT_BYTES = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineDecoder:
    r"""Turns pieces of a stream into its lines; LF, CRLF and CR alone end one.

    A byte order mark before the first line is taken away.

    >>> lines = LineDecoder()
    >>> lines.feed(b"\xef\xbb\xbfon"), lines.feed(b"e\r"), lines.feed(b"\ntwo\rthr")
    ([], [b'one'], [b'two'])
    >>> lines.flush()
    [b'thr']
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._partial = bytearray()
        self._overlong = False
        self._after_cr = False
        self._first = True

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that this piece completes, without their ends."""
        if self._after_cr or b"\r" in piece:
            piece = self._with_lf_alone(piece)
        lines = piece.split(b"\n")
        last = lines.pop()
        if lines and (self._partial or self._overlong or self._first):
            self._extend(lines[0])
            lines[:1] = self._line()
        if last:
            self._extend(last)
        if len(piece) > self._limit:
            return [line for line in lines if len(line) <= self._limit]
        return lines

    def flush(self) -> list[bytes]:
        """What came after the last end of a line, if anything did."""
        return self._line() if self._partial else []

    def _with_lf_alone(self, piece: bytes) -> bytes:
        if not piece:
            return piece
        rest = piece[1:] if self._after_cr and piece.startswith(b"\n") else piece
        self._after_cr = piece.endswith(b"\r")
        return rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _extend(self, part: bytes) -> None:
        if self._overlong or len(self._partial) + len(part) > self._limit:
            self._overlong = True
            self._partial.clear()
        else:
            self._partial += part

    def _line(self) -> list[bytes]:
        line, skipped = bytes(self._partial), self._overlong
        self._partial.clear()
        self._overlong = False
        if self._first:
            self._first = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        return [] if skipped else [line]
