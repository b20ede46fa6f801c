"""References in words: what one holds, and what changed from one to another."""

from collections.abc import Iterator
from datetime import UTC, datetime

from tidegauge.drift.bins import bins_of
from tidegauge.drift.cells import CHANNELS, VECTORS
from tidegauge.drift.comparison import Change, Comparison, compared
from tidegauge.drift.reference import Reference

UNTIMED = (
    "the requests had no times and are laid one a second: how traffic wanders with time is not "
    "known, and thresholds assume independent requests, which real ones are not"
)
_BAR = 40  # characters that a share of 1 is


def head(reference: Reference) -> str:
    """One line."""
    return f"{_named(reference.model)}, {reference.sketch.requests} requests, {_digest(reference)}"


def show_lines(reference: Reference) -> Iterator[str]:
    """All of it, one channel after the other; bins of numbers are those of its own quantiles."""
    sketch, total = reference.sketch, reference.sketch.total
    blocks = sum(1 for _ in sketch.blocks())
    yield f"model      {_named(reference.model)}"
    yield f"digest     {reference.digest}"
    yield f"features   {reference.features}"
    yield f"made by    tidegauge {_named(reference.made_by)}"
    yield f"period     {_period(reference)}"
    yield f"requests   {sketch.requests} in {blocks} blocks of {sketch.block_seconds:g} s"
    for vector, number in zip(VECTORS, total.vectors, strict=True):
        of = f" of {_named(reference.semantic or 'an unnamed embedding')}"
        kind = of if vector.kind == "semantic" and number else ""
        yield f"vectors    {vector.name}: {number}{kind}"
    for channel in CHANNELS:
        counts = total.counts[channel.place]
        requests = int(counts.sum())
        if requests:
            bins = bins_of(channel.grid, counts)
            yield f"\n{channel.name}  {requests} requests, {channel.grid.unit}"
            for label, count in zip(bins.labels, bins.counts(counts).tolist(), strict=True):
                share = count / requests
                yield f"  {label:<16} {share:7.2%}  {'#' * round(share * _BAR)}".rstrip()


def change_lines(before: Reference, after: Reference) -> Iterator[str]:
    """What changed from one to the other."""
    comparison = compared(before, after)
    yield f"from  {head(before)}, {_period(before)}"
    yield f"to    {head(after)}, {_period(after)}"
    if before.model != after.model:
        yield "note: they are of different models"
    if before.semantic and after.semantic and before.semantic != after.semantic:
        names = f"{_named(before.semantic)} and {_named(after.semantic)}"
        yield f"note: vectors of {names} cannot be compared"
    yield ""
    yield from _table(comparison)
    for name in comparison.only_before:
        yield f"{name}: no values any more"
    for name in comparison.only_after:
        yield f"{name}: had no values before"


def _table(comparison: Comparison) -> Iterator[str]:
    rows = [("CHANNEL", "CHANGE", "BY CHANCE", "NOW", "MOST CHANGED")]
    rows += [_row(change) for change in comparison.changes]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _row(change: Change) -> tuple[str, str, str, str, str]:
    measure = "PSI" if change.measure == "psi" else "distance"
    step = change.step
    moved = f"{step.bin}: {step.before:.1%} -> {step.after:.1%}" if step else ""
    size, chance = f"{measure} {change.size:.4f}", f"{change.by_chance:.4f}"
    return change.channel, size, chance, change.direction, moved


def _digest(reference: Reference) -> str:
    return f"digest {reference.digest}"


def _period(reference: Reference) -> str:
    if not reference.timed:
        return "not known (requests without times)"
    return f"{_moment(reference.sketch.begin)} to {_moment(reference.sketch.end)}"


def _moment(seconds: float | None) -> str:
    moment = datetime.fromtimestamp(seconds or 0.0, UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _named(name: str) -> str:
    """One line, whatever a name is."""
    return name if name.isprintable() else repr(name)
