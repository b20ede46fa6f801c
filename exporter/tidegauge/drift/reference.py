"""The datum that requests are compared with: how an ordinary period fell into fixed bins."""

from dataclasses import dataclass
from hashlib import sha256

from tidegauge.drift.bins import Bins
from tidegauge.drift.shares import smoothed_shares

_DIGEST_DIGITS = 16


class DriftReferenceError(Exception):
    """A reference that can't be built or used; the message gives the bad value in one line."""


@dataclass(frozen=True, slots=True)
class ChannelReference:
    """One channel's bins and how many of the reference's `requests` fell into each."""

    channel: str
    bins: Bins
    counts: tuple[float, ...]
    requests: int

    @property
    def shares(self) -> tuple[float, ...]:
        """Smoothed share per bin, never 0; sums to 1."""
        return smoothed_shares(self.counts)


@dataclass(frozen=True, slots=True)
class Reference:
    """What is ordinary for one model. `features` is the version of the features it rests on."""

    model: str
    features: str
    channels: tuple[ChannelReference, ...]

    @property
    def digest(self) -> str:
        """Hexadecimal digest of the content: equal references, equal digests."""
        lines = (self.model, self.features, *map(_line, self.channels))
        return sha256("\n".join(lines).encode()).hexdigest()[:_DIGEST_DIGITS]


def _line(channel: ChannelReference) -> str:
    bins = ",".join(channel.bins.labels)
    counts = ",".join(repr(float(count)) for count in channel.counts)
    return f"{channel.channel} {channel.requests} {bins} {counts}"
