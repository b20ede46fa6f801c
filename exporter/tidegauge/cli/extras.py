"""Parts that need a package of an optional extra."""

from importlib.util import find_spec

from tidegauge.server import PlanError


def need(module: str, extra: str, key: str) -> None:
    """Go on if `module` is installed, which `pip install 'tidegauge[extra]'` brings.

    Raises:
        PlanError: it is not; `key` is the key of the configuration that asks for it.
    """
    if not _is_installed(module):
        raise PlanError([f"{key}: needs `pip install 'tidegauge[{extra}]'`"])


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package above it
        return False
