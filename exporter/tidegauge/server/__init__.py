"""`tidegauge serve`: what it runs, and how that changes while it runs."""

from tidegauge.server.plan import (
    Around,
    Made,
    Part,
    Plan,
    PlanError,
    ProbeModule,
    ProbePlan,
    TapPlan,
)
from tidegauge.server.sidecar import Sidecar

__all__ = [
    "Around",
    "Made",
    "Part",
    "Plan",
    "PlanError",
    "ProbeModule",
    "ProbePlan",
    "Sidecar",
    "TapPlan",
]
