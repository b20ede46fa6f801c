"""Writes the reference pages that follow from the code: metrics, configuration, GPUs.

`--check` writes nothing, and exits with 1 if a page is out of step.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tidegauge.catalog import (
    Metric,
    control,
    drift,
    errors,
    feedback,
    forwarding,
    gpu,
    gpu_health,
    gpu_links,
    gpu_meters,
    gpu_opt_in,
    health,
    inference,
    inputs,
    middleware,
    nvml,
    otlp,
    own,
    signals,
    traffic,
    vectors,
)
from tidegauge.catalog.renames import KEPT_RELEASES, RENAMES
from tidegauge.config.load import Config
from tidegauge.config.values import Section
from tidegauge.engines import ENGINES, Dialect, Rule

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # so that it runs as a script, from anywhere

from docs.error_pages import known_errors  # noqa: E402
from docs.gpu_pages import gpu_series, xids  # noqa: E402
from docs.privacy_page import privacy  # noqa: E402
from docs.thresholds_page import thresholds  # noqa: E402

_SUBJECTS = (
    ("Inference", inference),
    ("GPU", gpu),
    ("GPU between scrapes", gpu_meters),
    ("GPU health", gpu_health),
    ("GPU links", gpu_links),
    ("GPU, where asked for or cut up", gpu_opt_in),
    ("Traffic", traffic),
    ("Middleware", middleware),
    ("Feedback", feedback),
    ("Vectors of texts", vectors),
    ("Drift", drift),
    ("Errors", errors),
    ("Health", health),
    ("Pools", control),
    ("Signals", signals),
    ("Inputs", inputs),
    ("OTLP traces", otlp),
    ("Forwarding", forwarding),
    ("NVML", nvml),
    ("tidegauge itself", own),
)


_COVERAGE = (
    "What an engine does not say is not there: never a zero. The traffic tap measures latencies,",
    "tokens and errors in front of any engine, also of those without metrics (Ollama). Engines",
    "that are not here: [custom-engine.md](custom-engine.md).",
)
_POLICY = (
    f"A renamed series is exported under both names for {KEPT_RELEASES} minor releases at least,",
    "and is listed here with the release that drops the old one. Names, types and labels of",
    "released series are in a list that the tests hold the catalogue against, so that none can",
    "vanish unseen; a label may be added. Engines rename too: our series then keeps its name and",
    "reads both of theirs, and `tidegauge_engine_unmapped_series` counts what a new release says",
    "that nothing reads yet.",
)
_TIMES = "\N{MULTIPLICATION SIGN}"


def main() -> int:
    """Exit status: 0, or 1 if --check found a page out of step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = [name for name, page in PAGES.items() if not _settle(HERE / name, page(), check=check)]
    for name in stale:
        print(f"docs/{name} is out of step; run: make generate", file=sys.stderr)
    return 1 if stale else 0


def metrics() -> str:
    """Every series: type, unit, labels, meaning, the engines' own names for it, and renames."""
    lines = [
        "# Metrics",
        "",
        "Generated from the catalogue by `python docs/build.py`. Names, types and labels are what",
        "`/metrics` of `tidegauge serve` and `tidegauge control` show. Units are base units; a",
        "ratio goes from 0 to 1. How long a name lives is at the end.",
    ]
    for title, subject in _SUBJECTS:
        lines += ["", f"## {title}", "", *_series(subject.METRICS)]
    lines += ["", "## What engines offer", "", *_coverage()]
    for dialect in ENGINES:
        lines += ["", f"### {dialect.title}", "", *_sources(dialect)]
    lines += ["", "## How long a name lives", "", *_policy()]
    return "\n".join(lines) + "\n"


def configuration() -> str:
    """Every key of tidegauge.yml with its default."""
    lines = [
        "# Configuration",
        "",
        "Generated from the code by `python docs/build.py`. One file, `tidegauge.yml`, is read by",
        "`tidegauge serve` and `tidegauge control`; `--config.check` says every mistake in it.",
        "Durations are written as Prometheus writes them: `500ms`, `5s`, `1m30s`, `2h`. A key",
        "without a default has to be given where its section is.",
        "",
        "| key | default | meaning |",
        "|---|---|---|",
        *_keys(Config, ""),
    ]
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "metrics.md": metrics,
    "configuration.md": configuration,
    "gpu-series.md": gpu_series,
    "xid.md": xids,
    "known-errors.md": known_errors,
    "privacy.md": privacy,
    "thresholds.md": thresholds,
}


def _settle(path: Path, text: str, *, check: bool) -> bool:
    """Whether the page is in step now."""
    if check:
        return path.exists() and path.read_text(encoding="utf-8") == text
    path.write_text(text, encoding="utf-8")
    return True


def _series(metrics: Iterable[Metric]) -> Iterator[str]:
    yield "| series | type | unit | labels | meaning |"
    yield "|---|---|---|---|---|"
    for metric in sorted(metrics, key=lambda metric: metric.name):
        unit = "" if metric.unit in (None, "info") else metric.unit
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        name, kind, text = metric.name, metric.kind, _cell(metric.help)
        yield f"| `{name}` | {kind} | {unit} | {labels} | {text} |"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def _coverage() -> Iterator[str]:
    """Which engine offers what, at a glance."""
    yield from _COVERAGE
    yield ""
    yield f"| series | {' | '.join(f'`{dialect.name}`' for dialect in ENGINES)} |"
    yield "|---" + "|:-:" * len(ENGINES) + "|"
    offered = [{rule.metric.name for rule in dialect.rules} for dialect in ENGINES]
    for name in sorted(set().union(*offered)):
        cells = ("•" if name in names else "" for names in offered)
        yield f"| `{name}` | {' | '.join(cells)} |"


def _sources(dialect: Dialect) -> Iterator[str]:
    """One engine's own names, and what is done with them."""
    paths = " or ".join(f"`{path}`" for path in dialect.paths)
    labels = (("model", dialect.model_label), ("rank", dialect.rank_label))
    told = "; ".join(f"`{ours}` is its `{theirs}`" for ours, theirs in labels if theirs)
    yield f"`engine` is `{dialect.name}`; read at {paths}. {told or 'It names no model'}."
    yield ""
    yield "| series | its names |"
    yield "|---|---|"
    for name in sorted({rule.metric.name for rule in dialect.rules}):
        rules = [rule for rule in dialect.rules if rule.metric.name == name]
        # Rules that fill labels alike give the same series, of which the first counts.
        alike = len({(rule.labels, rule.constant) for rule in rules}) == 1
        names = ("; else " if alike else "; and ").join(map(_source, rules))
        yield f"| `{name}` | {_cell(names)} |"
    if dialect.ignored:
        yield ""
        yield f"Known and left alone: {', '.join(f'`{name}`' for name in dialect.ignored)}."


def _source(rule: Rule) -> str:
    """A rule in words: names with + between them are added up, with "or" the first counts."""
    text = (" + " if rule.combine == "sum" else " or ").join(f"`{name}`" for name in rule.raw)
    if rule.part != "whole":
        text = f"{rule.part} of {text}"
    if rule.value_of:
        factors = (f"label `{label}`" for label in rule.value_of)
        text = f"{f' {_TIMES} '.join(factors)} of {text}"
    elif rule.split:
        text = f"items of label `{rule.split}` of {text}"
    if rule.match:
        pairs = (f"`{name}={value}`" if value else f"no `{name}`" for name, value in rule.match)
        text += f" with {', '.join(pairs)}"
    if rule.pick == "newest":
        text += ", the newest row"
    if rule.scale != 1:
        text += f" {_TIMES} {rule.scale:g}"
    if rule.times:
        text += f" {_TIMES} `{rule.times}`"
    filled = [f"`{ours}` is its `{theirs}`" for theirs, ours in rule.labels if not rule.split]
    filled += [f"`{ours}` is `{value}`" for ours, value in rule.constant]
    return text + (f" ({', '.join(filled)})" if filled else "")


def _policy() -> Iterator[str]:
    yield from _POLICY
    yield ""
    if not RENAMES:
        yield "Nothing has been renamed so far."
        return
    yield "| old name | new name | since | old name until |"
    yield "|---|---|---|---|"
    for rename in RENAMES:
        old, new = rename.old.name, rename.new.name
        yield f"| `{old}` | `{new}` | {rename.since} | {rename.removed_in} |"


def _keys(section: type[Section], path: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        key = f"{path}.{name}" if path else name
        below, many = _section_of(field.annotation)
        if below is None:
            default = _default(field)
            yield f"| `{key}` | {default} | {_cell(field.description or '')} |"
            continue
        note = _cell(field.description or (below.__doc__ or "").splitlines()[0])
        yield f"| `{key}{'[]' if many else ''}` | | {note} |"
        yield from _keys(below, f"{key}{'[]' if many else ''}")


def _section_of(annotation: object) -> tuple[type[Section] | None, bool]:
    """The section that a field holds, and whether it holds a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation, False
    for argument in getattr(annotation, "__args__", ()):
        section, _ = _section_of(argument)
        if section:
            return section, getattr(annotation, "__origin__", None) is tuple
    return None, False


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "none: must be given"
    if value is None or value in ((), {}, ""):
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value)
    is_duration = isinstance(value, float) and any(
        isinstance(rule, BeforeValidator) for rule in field.metadata
    )
    return f"`{_duration(value)}`" if is_duration else f"`{value}`"


def _duration(seconds: float) -> str:
    for unit, size in (("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


if __name__ == "__main__":
    sys.exit(main())
