"""How facts are read: from samples, files, /proc, the kernel and an engine's own endpoint."""

import contextlib
import ctypes
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine_server import engine, saying
from tidegauge.catalog import Metric
from tidegauge.samples import Sample
from tidegauge.sources.environment import Asking, kernel_clock, open_files
from tidegauge.sources.environment.baseline import Baseline
from tidegauge.sources.environment.engine_version import ASKED, engine_version
from tidegauge.sources.environment.facts import Descriptors, Engine, Files, Gpu, Library
from tidegauge.sources.environment.file_systems import space_at
from tidegauge.sources.environment.gpu_facts import gpus_in
from tidegauge.sources.environment.kernel_clock import KernelClock
from tidegauge.sources.environment.libraries import installed
from tidegauge.sources.source import SourceError


def gpu_sample(name: str, value: float, **labels: str) -> Sample:
    """A sample of part gpu's catalogue, by name: labels gpu and uuid come first."""
    labels = {"gpu": "0", "uuid": "GPU-0", **labels}
    metric = Metric(f"llm_gpu_{name}", "gauge", "A GPU's.", tuple(labels))
    return Sample(metric, value, tuple(labels.values()))


def test_gpu_samples_become_facts() -> None:
    samples = [
        gpu_sample("info", 1, driver="550.54.14", cuda="12.4", persistence="on"),
        gpu_sample("ecc_errors", 7, type="corrected", scope="volatile"),
        gpu_sample("ecc_errors", 2, type="uncorrected", scope="volatile"),
        gpu_sample("ecc_errors", 9, type="uncorrected", scope="aggregate"),
        gpu_sample("row_remap_pending", 1),
        gpu_sample("row_remap_failed", 0),
        gpu_sample("retired_pages", 3, cause="single_bit"),
        gpu_sample("retired_pages", 1, cause="double_bit"),
        gpu_sample("retired_pages_pending", 0),
        gpu_sample("recovery_action", 1),
        gpu_sample("up", 1, gpu="10"),
        gpu_sample("up", 1, gpu="9"),
    ]
    assert gpus_in(samples) == (
        Gpu("0", "550.54.14", "12.4", "on", 2.0, True, False, 4.0, False, 1),  # noqa: FBT003
        Gpu("9"),
        Gpu("10"),
    )


def test_an_instance_of_a_gpu_says_nothing_of_the_whole() -> None:
    whole = gpu_sample("up", 1)
    instance = gpu_sample("ecc_errors", 5, type="uncorrected", scope="volatile", gi="1", ci="0")
    assert gpus_in([whole, instance]) == (Gpu("0"),)
    assert gpus_in([]) == ()


def test_a_file_system_is_measured(tmp_path: Path) -> None:
    space = space_at(tmp_path)
    assert space.path == str(tmp_path)
    assert 0 <= space.free_bytes <= space.size_bytes
    with pytest.raises(FileNotFoundError):
        space_at(tmp_path / "gone")


def test_our_own_descriptors_are_counted(tmp_path: Path) -> None:
    before = open_files.own()
    with (tmp_path / "one").open("w"), (tmp_path / "two").open("w"):
        during = open_files.own()
    assert during.open == before.open + 2
    assert during.limit >= during.open


def process(proc: Path, pid: int, command: str, *, opened: int, limit: str) -> None:
    folder = proc / str(pid)
    (folder / "fd").mkdir(parents=True)
    for number in range(opened):
        (folder / "fd" / str(number)).touch()
    (folder / "cmdline").write_bytes(command.replace(" ", "\0").encode())
    (folder / "limits").write_text(f"Max processes 9 9 processes\nMax open files {limit} 9 files\n")


def test_the_engine_s_descriptors_are_those_of_its_process_nearest_to_the_limit(
    tmp_path: Path,
) -> None:
    process(tmp_path, 1, "init", opened=9, limit="10")
    process(tmp_path, 20, "python vllm serve m", opened=1, limit="10")
    process(tmp_path, 21, "vllm serve worker", opened=5, limit="10")
    process(tmp_path, 30, "tidegauge --words vllm serve", opened=8, limit="10")
    (tmp_path / "self").symlink_to(tmp_path / "30")
    (tmp_path / "uptime").touch()
    assert open_files.engine("vllm serve", tmp_path) == Descriptors("engine", 5, 10)
    with pytest.raises(FileNotFoundError, match="'sglang' in its command line"):
        open_files.engine("sglang", tmp_path)
    process(tmp_path, 40, "unlimited", opened=1, limit="unlimited")
    with pytest.raises(OSError, match="not limited"):
        open_files.engine("unlimited", tmp_path)


def test_the_kernel_is_asked_without_setting_anything() -> None:
    clock = KernelClock().read()
    assert clock.max_error_seconds >= 0
    assert clock.was_synchronised == clock.synchronised
    # The kernel writes struct timex whole: 208 bytes on 64-bit machines.
    assert ctypes.sizeof(kernel_clock._Timex) >= 208


def dist_info(folder: Path, name: str, version: str, *requires: str) -> None:
    path = folder / f"{name}-{version}.dist-info"
    path.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {one}" for one in requires]
    (path / "METADATA").write_text("\n".join(lines) + "\n")


def test_named_libraries_are_found_and_others_are_not_looked_at(tmp_path: Path) -> None:
    dist_info(tmp_path, "vllm", "0.11.0", "torch==2.8.0")
    dist_info(tmp_path, "nvidia_nccl_cu12", "2.27.3")
    dist_info(tmp_path, "secret", "1")
    (tmp_path / "torch-2.8.0.dist-info").mkdir()  # left behind by a broken upgrade
    assert installed(tmp_path, ["nvidia-nccl-cu12", "torch", "vllm"]) == (
        Library("nvidia-nccl-cu12", "2.27.3"),
        Library("vllm", "0.11.0", ("torch==2.8.0",)),
    )
    with pytest.raises(FileNotFoundError, match="no folder of Python packages"):
        installed(tmp_path / "gone", ["vllm"])


@pytest.mark.parametrize("name", sorted(ASKED))
async def test_each_engine_is_asked_at_its_own_path(name: str) -> None:
    path, key = ASKED[name][-1]

    async def fetch(asked: str) -> bytes:
        if asked != path:
            raise SourceError("http_status", f"{asked} answered 404")
        return json.dumps({key: "1.2.3", "other": 1}).encode()

    assert await engine_version(name, fetch) == Engine(name, "1.2.3")


@pytest.mark.parametrize(
    "body, problem",
    [
        pytest.param(b"<html>", "no JSON", id="no JSON"),
        pytest.param(b'["0.11"]', "length under 'version'", id="a list"),
        pytest.param(b'{"version": 11}', "length under 'version'", id="a number"),
        pytest.param(b'{"version": ""}', "length under 'version'", id="empty"),
        pytest.param(b'{"version": "%s"}' % (b"9" * 101), "length under", id="beyond reason"),
        pytest.param(b"[" * 5000, "no JSON", id="nested beyond reason"),
    ],
)
async def test_an_answer_without_a_version_is_an_error(body: bytes, problem: str) -> None:
    async def fetch(path: str) -> bytes:
        return body

    with pytest.raises(SourceError, match=problem):
        await engine_version("vllm", fetch)


_ANSWERS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=120),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("version"), inner),
    max_leaves=5,
)


@given(st.binary(max_size=200) | _ANSWERS.map(lambda answer: json.dumps(answer).encode()))
async def test_any_answer_is_a_version_or_an_error_of_ours(body: bytes) -> None:
    async def fetch(path: str) -> bytes:
        return body

    with contextlib.suppress(SourceError):  # and nothing else
        engine = await engine_version("vllm", fetch)
        assert engine
        assert 0 < len(engine.version) <= 100


async def test_an_engine_that_has_no_such_endpoint_is_not_asked() -> None:
    async def fetch(path: str) -> bytes:
        raise AssertionError(path)

    assert await engine_version("lmdeploy", fetch) is None
    assert await engine_version("", fetch) is None


async def test_the_engine_is_asked_over_http() -> None:
    async with engine(saying(b'{"version": "0.11.0"}')) as url:
        assert await engine_version("vllm", Asking(url + "/")) == Engine("vllm", "0.11.0")
    with pytest.raises(SourceError, match="/version"):
        await engine_version("vllm", Asking(url))


def test_what_was_loaded_is_what_was_there_when_the_engine_came_up() -> None:
    baseline = Baseline()
    assert baseline.update({"weights": "half"}, serving=False) == (Files("weights", "half"),)
    assert baseline.update({}, serving=True) == ()  # still being read
    assert baseline.update({"weights": "a"}, serving=True) == (Files("weights", "a", "a"),)
    assert baseline.update({"weights": "b"}, serving=True) == (Files("weights", "b", "a"),)
    assert baseline.update({"weights": "b"}, serving=False) == (Files("weights", "b"),)
    assert baseline.update({"weights": "b"}, serving=True) == (Files("weights", "b", "b"),)
