"""Writes the reference pages that follow from the code: docs/metrics.md and docs/configuration.md.

`--check` writes nothing, and exits with 1 if a page is out of step.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tidegauge.catalog import Metric, control, drift, gpu, health, inference, own, traffic
from tidegauge.config.load import Config
from tidegauge.config.values import Section
from tidegauge.engines import ENGINES, Dialect

HERE = Path(__file__).resolve().parent

_SUBJECTS = (
    ("Inference", inference),
    ("GPU", gpu),
    ("Traffic", traffic),
    ("Drift", drift),
    ("Health", health),
    ("Pools", control),
    ("tidegauge itself", own),
)


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
    """Every series: type, labels, meaning, and the engines' own names for it."""
    lines = [
        "# Metrics",
        "",
        "Generated from the catalogue by `python docs/build.py`. Names, types and labels are what",
        "`/metrics` of `tidegauge serve` and `tidegauge control` show.",
    ]
    for title, subject in _SUBJECTS:
        lines += [
            "",
            f"## {title}",
            "",
            "| series | type | labels | meaning |",
            "|---|---|---|---|",
        ]
        lines += [_row(metric) for metric in sorted(subject.METRICS, key=lambda m: m.name)]
    lines += ["", "## What engines call them", "", *_engine_names()]
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


PAGES: dict[str, Callable[[], str]] = {"metrics.md": metrics, "configuration.md": configuration}


def _settle(path: Path, text: str, *, check: bool) -> bool:
    """Whether the page is in step now."""
    if check:
        return path.exists() and path.read_text(encoding="utf-8") == text
    path.write_text(text, encoding="utf-8")
    return True


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {_cell(metric.help)} |"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def _engine_names() -> Iterator[str]:
    names = " | ".join(dialect.name for dialect in ENGINES)
    yield f"| series | {names} |"
    yield "|---" * (len(ENGINES) + 1) + "|"
    for metric in sorted(inference.METRICS, key=lambda metric: metric.name):
        cells = [_raw_names(dialect, metric) for dialect in ENGINES]
        if any(cells):
            yield f"| `{metric.name}` | {' | '.join(cell or '-' for cell in cells)} |"


def _raw_names(dialect: Dialect, metric: Metric) -> str:
    """The engine's names, joined by + where they are added up, by "or" where the first counts."""
    rules = [rule for rule in dialect.rules if rule.metric is metric]
    return "; ".join(
        (" + " if rule.combine == "sum" else " or ").join(f"`{name}`" for name in rule.raw)
        + ("" if rule.part == "whole" else f" (its {rule.part})")
        for rule in rules
    )


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
    is_duration = any(isinstance(rule, BeforeValidator) for rule in field.metadata)
    return f"`{_duration(value)}`" if is_duration else f"`{value}`"


def _duration(seconds: float) -> str:
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


if __name__ == "__main__":
    sys.exit(main())
