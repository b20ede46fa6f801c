"""A logger that says what went wrong with a request, and never what was in it.

aiohttp logs what it cannot parse with an excerpt, which may be a prompt.
"""

import logging


def facts_only(logger: logging.Logger) -> logging.Logger:
    """`logger`, whose records keep an exception's class and lose its message and traceback."""
    if not any(isinstance(each, _FactsOnly) for each in logger.filters):
        logger.addFilter(_FactsOnly())
    return logger


class _FactsOnly(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
        if kind is not None:
            record.msg, record.args = f"{record.getMessage()}: {kind.__name__}", ()
            record.exc_info = record.exc_text = None
        return True
