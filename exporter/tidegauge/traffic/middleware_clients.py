"""How the middleware tells clients apart: by the environment, as `serve.traffic.clients` says it.

A wrong value costs one line in the log, and clients are not told apart: it never costs the engine.
"""

import logging
import secrets
from collections.abc import Mapping
from pathlib import Path

from tidegauge.traffic.client_key import ClientKey
from tidegauge.traffic.client_secret import ClientSecretError, read_client_secret

logger = logging.getLogger(__name__)

HEADER = "TIDEGAUGE_CLIENT_HEADER"
FIELD = "TIDEGAUGE_CLIENT_BODY"
SECRET_FILE = "TIDEGAUGE_CLIENT_SECRET_FILE"  # noqa: S105 - the name of a variable


def client_key(variables: Mapping[str, str]) -> ClientKey | None:
    """What the TIDEGAUGE_CLIENT_… variables ask for; None: not to tell clients apart.

    Without a file the secret is this process's own, and so are the names that it gives.
    """
    header, field = (variables.get(name, "").strip() or None for name in (HEADER, FIELD))
    if header is None and field is None:
        return None
    if header and field:
        logger.warning("tidegauge: %s and %s are both given; keep one", HEADER, FIELD)
        return None
    path = variables.get(SECRET_FILE, "").strip()
    try:
        secret = read_client_secret(Path(path)) if path else secrets.token_bytes(32)
    except ClientSecretError as error:
        logger.warning("tidegauge: %s: %r: %s", SECRET_FILE, path, error)
        return None
    return ClientKey(secret, header=header, field=field)
