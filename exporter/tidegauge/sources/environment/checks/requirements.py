"""Do the engine's libraries fit each other, by what each of them declares itself?

A wheel carries its own compatibility range (Requires-Dist): vllm names the torch it was built
against, torch the NCCL. Somebody who upgrades one of them in place breaks that silently.
"""

from collections.abc import Mapping

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tidegauge.sources.environment.check import CheckResult
from tidegauge.sources.environment.facts import Facts, Library
from tidegauge.sources.environment.limits import Limits
from tidegauge.sources.environment.versions import version_of, within


def judge(facts: Facts, _: Limits) -> tuple[CheckResult, ...]:
    """One result per library that requires another one of those that are installed here."""
    installed = {str(canonicalize_name(one.name)): one.version for one in facts.libraries}
    results = (_judged(library, installed) for library in facts.libraries)
    return tuple(result for result in results if result)


def _judged(library: Library, installed: Mapping[str, str]) -> CheckResult | None:
    verdicts = [
        (f"{name} {installed[name]}, requires {requirement.specifier}", fits)
        for requirement in map(_parsed, library.requires)
        if requirement and (name := canonicalize_name(requirement.name)) in installed
        if (fits := _fits(requirement, installed[name])) is not None
    ]
    if not verdicts:
        return None
    broken = [text for text, fits in verdicts if not fits]
    said = "; ".join(broken or [text for text, _ in verdicts])
    return CheckResult(
        library.name, passed=not broken, reason=f"{library.name} {library.version} finds {said}"
    )


def _parsed(text: str) -> Requirement | None:
    """A requirement that holds here: of no extra, and for this platform."""
    try:
        requirement = Requirement(text)
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    except (ValueError, KeyError):  # no requirement, or a marker that means nothing
        return None
    return requirement if applies and requirement.specifier else None


def _fits(requirement: Requirement, text: str) -> bool | None:
    version = version_of(text)
    return None if version is None else within(version, str(requirement.specifier))
