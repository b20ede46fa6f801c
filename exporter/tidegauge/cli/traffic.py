"""Traffic, put together from configuration: what is counted, and the doors that it comes by."""

from tidegauge.cli.vectors import vector_settings
from tidegauge.config.engine import EngineConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.pipeline import Schedule
from tidegauge.server import Around, Made, Part, PlanError, TapPlan
from tidegauge.sources.traffic import TrafficSource
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.ledger import Ledger

_MEMORY_SECONDS = 1.0  # between two reads of our own memory, which is no burden


def traffic(config: TrafficConfig) -> Part:
    """The series of every request that was measured, whichever door it came by."""

    def make(around: Around) -> Made:
        ledger = Ledger(config.models)
        source = TrafficSource(ledger, around.arrivals)
        return Made(Schedule(source, _MEMORY_SECONDS, 1), ledger.add)

    return Part("traffic", config.models, make)


def tap(config: TrafficConfig, engine: EngineConfig | None) -> TapPlan | None:
    """The reverse proxy, where one is asked for.

    Raises:
        PlanError: nothing says where it passes requests on.
    """
    if config.listen_address is None:
        return None
    upstream = config.upstream or (engine.url if engine else None)
    if upstream is None:
        missing = "serve.traffic.upstream: is missing, and there is no serve.engine.url"
        raise PlanError([missing])
    labelling = Labelling(frozenset(config.models), config.versions)
    return TapPlan(
        config.listen_address,
        upstream,
        labelling,
        config.connect_timeout,
        vectors=vector_settings(config),
    )
