"""Files of secrets, looked at before a configuration comes into force."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tidegauge.server import PlanError
from tidegauge.traffic.client_secret import ClientSecretError
from tidegauge.web.inputs_tokens import TokenFileError

Secret = TypeVar("Secret")


def secret_in(path: Path, key: str, read: Callable[[Path], Secret]) -> Secret:
    """What `read` finds in the file that `key` of the configuration names.

    Raises:
        PlanError: the file can't be used.
    """
    try:
        return read(path)
    except (ClientSecretError, TokenFileError) as error:
        raise PlanError([f"{key}: {str(path)!r}: {error}"]) from None
