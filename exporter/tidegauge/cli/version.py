"""`--version`, in the manner of Prometheus's programs."""

import argparse
import platform

from tidegauge import __version__


def add_version_flag(parser: argparse.ArgumentParser) -> None:
    """`--version` prints the build and ends."""
    parser.add_argument(
        "--version", action="version", version=_build(), help="print the version and exit"
    )
    # argparse would fold the lines of the text.
    parser.formatter_class = _Verbatim


class _Verbatim(argparse.HelpFormatter):
    def add_text(self, text: str | None) -> None:
        if text is not None and text.startswith("tidegauge, version"):
            self._add_item(lambda: text, [])
        else:
            super().add_text(text)


def _build() -> str:
    lines = (
        f"tidegauge, version {__version__}",
        f"  python version: {platform.python_version()}",
        f"  platform:       {platform.system().lower()}/{platform.machine()}",
    )
    return "\n".join(lines) + "\n"
