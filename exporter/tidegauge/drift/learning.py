"""From the requests of an ordinary period to a reference."""

from collections.abc import Sequence
from math import fsum

from tidegauge.drift.bins import Value
from tidegauge.drift.channels import CHANNELS, Channel, Observation
from tidegauge.drift.reference import ChannelReference, DriftReferenceError, Reference
from tidegauge.traffic.features import FEATURES_VERSION

MIN_REFERENCE_REQUESTS = 100


def build(model: str, observations: Sequence[Observation]) -> Reference:
    """The reference of `model`: a channel that too few requests speak of is left out.

    Raises:
        DriftReferenceError: no channel has MIN_REFERENCE_REQUESTS requests, or no model is named.
    """
    if not model:
        raise DriftReferenceError("model '': a reference needs the name of its model")
    learned = (_learned(channel, observations) for channel in CHANNELS)
    channels = tuple(channel for channel in learned if channel is not None)
    if not channels:
        raise DriftReferenceError(
            f"{len(observations)} requests: a reference needs at least {MIN_REFERENCE_REQUESTS}"
        )
    return Reference(model, FEATURES_VERSION, channels)


def _learned(channel: Channel, observations: Sequence[Observation]) -> ChannelReference | None:
    measured = (channel.value(observation) for observation in observations)
    values = [value for value in measured if value is not None]
    if len(values) < MIN_REFERENCE_REQUESTS:
        return None
    bins = channel.learn_bins(values)
    return ChannelReference(
        channel.name,
        bins=bins,
        counts=_counts([bins.spread(v) for v in values]),
        requests=len(values),
    )


def _counts(spreads: Sequence[Value]) -> tuple[float, ...]:
    # fsum, for the same digest whatever Python adds up: sum() rounds otherwise since 3.12.
    return tuple(fsum(column) for column in zip(*spreads, strict=True))
