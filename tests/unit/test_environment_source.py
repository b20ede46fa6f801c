"""The environment source: absent when unknown, quiet when nothing is there, and what changed."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.unit.test_environment_readers import dist_info, gpu_sample
from tests.unit.test_golden_exposition import check
from tidegauge.catalog.health import CHECK, ENVIRONMENT_CHANGES, ENVIRONMENT_INFO
from tidegauge.exposition import render
from tidegauge.samples import Sample
from tidegauge.sources.environment import EngineDoor, EnvironmentSource, Surroundings
from tidegauge.sources.environment.check import Check, CheckResult
from tidegauge.sources.environment.checks import CHECKS
from tidegauge.sources.environment.facts import Engine, Facts, Files, Gpu, Library
from tidegauge.sources.environment.identity import COMPONENTS, Changes
from tidegauge.sources.environment.limits import Limits, Range
from tidegauge.sources.environment.local import Places
from tidegauge.sources.source import Reason, SourceError

NOWHERE = Path("/nowhere")


class World:
    """An engine and GPUs that can be changed between reads."""

    def __init__(self) -> None:
        self.version: str | None = "0.11.0"
        self.gpus: list[Sample] = []

    async def fetch(self, path: str) -> bytes:
        if self.version is None:
            raise SourceError("unavailable", f"{path}: refused")
        return b'{"version": "%s"}' % self.version.encode()

    def door(self) -> EngineDoor:
        return EngineDoor(lambda: "vllm", self.fetch)


@asynccontextmanager
async def source_of(
    surroundings: Surroundings, limits: Limits | None = None, **options: object
) -> AsyncIterator[EnvironmentSource]:
    source = EnvironmentSource(surroundings, limits or Limits(), **options)
    try:
        yield source
    finally:
        await source.close()


def checks_in(samples: list[Sample] | tuple[Sample, ...]) -> dict[tuple[str, ...], float]:
    return {s.labels: s.value for s in samples if s.metric is CHECK}


def infos_in(samples: list[Sample] | tuple[Sample, ...]) -> dict[str, str]:
    return {s.labels[0]: s.labels[1] for s in samples if s.metric is ENVIRONMENT_INFO}


def changes_in(samples: list[Sample] | tuple[Sample, ...]) -> dict[str, float]:
    return {s.labels[0]: s.value for s in samples if s.metric is ENVIRONMENT_CHANGES if s.value}


async def test_a_machine_without_gpu_or_engine_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    async with source_of(Surroundings()) as source:
        with caplog.at_level(logging.INFO):
            samples = list(await source.read())
            await source.read()
    # The clock is judged where something synchronises it, which is not ours to say here.
    judged = {key: value for key, value in checks_in(samples).items() if key[0] != "clock"}
    assert judged == {("file_descriptors", "tidegauge"): 1}
    assert set(infos_in(samples)) == {"kernel"}
    assert [s for s in samples if s.metric is ENVIRONMENT_CHANGES] == [
        Sample(ENVIRONMENT_CHANGES, 0, (component,)) for component in COMPONENTS
    ]
    assert [record.message for record in caplog.records if record.name.startswith("tide")] == []


async def test_everything_that_is_known_is_judged(tmp_path: Path) -> None:
    world = World()
    world.gpus = [
        gpu_sample("info", 1, driver="550.54.14", cuda="12.4", persistence="off"),
        gpu_sample("row_remap_pending", 1),
    ]
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "tokenizer.json").write_text("{}")
    dist_info(tmp_path / "site", "torch", "2.9.0+cu130")
    places = Places(
        disks=(tmp_path,), libraries=tmp_path / "site", library_names=("torch", "absent")
    )
    around = Surroundings(lambda: world.gpus, world.door(), tmp_path / "model", places)
    limits = Limits(ranges=(Range("vllm", "<0.11"),), disk_free_ratio=0, disk_free_bytes=0)
    async with source_of(around, limits) as source:
        samples = list(await source.read())
    expected = {
        ("version", "driver"): 0,  # CUDA 13 needs 580
        ("version", "engine"): 0,
        ("row_remap", "gpu0"): 0,
        ("persistence", "gpu0"): 0,
        ("disk", str(tmp_path)): 1,
        ("file_descriptors", "tidegauge"): 1,
        ("model_files", "tokenizer"): 1,
    }
    assert expected.items() <= checks_in(samples).items()
    known = {"driver", "cuda", "engine", "kernel", "tokenizer", "torch"}
    assert set(infos_in(samples)) == known
    assert infos_in(samples)["engine"] == "vllm 0.11.0"
    counted = {s.labels[0] for s in samples if s.metric is ENVIRONMENT_CHANGES}
    assert counted == {*COMPONENTS, "torch", "absent"}


async def test_an_engine_upgrade_is_a_change_and_its_absence_is_none() -> None:
    world = World()
    async with source_of(Surroundings(engine=world.door())) as source:
        assert infos_in(await source.read())["engine"] == "vllm 0.11.0"
        world.version = None
        samples = await source.read()
        assert "engine" not in infos_in(samples)
        assert changes_in(samples) == {}
        world.version = "0.12.0"
        samples = await source.read()
    assert changes_in(samples) == {"engine": 1}


async def test_weights_that_change_under_a_running_engine_fail_until_it_comes_up_anew(
    tmp_path: Path,
) -> None:
    world = World()
    (tmp_path / "model.safetensors").write_bytes(b"old")
    around = Surroundings(engine=world.door(), model=tmp_path)
    seen = []
    async with source_of(around) as source:
        for version, content in [
            (None, b"half"),
            ("0.11.0", b"old"),
            ("0.11.0", b"new"),
            (None, b"new"),
            ("0.11.0", b"new"),
        ]:
            world.version = version
            (tmp_path / "model.safetensors").write_bytes(content)
            verdicts = checks_in(await source.read())
            seen.append(verdicts.get(("model_files", "weights")))
    assert seen == [None, 1, 0, None, 1]


async def test_what_can_not_be_read_is_absent_and_said_once(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    world = World()
    world.version = None
    places = Places(
        disks=(NOWHERE,), libraries=NOWHERE, shared_memory=NOWHERE, engine_process="no such words"
    )
    async with source_of(Surroundings(tuple, world.door(), NOWHERE, places)) as source:
        with caplog.at_level(logging.INFO):
            verdicts = {key[0] for key in checks_in(await source.read())}
            await source.read()
    assert verdicts <= {"file_descriptors", "clock"}
    said = [record.about for record in caplog.records if record.levelno == logging.WARNING]
    assert sorted(said) == [
        "disk /nowhere",
        "engine's descriptors",
        "libraries /nowhere",
        "shared memory",
        "the engine's version",
        "the model's files",
    ]


async def test_what_can_be_read_again_is_said_too(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    folder = tmp_path / "mounted"
    places = Places(disks=(folder,))
    async with source_of(Surroundings(places=places), checks=()) as source:
        with caplog.at_level(logging.INFO):
            await source.read()
            folder.mkdir()
            await source.read()
            await source.read()
    said = [(record.about, record.problem == "over") for record in caplog.records]
    assert said == [(f"disk {folder}", False), (f"disk {folder}", True)]


async def test_connections_to_the_engine_are_let_go_of() -> None:
    closed: list[bool] = []

    async def close() -> None:
        closed.append(True)

    world = World()
    async with source_of(Surroundings(engine=EngineDoor(lambda: "", world.fetch, close=close))):
        pass
    assert closed == [True]


async def test_an_engine_that_does_not_answer_costs_its_own_facts() -> None:
    async def fetch(path: str) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    around = Surroundings(engine=EngineDoor(lambda: "vllm", fetch))
    async with source_of(around, patience_seconds=0.05) as source:
        samples = await source.read()
    assert infos_in(samples).keys() == {"kernel"}


@pytest.mark.parametrize(
    "reason, forgotten",
    [("timeout", False), ("http_status", False), ("parse", False), ("unavailable", True)],
)
async def test_only_an_engine_that_was_gone_has_loaded_its_files_anew(
    reason: Reason, *, forgotten: bool, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text("{}")
    problem: SourceError | None = None

    async def fetch(path: str) -> bytes:
        if problem:
            raise problem
        return b'{"version": "0.11.0"}'

    around = Surroundings(engine=EngineDoor(lambda: "vllm", fetch), model=tmp_path)
    async with source_of(around) as source:
        await source.read()
        (tmp_path / "config.json").write_text("{1}")
        assert checks_in(await source.read())["model_files", "config"] == 0
        problem = SourceError(reason, "/version: busy")
        verdict = checks_in(await source.read()).get(("model_files", "config"))
        assert verdict == (None if forgotten else 0)
        problem = None
        assert checks_in(await source.read())["model_files", "config"] == float(forgotten)


async def test_an_engine_that_was_away_between_two_rounds_has_loaded_its_files_anew(
    tmp_path: Path,
) -> None:
    outages = 0

    async def fetch(path: str) -> bytes:
        return b'{"version": "0.11.0"}'

    door = EngineDoor(lambda: "vllm", fetch, lambda: outages)
    (tmp_path / "config.json").write_text("{}")
    async with source_of(Surroundings(engine=door, model=tmp_path)) as source:
        await source.read()
        (tmp_path / "config.json").write_text("{1}")
        assert checks_in(await source.read())["model_files", "config"] == 0
        outages = 1
        assert checks_in(await source.read())["model_files", "config"] == 1
        (tmp_path / "config.json").write_text("{2}")
        assert checks_in(await source.read())["model_files", "config"] == 0


async def test_a_file_system_that_hangs_costs_what_is_read_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    let_go = threading.Event()
    world = World()
    async with source_of(Surroundings(engine=world.door()), patience_seconds=0.05) as source:
        ordinary = source._local.read
        source._local.read = lambda: (let_go.wait(5), ordinary())[1]  # type: ignore[method-assign]
        samples = await source.read()
        assert infos_in(samples) == {"engine": "vllm 0.11.0"}
        source._local.read = ordinary
        let_go.set()
        await asyncio.sleep(0.05)
        samples = await source.read()
    assert infos_in(samples).keys() == {"engine", "kernel"}
    assert "reading has not returned" in caplog.records[0].problem


async def test_a_failing_check_is_logged_when_it_begins_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    passing, numbers = False, iter(range(10))

    def judge(facts: Facts, limits: Limits) -> tuple[CheckResult, ...]:
        return (CheckResult("part", passing, f"{next(numbers)} bytes are free"),)

    async with source_of(Surroundings(), checks=[Check("example", judge)]) as source:
        with caplog.at_level(logging.INFO):
            assert checks_in(await source.read()) == {("example", "part"): 0}
            await source.read()
            passing = True
            assert checks_in(await source.read()) == {("example", "part"): 1}
    said = [(record.about, record.problem) for record in caplog.records]
    assert said == [
        ("check example of part", "0 bytes are free"),
        ("check example of part", "over"),
    ]


def test_all_checks_are_run_by_default() -> None:
    assert EnvironmentSource(Surroundings(), Limits())._checks == CHECKS


@pytest.mark.parametrize(
    "after, changed",
    [
        pytest.param(Facts(gpus=(Gpu("0", driver="1"),)), (), id="the same"),
        pytest.param(Facts(), (), id="unknown for a while"),
        pytest.param(
            Facts(gpus=(Gpu("0", driver="2"),)), (("driver", "1", "2"),), id="another driver"
        ),
        pytest.param(
            Facts(gpus=(Gpu("0", driver="1", cuda="13.0"),)), (), id="known for the first time"
        ),
    ],
)
def test_a_change_is_another_value_of_what_was_known(after: Facts, changed: object) -> None:
    changes = Changes()
    assert changes.update(Facts(gpus=(Gpu("0", driver="1"),))) == ()
    assert changes.update(Facts()) == ()
    assert changes.update(after) == changed


def test_there_and_back_again_are_two_changes() -> None:
    changes = Changes(libraries=["torch"])
    for version in ("1", "2", "1"):
        facts = Facts(
            engine=Engine("tgi", "3"),
            libraries=(Library("torch", version),),
            files=(Files("weights", "0123456789abcdef"),),
        )
        changes.update(facts)
    samples = changes.samples(facts)
    assert changes_in(samples) == {"torch": 2}
    assert infos_in(samples)["weights"] == "0123456789ab"


async def test_promtool_finds_nothing_to_say() -> None:
    world = World()
    async with source_of(Surroundings(engine=world.door())) as source:
        check(render(await source.read()))
