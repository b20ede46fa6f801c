"""What single checks make of facts that conformance does not ask for."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tidegauge.sources.environment.checks import (
    clock,
    model_files,
    requirements,
    space,
    versions,
)
from tidegauge.sources.environment.compatibility import DRIVER_NEEDS
from tidegauge.sources.environment.facts import (
    Clock,
    Engine,
    Facts,
    Files,
    Gpu,
    Library,
    Space,
)
from tidegauge.sources.environment.limits import GIB, Limits, Range
from tidegauge.sources.environment.versions import version_of


def verdicts(facts: Facts, *ranges: Range) -> dict[str, bool]:
    return {r.component: r.passed for r in versions.judge(facts, Limits(ranges=ranges))}


def with_driver(driver: str, *libraries: Library) -> Facts:
    return Facts(gpus=(Gpu("0", driver=driver, cuda="12.4"),), libraries=libraries)


@pytest.mark.parametrize(
    "runtime, driver, passed",
    [
        pytest.param(Library("torch", "2.8.0+cu128"), "525.60.13", True, id="oldest for CUDA 12"),
        pytest.param(Library("torch", "2.8.0+cu128"), "525.60.12", False, id="too old for CUDA 12"),
        pytest.param(Library("torch", "2.9.0+cu130"), "575.57.08", False, id="too old for CUDA 13"),
        pytest.param(Library("torch", "2.9.0+cu130"), "580.65.06", True, id="enough for CUDA 13"),
        pytest.param(Library("nvidia-cuda-runtime-cu11", "11.8.89"), "450.36", False, id="11"),
        pytest.param(Library("nvidia-cuda-runtime", "13.0.48"), "610.57.04", True, id="newer"),
    ],
)
def test_the_driver_must_do_for_the_installed_cuda_runtime(
    runtime: Library, driver: str, passed
) -> None:
    assert verdicts(with_driver(driver, runtime)) == {"driver": passed}


def test_the_runtime_s_own_version_says_more_than_torch_s_suffix() -> None:
    both = (Library("torch", "2.8.0+cu128"), Library("nvidia-cuda-runtime-cu12", "12.6.77"))
    assert versions.cuda_runtime(Facts(libraries=both)) == "12.6.77"


def test_a_future_cuda_is_not_judged() -> None:
    assert verdicts(with_driver("610.1", Library("nvidia-cuda-runtime", "19.0"))) == {}


def test_a_range_applies_to_the_engine_by_its_dialect_and_to_the_library_of_that_name() -> None:
    facts = Facts(engine=Engine("vllm", "0.9.0"), libraries=(Library("vllm", "0.11.0"),))
    ranged = Range("vllm", ">=0.10")
    assert verdicts(facts, ranged) == {"engine": False, "vllm": True}
    assert verdicts(facts, Range("engine", ">=0.8")) == {"engine": True}
    assert verdicts(facts, Range("cuda", ">=12")) == {}


def test_a_version_that_is_none_is_not_judged() -> None:
    assert verdicts(with_driver("unknown"), Range("driver", ">=1")) == {}


def test_llama_cpp_s_builds_have_an_order() -> None:
    facts = Facts(engine=Engine("llamacpp", "b11434-0cf2f7a"))
    assert verdicts(facts, Range("llamacpp", ">=11000")) == {"engine": True}
    assert verdicts(facts, Range("llamacpp", ">=11435")) == {"engine": False}


@pytest.mark.parametrize("need", DRIVER_NEEDS, ids=lambda need: need.runtime)
def test_each_shipped_range_parses_and_has_a_source(need) -> None:
    assert SpecifierSet(need.runtime)
    assert SpecifierSet(need.driver).contains("999")
    assert need.source.startswith("https://docs.nvidia.com/")


@given(st.lists(st.integers(1, 9999), min_size=1, max_size=4), st.sampled_from(["", "b", "v"]))
def test_numbers_are_a_version_whatever_stands_before_and_behind(
    numbers: list[int], prefix: str
) -> None:
    text = ".".join(map(str, numbers))
    assert version_of(f"{prefix}{text}") == Version(text)


@given(st.text(max_size=20))
@example("\N{MATHEMATICAL BOLD DIGIT ZERO}")
def test_no_text_breaks_the_reading_of_versions(text: str) -> None:
    version = version_of(text)
    assert version is None or version >= Version("0.dev0")


@pytest.mark.parametrize(
    "requires",
    [
        pytest.param("torch==9; extra == 'gpu'", id="of an extra"),
        pytest.param("torch==9; sys_platform == 'win32'", id="of another platform"),
        pytest.param("torch", id="without a range"),
        pytest.param("torch @ https://example.org/torch.whl", id="from an address"),
        pytest.param("numpy==9", id="of what is not looked at"),
        pytest.param("torch ==", id="that is none"),
        pytest.param("torch==9; 'a' ~= 'b'", id="whose marker means nothing"),
    ],
)
def test_a_requirement_that_says_nothing_here_is_not_judged(requires: str) -> None:
    facts = Facts(libraries=(Library("vllm", "1", (requires,)), Library("torch", "2")))
    assert requirements.judge(facts, Limits()) == ()


def test_distributions_are_found_under_any_spelling_of_their_name() -> None:
    vllm = Library("vllm", "1", ("Flashinfer_Python==0.4",))
    facts = Facts(libraries=(vllm, Library("flashinfer-python", "0.3")))
    (result,) = requirements.judge(facts, Limits())
    assert (result.component, result.passed) == ("vllm", False)
    assert result.reason == "vllm 1 finds flashinfer-python 0.3, requires ==0.4"


def test_a_clock_that_nobody_ever_synchronised_is_judged_only_if_it_must_be() -> None:
    facts = Facts(clock=Clock(synchronised=False, max_error_seconds=16.0))
    assert clock.judge(facts, Limits()) == ()
    (result,) = clock.judge(facts, Limits(clock_required=True))
    assert not result.passed


@pytest.mark.parametrize(
    "gpus, always, judged",
    [
        pytest.param(0, False, False, id="no GPU needs none"),
        pytest.param(1, False, False, id="a single GPU needs none"),
        pytest.param(2, False, True, id="two GPUs do"),
        pytest.param(0, True, True, id="the owner named its path"),
    ],
)
def test_shared_memory_is_judged_where_it_is_needed(gpus: int, always, judged) -> None:
    facts = Facts(
        gpus=tuple(Gpu(str(n)) for n in range(gpus)),
        shared_memory=Space("/dev/shm", 64 * 2**20, 64 * 2**20),
    )
    results = space.judge_shared_memory(facts, Limits(shared_memory_always=always))
    assert [result.passed for result in results] == [False] * judged


def test_a_file_system_without_a_size_is_not_judged() -> None:
    unlimited = Space("/dev/shm", 0, 0)
    facts = Facts(disks=(unlimited,), shared_memory=unlimited)
    limits = Limits(shared_memory_always=True)
    assert space.judge_disk(facts, limits) == space.judge_shared_memory(facts, limits) == ()


@given(st.integers(1, 2**50), st.integers(0, 2**50))
def test_more_room_never_fails_where_less_passed(size: int, free: int) -> None:
    def passed(free: int) -> bool:
        facts = Facts(disks=(Space("/", size, free),))
        return space.judge_disk(facts, Limits(disk_free_bytes=GIB))[0].passed

    assert passed(free + 1) >= passed(free)


@pytest.mark.parametrize(
    "declared, loaded, expected",
    [
        pytest.param("", "", None, id="nothing declared, no engine yet"),
        pytest.param("", "abcdef012345", True, id="as loaded"),
        pytest.param("abcdef", "999", True, id="as declared, whatever was loaded"),
        pytest.param("999999", "abcdef012345", False, id="other than declared"),
    ],
)
def test_files_are_judged_by_what_is_declared_else_by_what_was_loaded(
    declared: str, loaded: str, expected
) -> None:
    facts = Facts(files=(Files("tokenizer", "abcdef012345", loaded),))
    results = model_files.judge(facts, Limits(tokenizer=declared))
    assert [result.passed for result in results] == ([] if expected is None else [expected])
