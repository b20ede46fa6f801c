"""Ray Serve LLM: vLLM's rows, passed on by Ray's metrics agent. Data only.

Ray puts `ray_` before vLLM's names, and since 2.5x writes `_` for the colon. Rows carry the worker
(WorkerId, NodeAddress, SessionName …) as well: of a model with several workers, they are added up.
Ray repeats each counter as a gauge without `_total`, which nothing reads.
"""

from tidegauge.engines.dialect import Dialect, under
from tidegauge.engines.vllm import VLLM

_PREFIXES = ("ray_vllm:", "ray_vllm_")

RAY = Dialect(
    name="ray",
    title="Ray Serve LLM",
    fingerprint=("ray_vllm:num_requests_running",),
    model_label=VLLM.model_label,
    rank_label=VLLM.rank_label,
    prefixes=_PREFIXES,
    rules=under(_PREFIXES, VLLM.rules, once="vllm:"),
    ignored=tuple(
        prefix + name.removeprefix("vllm:") for prefix in _PREFIXES for name in VLLM.ignored
    ),
)
