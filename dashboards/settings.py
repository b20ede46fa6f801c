"""What dashboards share with the rules: how often to refresh, and the bounds that alerts use."""

from dataclasses import dataclass
from pathlib import Path

import yaml

RULES = Path(__file__).resolve().parents[1] / "alert-rules"


@dataclass(frozen=True, slots=True)
class Objectives:
    """Bounds that panels draw as lines; alerts are written from the same parameters.

    `ttft_bound` is in seconds, and `error_ratio` is the share of requests that may fail.
    `client_share` is of one client, `aborted_ratio` of requests that their clients gave up.
    """

    ttft_bound: float
    error_ratio: float
    client_share: float
    aborted_ratio: float


def load_objectives(path: Path = RULES / "parameters.yml") -> Objectives:
    """The objectives that alerts are written from."""
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Objectives(
        ttft_bound=float(given["ttft_bound"]),
        error_ratio=round(1 - float(given["success_objective_ratio"]), 6),
        client_share=float(given["client_share_ratio"]),
        aborted_ratio=float(given["aborted_ratio"]),
    )


def load_refresh(profile: str, path: Path = RULES / "profiles.yml") -> str:
    """How often the profile's dashboards ask anew, as a Grafana duration.

    Raises:
        ValueError: there is no such profile.
    """
    profiles = yaml.safe_load(path.read_text(encoding="utf-8"))
    if profile not in profiles:
        raise ValueError(f"profile {profile!r}: {path.name} has {', '.join(sorted(profiles))}")
    return str(profiles[profile]["dashboard_refresh"])
