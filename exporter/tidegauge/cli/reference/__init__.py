"""`tidegauge reference`: learns what is ordinary for a model, and shows, merges and promotes it."""

from tidegauge.cli.reference.command import add_parser

__all__ = ["add_parser"]
