"""What of a request may become a label value: configured names, so that no client creates series.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tidegauge.traffic.exchange import OTHER


@dataclass(frozen=True, slots=True)
class Labelling:
    """`models` are the names that become labels; `versions` says which version a model runs in."""

    models: frozenset[str] = frozenset()
    versions: Mapping[str, str] = field(default_factory=dict)

    def model(self, name: str | None) -> str:
        """The label value for what a request called its model (None: none, or it was not read).

        With no configured models every name becomes "other".

        >>> chat = Labelling(frozenset({"chat"}))
        >>> chat.model("chat"), chat.model("x"), chat.model(None), Labelling().model(None)
        ('chat', 'other', 'chat', '')
        """
        if name is None:
            return next(iter(self.models)) if len(self.models) == 1 else ""
        return name if name in self.models else OTHER

    def version(self, model: str) -> str:
        """The version that a model (as `model` gave it) runs in, "" where none is configured."""
        return self.versions.get(model, "")
