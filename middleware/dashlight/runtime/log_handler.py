"""Our own lines on standard error, for as long as nobody says where lines go.

uvicorn, gunicorn, hypercorn and granian configure their own loggers alone: without a handler nobody would see what is
said at INFO. As soon as the app configures logging, its handlers hear us and this one is silent.
"""

from __future__ import annotations

import logging
import sys

_LOGGER = logging.getLogger("dashlight")
_FORMAT = logging.Formatter("%(asctime)s %(levelname)s dashlight: %(message)s")


class LoneHandler(logging.Handler):
    """Writes to standard error, and takes itself away once there is another handler."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line, unless somebody else does by now."""
        if _is_configured():
            withdraw()
            return
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)


def speak_up() -> None:
    """Adds the handler at INFO, once, where no other handler would hear us."""
    if _is_configured() or _own():
        return
    handler = LoneHandler()
    handler.setFormatter(_FORMAT)
    _LOGGER.addHandler(handler)
    # Whoever has set a level of ours meant it.
    if _LOGGER.level == logging.NOTSET:
        _LOGGER.setLevel(logging.INFO)


def withdraw() -> None:
    """Takes the handler away, and the level that came with it, where somebody has configured logging since."""
    if _own() and _is_configured():
        # A new list: the old one may be walked through just now, on this thread or another.
        _LOGGER.handlers = [each for each in _LOGGER.handlers if not isinstance(each, LoneHandler)]
        if _LOGGER.level == logging.INFO:
            _LOGGER.setLevel(logging.NOTSET)


def _own() -> bool:
    return any(isinstance(each, LoneHandler) for each in _LOGGER.handlers)


def _is_configured() -> bool:
    """Whether another handler hears what we log, or nobody is to hear it."""
    others = [each for each in _LOGGER.handlers if not isinstance(each, LoneHandler)]
    return bool(others or logging.getLogger().handlers or not _LOGGER.propagate)
