"""What the environment is made of, component by component, and how often each has changed.

No clock, no network, no logging.
"""

from collections.abc import Sequence

from tidegauge.catalog.health import ENVIRONMENT_CHANGES, ENVIRONMENT_INFO
from tidegauge.samples import Sample
from tidegauge.sources.environment.facts import Facts

COMPONENTS = ("driver", "cuda", "engine", "weights", "config", "tokenizer", "kernel")
DIGEST_SHOWN = 12  # hexadecimal digits of a digest in a label


def components(facts: Facts) -> dict[str, str]:
    """What is known: a version, or the beginning of a digest. Libraries are components too.

    >>> from tidegauge.sources.environment.facts import Engine
    >>> components(Facts(engine=Engine("vllm", "0.11.0"), kernel="6.1.0-27-amd64"))
    {'engine': 'vllm 0.11.0', 'kernel': '6.1.0-27-amd64'}
    """
    known = {
        "driver": next((gpu.driver for gpu in facts.gpus if gpu.driver), ""),
        "cuda": next((gpu.cuda for gpu in facts.gpus if gpu.cuda), ""),
        "engine": f"{facts.engine.name} {facts.engine.version}" if facts.engine else "",
        **{files.component: files.digest[:DIGEST_SHOWN] for files in facts.files},
        "kernel": facts.kernel,
        **{library.name: library.version for library in facts.libraries},
    }
    return {component: value for component, value in known.items() if value}


class Changes:
    """Counts, per component, how often what is known differs from what was known before.

    A component that is unknown for a while has not changed: a GPU or an engine that is away is
    another alert's business.
    """

    def __init__(self, libraries: Sequence[str] = ()) -> None:
        self._known: dict[str, str] = {}
        # From 0, so that `increase()` sees the first change.
        self._counts = dict.fromkeys((*COMPONENTS, *libraries), 0)

    def update(self, facts: Facts) -> tuple[tuple[str, str, str], ...]:
        """Take note; what changed since the last update, as (component, before, now)."""
        now = components(facts)
        changed = tuple(
            (component, self._known[component], value)
            for component, value in now.items()
            if self._known.get(component, value) != value
        )
        for component, _, _ in changed:
            self._counts[component] += 1
        self._known |= now
        return changed

    def samples(self, facts: Facts) -> tuple[Sample, ...]:
        """One `llm_environment_info` per known component, and a counter for every component."""
        infos = (Sample(ENVIRONMENT_INFO, 1, pair) for pair in components(facts).items())
        counts = (Sample(ENVIRONMENT_CHANGES, n, (name,)) for name, n in self._counts.items())
        return (*infos, *counts)
