"""What comes in, how it ends, and whose it is: what the engine's own metrics cannot say."""

from dashboards.expressions import quantile, rate, select
from dashboards.panels import Panel, Query, Row, Step
from dashboards.settings import Objectives
from tidegauge.catalog import traffic

_MODEL = {"model": "$model"}


def _share(name: str, legend: str) -> Query:
    return Query(f'topk(10, {name}{{pool=~"$pool"}})', legend, needs="clients")


def row(objectives: Objectives) -> Row:
    most = (Step(None, "green"), Step(objectives.client_share, "red"))
    return Row(
        "Who asks for what, and what comes of it?",
        (
            Panel(
                "Top clients by requests",
                "Share of a pool's requests, of the clients that have a name: a keyed hash of what "
                "serve.traffic.clients says. Above the dashed line, while others wait, one floods.",
                "percentunit",
                "lines",
                (_share("llm:client_requests:ratio", "{{pool}} {{client}}"),),
                width=8,
                high=1,
                steps=most,
            ),
            Panel(
                "Top clients by tokens",
                "Share of a pool's tokens, prompts and answers together. A client with few "
                "requests and long prompts is here and not beside.",
                "percentunit",
                "lines",
                (_share("llm:client_tokens:ratio", "{{pool}} {{client}}"),),
                width=8,
                high=1,
                steps=most,
            ),
            Panel(
                "Given up by clients",
                "Share of requests that their clients left: waiting for the first content, or "
                "while the answer was streaming. There is an alert above the dashed line, if it is "
                "twice as much as usual.",
                "percentunit",
                "lines",
                (Query('llm:requests_aborted:ratio{model=~"$model"}', "{{model}} {{phase}}"),),
                width=8,
                steps=(Step(None, "green"), Step(objectives.aborted_ratio, "red")),
            ),
            Panel(
                "Errors by class",
                "Requests that failed per second, by class, all models; bad_request, "
                "context_length and the like are the clients' own mistakes.",
                "reqps",
                "stacked",
                (
                    Query(
                        f"{rate(traffic.ERRORS, 'class', **_MODEL)} > 0",
                        "{{class}}",
                        needs="failure",
                    ),
                ),
                width=8,
            ),
            Panel(
                "Answers by status",
                "Answers that had begun per second, by HTTP status. A stream that broke off later "
                "is a 200 here, and cut among the outcomes.",
                "reqps",
                "stacked",
                (Query(f"{rate(traffic.RESPONSES, 'code', **_MODEL)} > 0", "{{code}}"),),
                width=8,
            ),
            Panel(
                "Requests by route",
                "Requests ended per second, by what was asked for: OpenAI's chat or text "
                "completions, Ollama's, or what others told us of.",
                "reqps",
                "stacked",
                (Query(f"{rate(traffic.ROUTES, 'route', pool='$pool')} > 0", "{{route}}"),),
                width=8,
            ),
            Panel(
                "Speed of one stream",
                "Tokens per second that one reader gets after the first token, median and slowest "
                "twentieth. It falls when an engine batches more, or its GPU is throttled.",
                "none",
                "lines",
                tuple(
                    Query(
                        quantile(level, traffic.TOKENS_PER_SECOND, **_MODEL),
                        f"{{{{model}}}} p{level * 100:.0f}",
                    )
                    for level in (0.5, 0.05)
                ),
                width=6,
            ),
            Panel(
                "Streams",
                "Answers that are being streamed now, by replica.",
                "short",
                "stacked",
                (
                    Query(
                        "sum by (pool, replica) "
                        f"({select(traffic.STREAMS_IN_FLIGHT, pool='$pool')})",
                        "{{pool}} {{replica}}",
                    ),
                ),
                width=6,
            ),
            Panel(
                "Tokens per request",
                "Mean of prompts and of answers, per model. Cost per request follows both.",
                "short",
                "lines",
                (
                    Query(_mean(traffic.PROMPT_TOKENS.name), "{{model}} prompt"),
                    Query(_mean(traffic.GENERATION_TOKENS.name), "{{model}} answer"),
                ),
                width=6,
            ),
            Panel(
                "Tokens that the engine counted",
                "Share of answers whose number of generated tokens is from the engine's usage. The "
                "rest is an estimate: clients can ask for usage with stream_options.",
                "percentunit",
                "lines",
                (Query(_usage_share(), "{{model}}"),),
                width=6,
                high=1,
            ),
        ),
    )


def _mean(name: str) -> str:
    """Of one histogram, per model; absent where nothing was observed."""
    total, count = (
        f'sum by (model) (rate({name}_{part}{{model=~"$model"}}[$__rate_interval]))'
        for part in ("sum", "count")
    )
    return f"{total} / ({count} > 0)"


def _usage_share() -> str:
    name = f"{traffic.GENERATION_TOKENS.name}_count"
    said, all_of_them = (
        f"sum by (model) (rate({name}{{{matchers}}}[$__rate_interval]))"
        for matchers in ('model=~"$model", source="usage"', 'model=~"$model"')
    )
    return f"{said} / ({all_of_them} > 0)"
