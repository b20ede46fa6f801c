"""The `serve.push:` section: exchanges that apps push."""

from pydantic import Field

from tidegauge.config.values import Section


class PushConfig(Section):
    """Exchanges by POST /v1/exchanges; docs/push.md has the fields. Needs serve.traffic.

    Write `push: {}` to have it as it is.
    """

    max_exchanges: int = Field(
        default=10_000, ge=1, le=100_000, description="Exchanges in one request at most."
    )
