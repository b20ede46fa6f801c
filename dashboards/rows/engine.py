"""What the engines say of themselves, in one vocabulary."""

from dashboards.expressions import rate, select
from dashboards.panels import Panel, Query, Row
from tidegauge.catalog import inference, traffic

_MODEL = {"model": "$model"}

ROW = Row(
    "What are the engines doing?",
    (
        Panel(
            "Running and waiting",
            "Requests that the engines work on, and those accepted but not begun, all replicas. "
            "Waiting that does not fall is a queue that grows.",
            "short",
            "lines",
            (
                Query(f"sum({select(inference.REQUESTS_RUNNING, **_MODEL)})", "running"),
                Query(f"sum({select(inference.REQUESTS_WAITING, **_MODEL)})", "waiting"),
            ),
            width=6,
        ),
        Panel(
            "Tokens",
            "Tokens per second, all replicas: prompt tokens read (cached ones included) and "
            "tokens generated.",
            "short",
            "lines",
            (
                Query(rate(inference.PROMPT_TOKENS, "model", **_MODEL), "{{model}} prompt"),
                Query(rate(inference.GENERATION_TOKENS, "model", **_MODEL), "{{model}} generated"),
            ),
            width=6,
        ),
        Panel(
            "Answers by finish reason",
            "Answers completed per second, by the reason that the engine gave: stop is the "
            "model's own end, length is a limit.",
            "reqps",
            "stacked",
            (Query(rate(traffic.FINISHED, "reason", **_MODEL), "{{reason}}"),),
            width=6,
        ),
        Panel(
            "KV cache in use",
            "Share of the KV cache in use, by replica. Empty for llama.cpp, which does not "
            "report it; vLLM, SGLang, LMDeploy and TensorRT-LLM do.",
            "percentunit",
            "lines",
            (
                Query(
                    f"max by (model, replica) ({select(inference.KV_CACHE_USAGE, **_MODEL)})",
                    "{{model}} {{replica}}",
                    needs="kv_cache",
                ),
            ),
            width=6,
            high=1,
        ),
    ),
)
