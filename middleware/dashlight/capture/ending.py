"""How an exchange ended: what the last message says, and what an exception says that comes after it."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Final, cast

from dashlight.records import Outcome

SERVER_ERROR: Final = 500
REFUSED = frozenset({400, 413, 415, 422})
"""Statuses by which a server says that what it was sent is not what it takes."""
SETTLING_SECONDS: Final = 0.25
"""How long an answer that may prove broken waits for its app to return. Starlette's BaseHTTPMiddleware puts a good end to
a stream that broke, and raises after it."""
_PUTS_AN_END: Final = "starlette.middleware.base"
_AFTER_THE_ANSWER: Final = "starlette.background"


def outcome_of(status: int, *, is_disconnected: bool = False) -> Outcome:
    """The outcome of an exchange that has its last message; *is_disconnected*: the app was told before that the client left."""
    if status >= SERVER_ERROR:
        return "error"
    if is_disconnected:
        return "client_disconnect"
    return "refused" if status in REFUSED else "ok"


def raised(error: BaseException, *, is_disconnected: bool) -> tuple[Outcome, str]:
    """The outcome of an exchange that ends with *error*, and the type of it."""
    error = _alone(error)
    outcome: Outcome = "error" if isinstance(error, Exception) else "cancelled"
    return "client_disconnect" if is_disconnected else outcome, type(error).__qualname__


def breaks_answer(error: BaseException) -> bool:
    """Whether *error*, raised after the last message, belongs to the answer: one of a background task does not."""
    error = _alone(error)
    if not isinstance(error, Exception):
        return False
    modules = set(_modules(error.__traceback__))
    return _PUTS_AN_END in modules and _AFTER_THE_ANSWER not in modules


def _modules(frames: TracebackType | None) -> Iterator[str]:
    """Names of the modules that an exception went through."""
    while frames is not None:
        yield frames.tb_frame.f_globals.get("__name__", "")
        frames = frames.tb_next


def _alone(error: BaseException) -> BaseException:
    """*error*, out of the groups of one in which task groups wrap it."""
    while isinstance(error, BaseExceptionGroup):
        members: list[BaseException] = list(cast("BaseExceptionGroup[BaseException]", error).exceptions)
        if len(members) > 1:
            return cast("BaseException", error)
        error = members[0]
    return error
