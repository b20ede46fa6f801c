"""Channels and counts of them for tests of drift."""

from collections.abc import Sequence

from tidegauge.drift.block import Block
from tidegauge.drift.cells import Channel
from tidegauge.drift.grid import Grid, classes

NUMBERS = Channel("numbers", "inputs", "tokens_log", Grid("ratio", tuple(range(1, 40))), 0)
CLASSES = Channel("classes", "inputs", "script", classes(tuple("abcdefghij")), 0)


def block_of(channel: Channel, counts: Sequence[int]) -> Block:
    """Requests that say so much of this channel, and nothing of others."""
    block = Block()
    block.counts[channel.first : channel.first + len(counts)] = counts
    block.requests = sum(counts)
    return block
