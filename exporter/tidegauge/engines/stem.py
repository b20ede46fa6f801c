"""A family's name without what client libraries and parsers add to it.

Which suffixes end up in a family's name depends on whether the engine said its type, and
`_created` is often a family of its own. No clock, no network, no logging.
"""

_SUFFIXES = ("_total", "_created", "_bucket", "_sum", "_count", "_info")


def stem(name: str) -> str:
    """What names of one metric have in common.

    >>> stem("prompt_tokens_total_created"), stem("ttft_seconds_bucket"), stem("ttft_seconds")
    ('prompt_tokens', 'ttft_seconds', 'ttft_seconds')
    """
    while name.endswith(_SUFFIXES):
        name = name.rpartition("_")[0]
    return name
