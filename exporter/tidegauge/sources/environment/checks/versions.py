"""Is what runs here in the range that is known to work?

The owner's ranges (serve.environment.versions), and for the driver what NVIDIA says that the
installed CUDA runtime needs. What has no range is not judged.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tidegauge.sources.environment.check import CheckResult
from tidegauge.sources.environment.compatibility import DRIVER_NEEDS, RUNTIME_LIBRARIES
from tidegauge.sources.environment.facts import Facts
from tidegauge.sources.environment.limits import Limits
from tidegauge.sources.environment.versions import version_of, within

_TORCH_CUDA = re.compile(r"\+cu(\d+)(\d)$")  # 2.8.0+cu128: CUDA 12.8


@dataclass(frozen=True, slots=True)
class _Found:
    """A version of a component; ranges are declared for any of its `names`."""

    component: str
    names: frozenset[str]
    version: str


def judge(facts: Facts, limits: Limits) -> tuple[CheckResult, ...]:
    """`driver`, `cuda`, `engine`, and one result per library that has a range."""
    return tuple(
        result
        for found in _all_found(facts)
        if (result := _judged(found, _ranges(found, facts, limits)))
    )


def cuda_runtime(facts: Facts) -> str | None:
    """The version of the CUDA runtime that the engine's libraries bring along.

    >>> from tidegauge.sources.environment.facts import Library
    >>> cuda_runtime(Facts(libraries=(Library("torch", "2.8.0+cu128"),)))
    '12.8'
    """
    versions = {library.name: library.version for library in facts.libraries}
    runtime = next((versions[name] for name in RUNTIME_LIBRARIES if name in versions), None)
    built = _TORCH_CUDA.search(versions.get("torch", ""))
    return runtime or (f"{built[1]}.{built[2]}" if built else None)


def _all_found(facts: Facts) -> Iterator[_Found]:
    for component in ("driver", "cuda"):
        texts = [gpu.driver if component == "driver" else gpu.cuda for gpu in facts.gpus]
        # One driver serves all GPUs; the first that says it will do.
        if text := next(filter(None, texts), ""):
            yield _Found(component, frozenset({component}), text)
    if facts.engine:
        yield _Found("engine", frozenset({"engine", facts.engine.name}), facts.engine.version)
    for library in facts.libraries:
        yield _Found(library.name, frozenset({library.name}), library.version)


def _ranges(found: _Found, facts: Facts, limits: Limits) -> Iterator[tuple[str, str]]:
    """Each range that the version must lie in, and who wants it so."""
    for declared in limits.ranges:
        if declared.name in found.names:
            yield declared.specifier, f"serve.environment.versions.{declared.name}"
    runtime = version_of(cuda_runtime(facts) or "")
    if found.component == "driver" and runtime:
        for need in DRIVER_NEEDS:
            if within(runtime, need.runtime):
                yield need.driver, f"the CUDA {runtime} runtime, {need.source}"


def _judged(found: _Found, ranges: Iterator[tuple[str, str]]) -> CheckResult | None:
    version, wanted = version_of(found.version), list(ranges)
    if version is None or not wanted:
        return None
    broken = [f"{spec} ({who})" for spec, who in wanted if not within(version, spec)]
    if broken:
        reason = f"{found.version} is not in {' and '.join(broken)}"
        return CheckResult(found.component, passed=False, reason=reason)
    reason = f"{found.version} is in {' and '.join(spec for spec, _ in wanted)}"
    return CheckResult(found.component, passed=True, reason=reason)
