"""Our own lines on standard error, for as long as nobody says where lines go.

uvicorn, gunicorn, hypercorn and granian configure their own loggers alone: without a handler nobody would see what is
said at INFO. BentoML's handler hears everybody, but at WARNING: there the level is enough. As soon as the app configures
logging, its handlers hear us at its level, and this one is silent.
"""

from __future__ import annotations

import logging
import sys

_LOGGER = logging.getLogger("dashlight")


class _OwnLevel(int):
    """A level that is told from the same one that somebody else has set."""


_INFO = _OwnLevel(logging.INFO)
_FORMAT = logging.Formatter("%(asctime)s %(levelname)s dashlight: %(message)s")


class LoneHandler(logging.Handler):
    """Writes to standard error, and takes itself away once there is another handler."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line, unless somebody else does by now."""
        if _is_configured() or logging.getLogger().handlers:
            withdraw()
            return
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)


def speak_up() -> None:
    """Has us heard at INFO, once, where nobody but a server says who is heard; a level of ours that is set stays."""
    if _is_configured() or _own():
        return
    if not logging.getLogger().handlers:
        handler = LoneHandler()
        handler.setFormatter(_FORMAT)
        _LOGGER.addHandler(handler)
    if _LOGGER.level == logging.NOTSET:
        _LOGGER.setLevel(_INFO)


def withdraw() -> None:
    """Takes back handler and level where somebody has configured logging since."""
    if not _is_configured():
        return
    if _own():
        # A new list: the old one may be walked through just now, on this thread or another.
        _LOGGER.handlers = [each for each in _LOGGER.handlers if not isinstance(each, LoneHandler)]
    if _LOGGER.level is _INFO:
        _LOGGER.setLevel(logging.NOTSET)


def _own() -> bool:
    return any(isinstance(each, LoneHandler) for each in _LOGGER.handlers)


def _is_configured() -> bool:
    """Whether another handler hears what we log, or nobody is to hear it."""
    others = [each for each in _LOGGER.handlers if not isinstance(each, LoneHandler)]
    of_apps = [each for each in logging.getLogger().handlers if not _is_of_bentoml(each)]
    return bool(others or of_apps or not _LOGGER.propagate)


def _is_of_bentoml(handler: logging.Handler) -> bool:
    """Whether *handler* is the one that BentoML gives to the root logger.

    Source: bentoml/_internal/log.py, SERVER_LOGGING_CONFIG.
    """
    return any(type(each).__module__.startswith("bentoml.") for each in handler.filters)
