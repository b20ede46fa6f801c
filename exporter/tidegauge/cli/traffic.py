"""Traffic, put together from configuration: what is counted, and the doors that it comes by."""

import functools
import secrets
import time

from tidegauge.cli.secrets import secret_in
from tidegauge.cli.vectors import vector_settings
from tidegauge.config.clients import ClientsConfig
from tidegauge.config.engine import EngineConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, PlanError, TapPlan
from tidegauge.sources.traffic import TrafficSource
from tidegauge.traffic.client_key import ClientKey
from tidegauge.traffic.client_secret import read_client_secret
from tidegauge.traffic.clients import Clients
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.ledger import Ledger


def traffic(config: TrafficConfig) -> Part:
    """The series of every request that was measured, whichever door it came by."""

    def make(around: Around) -> Made:
        ledger = Ledger(config.models, config.versions)
        clients = Clients(config.clients.top, clock=time.monotonic) if config.clients else None

        def observe(exchange: Exchange) -> None:
            ledger.add(exchange)
            if clients:
                clients.add(exchange)

        source = TrafficSource(ledger, around.arrivals, clients)
        return Made(Schedule.of_memory(source), observe)

    return Part("traffic", (config.models, config.versions, config.clients), make)


def tap(config: TrafficConfig, engine: EngineConfig | None) -> TapPlan | None:
    """The reverse proxy, where one is asked for.

    Raises:
        PlanError: nothing says where it passes requests on, or a secret cannot be used.
    """
    if config.listen_address is None:
        return None
    upstream = config.upstream or (engine.url if engine else None)
    if upstream is None:
        missing = "serve.traffic.upstream: is missing, and there is no serve.engine.url"
        raise PlanError([missing])
    return TapPlan(
        config.listen_address,
        upstream,
        labelling(config),
        config.connect_timeout,
        vectors=vector_settings(config),
    )


def labelling(config: TrafficConfig) -> Labelling:
    """What of a request becomes a label value, by whichever door it comes.

    Raises:
        PlanError: the secret for hashing clients cannot be used.
    """
    clients = _client_key(config.clients) if config.clients else None
    return Labelling(frozenset(config.models), config.versions, clients)


def _client_key(config: ClientsConfig) -> ClientKey:
    key, path = "serve.traffic.clients.secret_file", config.secret_file
    secret = secret_in(path, key, read_client_secret) if path else _random_secret()
    return ClientKey(secret, header=config.header, field=config.body)


@functools.cache
def _random_secret() -> bytes:
    """One per program: a reload must not give every client another name."""
    return secrets.token_bytes(32)
