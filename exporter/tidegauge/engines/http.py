"""What HTTP servers' metrics have in common, whichever engine is behind them. Data only."""

STATUS_CLASSES: tuple[tuple[str, str | None], ...] = (("4*", "4xx"), ("5*", "5xx"), ("*", None))
"""A status (404, or 4xx) to its class, and only those that mean an error."""
