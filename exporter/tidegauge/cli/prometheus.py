"""How `control.prometheus` is reached."""

from tidegauge.config.control import PrometheusConfig
from tidegauge.promql.client import Access


def access(config: PrometheusConfig) -> Access:
    """What the client needs to know."""
    return Access(
        url=config.url,
        timeout_seconds=config.timeout,
        bearer_token_file=config.bearer_token_file,
        username=config.basic_auth.username if config.basic_auth else None,
        password_file=config.basic_auth.password_file if config.basic_auth else None,
        headers=config.headers,
        header_files=config.header_files,
        ca_file=config.tls.ca_file,
        cert_file=config.tls.cert_file,
        key_file=config.tls.key_file,
        insecure_skip_verify=config.tls.insecure_skip_verify,
    )
