"""`/labels`: takes labels, and says what became of each."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias, get_args

from anyio import move_on_after
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dashlight.errors import DecodeError, traced
from dashlight.labels.body import FORMS, MOST_BYTES, Form, form_of, read_labels
from dashlight.labels.entry import TOO_MANY
from dashlight.labels.label import Fate, Label
from dashlight.serving.aside import Aside
from dashlight.serving.later import later

logger = logging.getLogger(__name__)

Take: TypeAlias = Callable[[Sequence[Label], float], Sequence[Fate]]
"""Takes labels that came at a moment; what became of each."""

PATH: Final = "/labels"
_MOST_WORK = 2
"""Requests that are read and stored at the same time."""
_MOST_RECEIVED = 16
"""Bodies that are being received at the same time: as many MiB, however slow their clients are."""
_PATIENCE_SECONDS = 30.0
"""For a body to be here as a whole."""
_RETRY_SECONDS = 1
_MOST_TOLD = 10
"""Places of invalid labels."""
_EXPECTED = f"expected a Content-Type of {', '.join(FORMS)}, in UTF-8"
_REFUSED_BY_STORE = "is no label of its prediction, or the id is forged"
_TOO_LARGE = f"expected at most {MOST_BYTES} bytes: send several requests"


def labels_route(take: Take, now: Callable[[], float], *, patience_seconds: float = _PATIENCE_SECONDS) -> Route:
    """The route that hands labels to *take*, which is called on a thread; a body has *patience_seconds* to be here as a whole."""
    return Route(PATH, _Labels(take, now, patience_seconds).answer, methods=["POST"])


class _Labels:
    def __init__(self, take: Take, now: Callable[[], float], patience_seconds: float) -> None:
        self._hand_on = take
        self._now = now
        self._patience_seconds = patience_seconds
        self._aside = Aside(_MOST_WORK, retry_seconds=_RETRY_SECONDS)
        self._receiving = threading.BoundedSemaphore(_MOST_RECEIVED)
        self._told = ""

    async def answer(self, request: Request) -> Response:
        """Takes the labels in the body of *request*."""
        form = form_of(request.headers.get("content-type", ""))
        if form is None:
            return _refusal(415, _EXPECTED)
        if request.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
            return _refusal(415, "expected a body that is not compressed")
        if not self._receiving.acquire(blocking=False):
            return later("others are being answered", _RETRY_SECONDS)
        body: bytes | Response = _refusal(408, f"expected all of the body within {self._patience_seconds:g} s")
        try:
            with move_on_after(self._patience_seconds):
                body = await _received(request)
        finally:
            self._receiving.release()
        return body if isinstance(body, Response) else await self._aside.run(partial(self._take, body, form))

    def _take(self, body: bytes, form: Form) -> Response:
        """Reads *body* and stores its labels; on a thread, because both take milliseconds and the disk may hang."""
        at = self._now()
        try:
            read = read_labels(body, form, now=at)
        except DecodeError as error:
            return _refusal(413 if error.reason == TOO_MANY else 400, str(error))
        try:
            fates = self._hand_on(read.labels, at) if read.labels else ()
        except Exception as error:  # whatever is behind it: a disk that is full, a server that is away
            self._tell_once(error)
            return later("labels cannot be stored now: send them again", _RETRY_SECONDS)
        self._told = ""
        counts = Counter(fates)
        counts["invalid"] += len(read.refused)
        # Of each entry once: a whole batch may be wrong in every row.
        forged = dict.fromkeys(place for place, fate in zip(read.places, fates, strict=True) if fate == "invalid")
        invalid = sorted([*read.refused, *((place, _REFUSED_BY_STORE) for place in forged)])[:_MOST_TOLD]
        told: dict[str, object] = {fate: counts[fate] for fate in get_args(Fate)}
        if invalid:
            told["first_invalid"] = [{"place": place, "reason": reason} for place, reason in invalid]
        return JSONResponse(told)

    def _tell_once(self, error: Exception) -> None:
        kind = type(error).__name__
        if kind != self._told:
            self._told = kind
            logger.error("labels cannot be stored, whoever sends them is told to come again: %s", traced(error))


async def _received(request: Request) -> bytes | Response:
    """The body, read up to its limit and no further; or why it is not taken."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdecimal() and (len(announced) > 15 or int(announced) > MOST_BYTES):
        return _refusal(413, _TOO_LARGE)
    body = bytearray()
    try:
        async for chunk in request.stream():
            if len(body) + len(chunk) > MOST_BYTES:
                return _refusal(413, _TOO_LARGE)
            body += chunk
    except ClientDisconnect:
        return _refusal(400, "the body was cut short")
    return bytes(body) if body else _refusal(400, "expected labels: the body is empty")


def _refusal(status: int, sentence: str) -> Response:
    return PlainTextResponse(f"{sentence}\n", status)
