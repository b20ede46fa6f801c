"""Every entry of CHECKS: absent without facts, passes on good ones, fails on bad, documented."""

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from tidegauge.config import load
from tidegauge.config.health import CheckName
from tidegauge.sources.environment.check import Check
from tidegauge.sources.environment.checks import CHECKS
from tidegauge.sources.environment.facts import (
    Clock,
    Descriptors,
    Engine,
    Facts,
    Files,
    Gpu,
    Library,
    Space,
)
from tidegauge.sources.environment.limits import GIB, MIB, Limits, Range

ROOT = Path(__file__).resolve().parents[2]
GPU = Gpu("0")
LIMITS = Limits(ranges=(Range("driver", ">=550"), Range("vllm", ">=0.10,<0.33")))
VLLM = Library("vllm", "0.11.0", ("torch==2.8.0", 'pytest; extra == "test"', "no specifier"))


def gpu(**said: object) -> Facts:
    return Facts(gpus=(replace(GPU, **said),))


def libraries(torch: str) -> Facts:
    return Facts(libraries=(VLLM, Library("torch", torch)))


def shared_memory(size: int, free: int) -> Facts:
    return Facts(gpus=(GPU, Gpu("1")), shared_memory=Space("/dev/shm", size, free))


# Per check: facts that pass, and facts that fail. Both say something of the same components.
EXAMPLES: dict[str, tuple[list[Facts], list[Facts]]] = {
    "version": (
        [
            gpu(driver="550.54.14"),
            Facts(engine=Engine("vllm", "0.11.0")),
            Facts(libraries=(VLLM,)),
        ],
        [
            gpu(driver="535.183.06"),
            Facts(engine=Engine("vllm", "0.9.2")),
            Facts(libraries=(replace(VLLM, version="0.33.0"),)),
        ],
    ),
    "requirements": ([libraries("2.8.0"), libraries("2.8.0+cu128")], [libraries("2.9.0")]),
    "ecc": ([gpu(uncorrected_errors=0.0)], [gpu(uncorrected_errors=1.0)]),
    "row_remap": (
        [gpu(row_remap_pending=False, row_remap_failed=False), gpu(row_remap_pending=False)],
        [gpu(row_remap_pending=True), gpu(row_remap_failed=True, row_remap_pending=False)],
    ),
    "retired_pages": (
        [gpu(retired_pages=59.0, retired_pages_pending=False)],
        [gpu(retired_pages=60.0), gpu(retired_pages=1.0, retired_pages_pending=True)],
    ),
    "recovery_action": ([gpu(recovery_action=0)], [gpu(recovery_action=n) for n in (1, 2, 4, 9)]),
    "persistence": ([gpu(persistence="on")], [gpu(persistence="off")]),
    "disk": (
        [Facts(disks=(Space("/models", 100 * GIB, 5 * GIB),))],
        [
            Facts(disks=(Space("/models", 100 * GIB, 5 * GIB - 1),)),
            Facts(disks=(Space("/models", 2 * GIB, GIB - 1),)),
        ],
    ),
    "shared_memory": (
        [shared_memory(GIB, 128 * MIB)],
        [shared_memory(64 * MIB, 64 * MIB), shared_memory(GIB, 128 * MIB - 1)],
    ),
    "clock": (
        [Facts(clock=Clock(synchronised=True, max_error_seconds=1.0))],
        [
            Facts(clock=Clock(synchronised=True, max_error_seconds=1.001)),
            Facts(clock=Clock(False, 16.0, was_synchronised=True)),  # noqa: FBT003
        ],
    ),
    "file_descriptors": (
        [Facts(descriptors=(Descriptors("engine", 800, 1000),))],
        [Facts(descriptors=(Descriptors("engine", 801, 1000),))],
    ),
    "model_files": (
        [Facts(files=(Files("weights", "ab", "ab"),))],
        [Facts(files=(Files("weights", "ab", "cd"),))],
    ),
}

checks = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)


@checks
def test_without_facts_there_is_no_verdict(check: Check) -> None:
    assert check.judge(Facts(), LIMITS) == ()


@checks
def test_a_device_that_says_nothing_gets_no_verdict(check: Check) -> None:
    assert check.judge(Facts(gpus=(GPU, Gpu("1"))), LIMITS) == ()


@checks
def test_good_facts_pass(check: Check) -> None:
    for facts in EXAMPLES[check.name][0]:
        verdicts = [result.passed for result in check.judge(facts, LIMITS)]
        assert verdicts, facts
        assert all(verdicts), facts


@checks
def test_bad_facts_fail_and_the_reason_says_what_was_seen(check: Check) -> None:
    for facts in EXAMPLES[check.name][1]:
        results = check.judge(facts, LIMITS)
        assert [result.passed for result in results] == [False], facts
        assert all(len(result.reason) > 10 for result in results)


@checks
def test_a_component_is_judged_once(check: Check) -> None:
    for facts in (*EXAMPLES[check.name][0], *EXAMPLES[check.name][1]):
        components = [result.component for result in check.judge(facts, LIMITS)]
        assert all(components)
        assert len(set(components)) == len(components)


def test_names_are_unique_and_the_configuration_knows_them_all() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert tuple(names) == get_args(CheckName)


def test_the_example_in_the_docs_loads(tmp_path: Path) -> None:
    (block,) = re.findall(
        r"```yaml\n(.*?)```", (ROOT / "docs" / "health.md").read_text(), re.DOTALL
    )
    (tmp_path / "tidegauge.yml").write_text(block)
    assert load(tmp_path / "tidegauge.yml").serve.environment.model.path


def test_each_check_has_a_line_in_the_docs_and_each_line_a_check() -> None:
    text = (ROOT / "docs" / "health.md").read_text()
    table = text[text.index("## Checks") : text.index("`serve.environment.skip`")]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| `")]
    assert [re.sub("[ `]", "", row[0]) for row in rows] == [check.name for check in CHECKS]
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in rows)
