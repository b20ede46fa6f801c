"""Peers that judge windows in processes of their own: alibi-detect's KSDrift, Evidently's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.judging import drift_peers
from benchmarks.mixing.detected import Case, Detected
from benchmarks.mixing.pool import Numbers, Places, Pool, class_names, names
from benchmarks.mixing.windows import SHARES, Mixed, Split

SIZE = 500
COMPONENTS = 32


@dataclass(frozen=True, slots=True)
class Peer:
    """How many windows it is given: of ordinary texts, and of each domain and share."""

    name: str
    ordinary: int
    mixed: int
    components: int


PEERS = (
    Peer(drift_peers.KS, 100, 4, COMPONENTS),
    Peer(drift_peers.EVIDENTLY, 20, 1, 0),
)


def judged(
    pool: Pool, split: Split, domains: Mapping[str, Places], rng: np.random.Generator
) -> Sequence[Mapping[str, object]]:
    """A line for each peer and share; where one is missing, a line that says why."""
    return [line for peer in PEERS for line in _lines(peer, pool, split, domains, rng)]


def _lines(
    peer: Peer, pool: Pool, split: Split, domains: Mapping[str, Places], rng: np.random.Generator
) -> Sequence[Mapping[str, object]]:
    absent = drift_peers.why_not(peer.name)
    if absent:
        return [{"case": peer.name, "left_out": absent}]
    ordinary = split.ordinary(rng, size=SIZE, windows=peer.ordinary)
    mixed = [
        each
        for share in SHARES
        for each in split.mixed(rng, domains, size=SIZE, share=share, windows=peer.mixed)
    ]
    columns, labels = _columns(pool, split.reference, peer.components)
    answer = drift_peers.windows(
        peer.name,
        columns[split.reference],
        columns,
        np.array([*ordinary, *(window for each in mixed for window in each.windows)]),
        names=labels,
        classes=class_names(pool.side),
    )
    return _said(peer, answer, mixed)


def _said(
    peer: Peer, answer: drift_peers.Windowed, mixed: Sequence[Mixed]
) -> Sequence[Mapping[str, object]]:
    detected, own = Detected(), dict[float, list[float]]()
    scores, first = list[tuple[Mixed, Numbers]](), peer.ordinary
    for each in mixed:
        place = slice(first, first + len(each.windows))
        scores.append((each, answer.scores[place]))
        own.setdefault(each.share, []).append(float(answer.alarms[place].mean()))
        first += len(each.windows)
    detected.add(answer.scores[: peer.ordinary], scores)
    return [
        {
            "case": f"{peer.name} {answer.version}, windows of {SIZE}, {share:.0%} mixed in",
            "detection": round(detected.mean(Case(SIZE, share)), 3),
            "windows": {"ordinary": peer.ordinary, "each domain": peer.mixed},
            "by_its_own_rule": {
                "false_alarms": round(float(answer.alarms[: peer.ordinary].mean()), 3),
                "detection": round(float(np.mean(own[share])), 3),
            },
            "window_us": round(answer.window_us),
        }
        for share in SHARES
    ]


def _columns(pool: Pool, reference: Places, components: int) -> tuple[Numbers, Sequence[str]]:
    """Our numbers, the reference's median where not known, and components of vectors."""
    middle = np.nanmedian(pool.columns[reference], axis=0)
    columns = np.where(np.isnan(pool.columns), middle, pool.columns)
    if not components or not pool.has[reference].any():
        return columns, names(pool.side)
    mean = pool.directions(reference).mean(axis=0)
    axes = np.linalg.svd(pool.directions(reference) - mean, full_matrices=False)[2][:components]
    labels = [f"component_{place}" for place in range(components)]
    projected = (pool.vectors - mean) @ axes.T
    return np.hstack((columns, projected)), [*names(pool.side), *labels]
