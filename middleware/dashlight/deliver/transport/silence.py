"""Keeps what httpcore says of our own requests out of the log of the app, which may use httpcore itself.

At DEBUG it writes every header, the secret ones too. Levels and handlers stay as the app has them.
"""

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager

# A filter sees the records of its own logger alone, not of those below it.
_SPEAKERS = (
    "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks",
    "hpack.hpack", "hpack.table",
)  # fmt: skip
_thread = threading.local()


@contextmanager
def silenced() -> Generator[None]:
    """Drops what httpcore logs on the calling thread for as long as this lasts."""
    _thread.is_silenced = True
    try:
        yield
    finally:
        _thread.is_silenced = False


def _is_heard(_record: logging.LogRecord) -> bool:
    return not getattr(_thread, "is_silenced", False)


for _name in _SPEAKERS:
    logging.getLogger(_name).addFilter(_is_heard)
