"""Fixtures for a machine with GPUs: a compiled libnvidia-ml.so.1 and the file that drives it.

Load with `pytest_plugins = ["tests.nvml.fixtures"]`. In this process the library is loaded by
path first: glibc then finds it by its soname, and pynvml's own CDLL("libnvidia-ml.so.1") gets
it, also where a real one is installed. A program of its own finds it by LD_LIBRARY_PATH:
`subprocess.Popen(…, env=nvml.environment(nvml_library))`.
"""

import ctypes
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pynvml
import pytest

from tests.nvml.control import NvmlControl

SONAME = "libnvidia-ml.so.1"
SOURCES = tuple(sorted(str(path) for path in Path(__file__).parent.glob("*.c")))


def build_library(folder: Path, *flags: str) -> Path:
    """Compile the stand-in into `folder` and give its path; fails the test without gcc."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.fail("gcc is not on PATH: the GPU tests compile tests/nvml/*.c with it")
    library = folder / SONAME
    strict = ("-std=gnu11", "-O1", "-Wall", "-Wextra", "-fPIC", "-shared", "-pthread")
    command = [gcc, *strict, *flags, f"-Wl,-soname,{SONAME}", "-o", str(library), *SOURCES]
    built = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if built.returncode:
        pytest.fail(f"{' '.join(command)}\n{built.stderr}")
    return library


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a libnvidia-ml.so.1; its folder holds nothing else."""
    return build_library(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def nvml(
    nvml_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NvmlControl]:
    """A machine with one healthy GPU, for this process; closed and without driver afterwards."""
    control = NvmlControl(tmp_path / "nvml-control")
    for name, value in control.environment(nvml_library).items():  # a child finds it there
        monkeypatch.setenv(name, value)
    ctypes.CDLL(str(nvml_library))
    if pynvml.nvmlLib is not None and not hasattr(pynvml.nvmlLib, "tidegauge_nvml_stand_in"):
        pytest.fail("an earlier test made pynvml load the real NVML; run this one by itself")
    yield control
    control.heal()
    _close()


def _close() -> None:
    while True:
        try:
            pynvml.nvmlShutdown()
        except pynvml.NVMLError:
            return
