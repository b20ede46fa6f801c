"""Who may send data to the sidecar, put together from configuration."""

from tidegauge.cli.secrets import secret_in
from tidegauge.config.inputs import InputsConfig
from tidegauge.web import InputRules
from tidegauge.web.inputs_tokens import read_tokens


def input_rules(config: InputsConfig) -> InputRules:
    """The rules that the guard of every input goes by.

    Raises:
        PlanError: the token file can't be used.
    """
    if config.token_file:
        secret_in(config.token_file, "serve.inputs.token_file", read_tokens)
    return InputRules(
        token_file=config.token_file,
        trust_loopback=config.trust_loopback,
        max_bytes=config.max_body_bytes,
        max_requests=config.max_requests,
        body_seconds=config.body_timeout,
        per_second=config.requests_per_second,
    )
