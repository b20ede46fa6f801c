"""Are the model's files those that they should be?

Either the owner declares the digest, and a replica with other files is found; or what was there
when the engine came up counts: files that change under a running engine are served by nobody yet,
and by everybody after the next restart.
"""

from tidegauge.sources.environment.check import CheckResult
from tidegauge.sources.environment.facts import Facts, Files
from tidegauge.sources.environment.limits import Limits

_SHOWN = 12


def judge(facts: Facts, limits: Limits) -> tuple[CheckResult, ...]:
    """`weights`, `config` and `tokenizer`, where the model has such files."""
    declared = {
        "weights": limits.weights,
        "config": limits.config,
        "tokenizer": limits.tokenizer,
    }
    results = (_judged(files, declared.get(files.component, "")) for files in facts.files)
    return tuple(result for result in results if result)


def _judged(files: Files, declared: str) -> CheckResult | None:
    wanted = declared or files.loaded
    if not wanted:
        return None
    whose = "is declared" if declared else "was there when the engine came up"
    reason = f"{files.digest[:_SHOWN]} is on disk, {wanted[:_SHOWN]} {whose}"
    return CheckResult(files.component, passed=files.digest.startswith(wanted), reason=reason)
