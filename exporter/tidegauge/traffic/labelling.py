"""What of a request may become a label value: configured names, so that no client creates series.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tidegauge.traffic.client_key import ClientKey
from tidegauge.traffic.exchange import OTHER


@dataclass(frozen=True, slots=True)
class Labelling:
    """`models` are the names that become labels; `versions` says which version a model runs in.

    `clients` says how clients are told apart; None: they are not.
    """

    models: frozenset[str] = frozenset()
    versions: Mapping[str, str] = field(default_factory=dict)
    clients: ClientKey | None = None

    @property
    def client_header(self) -> str | None:
        """The request header whose value goes to `client`; None: no header is to be looked at."""
        return self.clients.header if self.clients else None

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

    def client(self, value: str) -> str:
        """The label value for what the header `client_header` of a request says: a keyed hash.

        "" for no value, and where clients are not told apart.
        """
        return self.clients.hashed(value) if self.clients else ""

    def client_in(self, document: Mapping[str, object] | None) -> str:
        """The same for the request's JSON document (None: it was not read)."""
        return self.clients.hashed_in(document) if self.clients else ""
