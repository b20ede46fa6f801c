"""Which driver a CUDA runtime needs, as NVIDIA declares it; the owner's own ranges come on top.

Ranges between Python libraries are not listed here: each library declares its own, and
checks/requirements.py reads those.

Data only: no clock, no network, no logging.
"""

from dataclasses import dataclass

_NVIDIA = "https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html"


@dataclass(frozen=True, slots=True)
class DriverNeed:
    """A CUDA runtime in `runtime` needs a driver in `driver`; `source` says who says so."""

    runtime: str
    driver: str
    source: str


# Within a major release, what was built with a later minor version runs on the first one's driver.
# A newer driver runs everything that an older one ran, so that there is no upper bound.
DRIVER_NEEDS: tuple[DriverNeed, ...] = (
    DriverNeed("==11.*", ">=450.80.02", _NVIDIA),
    DriverNeed("==12.*", ">=525.60.13", _NVIDIA),
    DriverNeed("==13.*", ">=580", _NVIDIA),
)

# Who brings a CUDA runtime along: the distribution whose version is the runtime's own.
RUNTIME_LIBRARIES = (
    "nvidia-cuda-runtime",
    "nvidia-cuda-runtime-cu13",
    "nvidia-cuda-runtime-cu12",
    "nvidia-cuda-runtime-cu11",
)

# Named distributions that an engine's speed and correctness hang on; nothing else is looked up.
LIBRARIES = (
    "torch",
    "vllm",
    "sglang",
    "lmdeploy",
    "tensorrt-llm",
    "transformers",
    "tokenizers",
    "flashinfer-python",
    "flash-attn",
    "triton",
    "nvidia-nccl-cu12",
    "nvidia-nccl-cu13",
    *RUNTIME_LIBRARIES,
)
