"""How long a client of the tap may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a client may take, in seconds; its requests and answers may take for ever.

    `head_seconds` is the time to send a head; nginx gives as much. `idle_seconds` is the time
    between two requests: longer than any proxy in front keeps a connection (Envoy: an hour), since
    who closes an idle one first may meet a request on its way. `linger_seconds` is for a client
    that is still sending what was refused, to read why before it meets a reset. A client that has
    closed its sending side is in doubt after `doubt_seconds`, had its proof within `proof_seconds`
    of being sent something, and is asked again every `probe_seconds`.
    """

    head_seconds: float = 60.0
    idle_seconds: float = 3630.0
    linger_seconds: float = 5.0
    doubt_seconds: float = 1.0
    proof_seconds: float = 0.25
    probe_seconds: float = 15.0
