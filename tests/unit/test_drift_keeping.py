"""References come and go: through restarts, corrupt files, promotions and refreshes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.unit.drift_exchanges import BEGIN, MODEL, SETTINGS, exchanges, reference, values
from tidegauge.catalog import drift as catalog
from tidegauge.drift.monitor import DriftMonitor
from tidegauge.drift.reference import Reference
from tidegauge.drift.settings import DriftSettings
from tidegauge.sources.drift import DriftSource
from tidegauge.sources.drift_files import DriftFiles
from tidegauge.sources.drift_keeping import DriftKeeping, Making
from tidegauge.sources.drift_store import DriftStore
from tidegauge.traffic.exchange import Exchange

QUICK = replace(SETTINGS, warmup_seconds=100.0, warmup_requests=100)


@dataclass
class Sidecar:
    """The drift of a sidecar, whose clock is ours."""

    source: DriftSource
    clock: list[float]

    async def see(self, seen: Iterator[Exchange]) -> None:
        for exchange in seen:
            self.source.observe(exchange)
            self.clock[0] += 1.0
            if self.clock[0] % SETTINGS.tick_seconds == 0:
                await self.source.read()

    async def until_scored(self) -> Reference:
        async with asyncio.timeout(20):
            while (known := self.source.keeping.reference(MODEL)) is None:
                self.clock[0] += SETTINGS.tick_seconds
                await self.source.read()
                await asyncio.sleep(0.01)
        return known

    async def until_idle(self) -> None:
        """Two reads, and all that they asked for."""
        for _ in range(2):
            await self.source.read()
            async with asyncio.timeout(20):
                await self.source.keeping.idle()

    async def until_kept(self, path: Path) -> None:
        async with asyncio.timeout(20):
            while not path.is_file():
                self.clock[0] += SETTINGS.tick_seconds
                await self.source.read()
                await asyncio.sleep(0.01)

    @property
    def learned(self) -> int:
        return self.source.monitor.models[MODEL].learning.sketch.requests


@asynccontextmanager
async def sidecar(
    folder: Path,
    *,
    settings: DriftSettings = QUICK,
    semantic: str = "",
    given: Reference | None = None,
    begin: float = BEGIN,
    before: Sidecar | None = None,
) -> AsyncIterator[Sidecar]:
    """`before` is one that it takes the place of, as a reload does."""
    monitor = DriftMonitor((MODEL,), settings, learns=True)
    if before:
        monitor.take_over(before.source.monitor)
    keeping = DriftKeeping(
        monitor,
        DriftStore(DriftFiles(folder)),
        given={} if given is None else {MODEL: given},
        making=Making("test", semantic),
        checkpoint_seconds=60.0,
    )
    clock = before.clock if before else [0.0]
    source = DriftSource(monitor, keeping, clock=lambda: clock[0], wall=lambda: begin + clock[0])
    try:
        yield Sidecar(source, clock)
    finally:
        await source.close()


async def test_what_is_learned_is_used_and_outlives_a_restart(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as first:
        await first.see(exchanges("chat", 120, seed=1))
        learned = await first.until_scored()
    async with sidecar(tmp_path, begin=BEGIN + 1000) as second:
        again = await second.until_scored()

    assert again == learned
    assert DriftFiles(tmp_path).path(MODEL).stat().st_mode & 0o777 == 0o600


async def test_half_a_warm_up_outlives_a_restart(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as first:
        await first.see(exchanges("chat", 60, seed=1))
    async with sidecar(tmp_path, begin=BEGIN + 200) as second:
        await second.see(exchanges("chat", 60, seed=2))
        learned = await second.until_scored()

    assert learned.sketch.requests == 120


async def test_a_restart_in_mid_window_gives_no_score_before_the_window_is_full_again(
    tmp_path: Path,
) -> None:
    async with sidecar(tmp_path) as first:
        await first.see(exchanges("chat", 300, seed=1))
        await first.until_scored()
    async with sidecar(tmp_path, begin=BEGIN + 1000) as second:
        await second.until_scored()
        await second.see(exchanges("chat", 60, seed=2))
        samples = await second.source.read()

    assert values(iter(samples), catalog.SCORE) == {}
    assert all(ratio < 1.0 for ratio in values(iter(samples), catalog.RATIO).values())


@pytest.mark.parametrize("kind", ["reference", "learning"])
async def test_a_corrupt_file_is_set_aside_and_learned_again(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / f"{MODEL}.{kind}.json").write_text('{"format": 2, "model":')
    async with sidecar(tmp_path) as one:
        await one.see(exchanges("chat", 120, seed=1))
        await one.until_scored()

    said = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.message for record in said] == ["drift file set aside"]
    assert (tmp_path / f"{MODEL}.{kind}.json.corrupt").is_file()


async def test_thresholds_outlive_a_restart(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as first:
        await first.see(exchanges("chat", 120, seed=1))
        await first.until_scored()
        await first.see(exchanges("chat", 900, seed=2))
        before = values(iter(await first.source.read()), catalog.THRESHOLD)
    async with sidecar(tmp_path, begin=BEGIN + 2000) as second:
        await second.until_scored()
        after = values(iter(await second.source.read()), catalog.THRESHOLD)

    assert after[MODEL, "inputs"] == pytest.approx(before[MODEL, "inputs"], rel=0.05)


@pytest.mark.parametrize(
    "text", ["{", '{"a": {"b": []}}', '{"a": {"b": [-1]}}', '{"a": {"b": [NaN]}}']
)
async def test_counts_that_are_damaged_are_set_aside(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / f"{MODEL}.usual.json").write_text(text)
    DriftFiles(tmp_path).write(reference())
    async with sidecar(tmp_path) as one:
        await one.until_scored()

    assert (tmp_path / f"{MODEL}.usual.json.corrupt").is_file()
    assert "drift file set aside" in caplog.messages


async def test_a_promoted_reference_is_taken_while_we_run(tmp_path: Path) -> None:
    files, promoted = DriftFiles(tmp_path), reference(seed=9)
    async with sidecar(tmp_path) as one:
        await one.see(exchanges("chat", 120, seed=1))
        await one.until_scored()
        files.write(promoted)
        async with asyncio.timeout(20):
            while one.source.keeping.reference(MODEL) != promoted:
                await one.source.read()
                await asyncio.sleep(0.01)


async def test_a_later_period_is_a_candidate(tmp_path: Path) -> None:
    files = DriftFiles(tmp_path)
    async with sidecar(tmp_path) as one:
        await one.see(exchanges("chat", 120, seed=1))
        first = await one.until_scored()
        await one.see(exchanges("chat", 120, seed=2))
        await one.until_kept(files.path(MODEL, "candidate"))
        in_use = one.source.keeping.reference(MODEL)

    candidate = files.read(MODEL, "candidate")
    assert in_use == first
    assert candidate is not None
    assert candidate.sketch.begin is not None
    assert first.sketch.end is not None
    assert candidate.sketch.begin >= first.sketch.end


async def test_an_old_reference_gives_way_to_a_later_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    files, settings = DriftFiles(tmp_path), replace(QUICK, refresh_seconds=300.0)
    async with sidecar(tmp_path, settings=settings) as one:
        await one.see(exchanges("chat", 120, seed=1))
        first = await one.until_scored()
        await one.see(exchanges("chat", 200, seed=2))
        async with asyncio.timeout(20):
            while one.source.keeping.reference(MODEL) == first:
                one.clock[0] += SETTINGS.tick_seconds
                await one.source.read()
                await asyncio.sleep(0.01)

    assert files.read(MODEL, "previous") == first
    assert files.read(MODEL) != first
    (said,) = [r for r in caplog.records if r.message == "drift reference refreshed"]
    assert said.__dict__["changed"]


async def test_a_reference_of_another_embedding_is_refused_and_kept_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = DriftFiles(tmp_path)
    theirs = Reference.of(reference().sketch, made_by="test", semantic="theirs")
    files.write(theirs)
    async with sidecar(tmp_path, semantic="ours") as one:
        await one.see(exchanges("chat", 120, seed=1))
        ours = await one.until_scored()

    assert ours.semantic == "ours"
    assert files.read(MODEL, "previous") == theirs
    assert "drift reference is of another embedding; build it again" in caplog.messages


async def test_a_reference_that_is_given_comes_first(tmp_path: Path) -> None:
    DriftFiles(tmp_path).write(reference(seed=9))
    async with sidecar(tmp_path, given=reference(seed=2)) as one:
        in_use = await one.until_scored()

    assert in_use == reference(seed=2)


async def test_a_stop_right_after_the_start_leaves_what_was_learned_before(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as first:
        await first.see(exchanges("chat", 60, seed=1))
    async with sidecar(tmp_path, begin=BEGIN + 200) as second:
        await second.see(exchanges("chat", 1, seed=2))
        await second.source.read()

    kept = DriftFiles(tmp_path).read(MODEL, "learning")
    assert kept is not None
    assert kept.sketch.requests == 61


async def test_a_stop_while_a_reference_is_made_keeps_it(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as one:
        await one.see(exchanges("chat", 99, seed=1))
        await one.until_idle()
        await one.see(exchanges("chat", 21, seed=2))

    learned = DriftFiles(tmp_path).read(MODEL)
    assert learned is not None
    assert learned.sketch.requests >= 100


async def test_a_reload_learns_nothing_twice(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as first:
        await first.see(exchanges("chat", 70, seed=1))
        await first.until_kept(DriftFiles(tmp_path).path(MODEL, "learning"))
        async with sidecar(tmp_path, before=first) as second:
            await second.until_idle()
            learned = second.learned

    assert learned == 70


async def test_a_reload_leaves_what_is_scored_as_it_is(tmp_path: Path) -> None:
    DriftFiles(tmp_path).write(reference())
    async with sidecar(tmp_path) as first:
        await first.until_scored()
        watched = first.source.monitor.models[MODEL].watched
        async with sidecar(tmp_path, before=first) as second:
            await second.until_idle()
            assert second.source.monitor.models[MODEL].watched is watched


async def test_a_reload_with_a_shorter_warm_up_keeps_the_reference_in_use(tmp_path: Path) -> None:
    DriftFiles(tmp_path).write(reference())
    shorter = replace(QUICK, warmup_seconds=10.0, warmup_requests=10)
    async with sidecar(tmp_path) as first:
        await first.see(exchanges("chat", 60, seed=3))
        async with sidecar(tmp_path, settings=shorter, before=first) as second:
            await second.until_idle()
            assert second.source.keeping.reference(MODEL) == reference()

    assert DriftFiles(tmp_path).read(MODEL) == reference()


async def test_a_reference_that_is_no_longer_given_is_no_longer_used(tmp_path: Path) -> None:
    async with sidecar(tmp_path, given=reference(seed=2)) as first:
        await first.until_scored()
        async with sidecar(tmp_path, before=first) as second:
            await second.until_idle()
            assert second.source.keeping.reference(MODEL) is None


async def test_a_period_with_an_alarm_before_a_reload_is_no_refresh(tmp_path: Path) -> None:
    async with sidecar(tmp_path) as first:
        first.source.monitor.models[MODEL].alarmed = True
        async with sidecar(tmp_path, before=first) as second:
            assert second.source.monitor.models[MODEL].alarmed


async def test_a_reference_that_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    path = DriftFiles(tmp_path).path(MODEL)
    path.mkdir()  # as a full disk: nothing can be put there, not even by root
    async with sidecar(tmp_path) as full:
        await full.see(exchanges("chat", 120, seed=1))
        learned = await full.until_scored()
        path.rmdir()
        await full.until_kept(path)
    async with sidecar(tmp_path, begin=BEGIN + 1000) as again:
        assert await again.until_scored() == learned
