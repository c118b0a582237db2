"""Sends labels to an app that takes them, and is patient with one that is busy or away."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args
from urllib.parse import urlsplit

import msgspec

from dashlight.cli.labelling.requests import CONTENT_TYPE
from dashlight.deliver.transport.answer import CollectorAnswer, Send
from dashlight.deliver.transport.retry import backoff_seconds, meaning, retry_after_seconds
from dashlight.labels.label import Fate

_PATH: Final = "/labels"
_MOST_SHOWN: Final = 300
_REFUSALS: Final = {
    401: "the token is another one: set DASHLIGHT_LABELS_TOKEN as the app has it, or give --token-file",
    404: "nothing takes labels there: the app needs DASHLIGHT_LABELS=true, or its DASHLIGHT_PATH is another",
    405: "nothing takes labels there: the app needs DASHLIGHT_LABELS=true, or its DASHLIGHT_PATH is another",
}


class NotSentError(Exception):
    """Labels were not taken, in one sentence; *is_mistake*: what was asked for has to be corrected first."""

    def __init__(self, sentence: str, *, is_mistake: bool) -> None:
        super().__init__(sentence)
        self.is_mistake = is_mistake


class _Invalid(msgspec.Struct):
    place: int
    reason: str


class _Taken(msgspec.Struct):
    matched: int
    unknown: int
    duplicate: int
    invalid: int
    too_late: int
    first_invalid: list[_Invalid] = []


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the labels of one request."""

    counts: Mapping[Fate, int]
    invalid: Sequence[tuple[int, str]]
    """Number of the line, from 1, and reason, of some that are invalid."""


def labels_url(url: str, path: str) -> str:
    """Where labels go, of the app, of its DASHLIGHT_PATH, which is *path*, or of that place itself."""
    base = url.rstrip("/")
    has = urlsplit(base).path
    if has.endswith(_PATH):
        return base
    return f"{base}{_PATH}" if has.endswith(path) else f"{base}{path}{_PATH}"


class Sender:
    """Sends requests one after the other, each until it is answered."""

    def __init__(
        self,
        send: Send,
        *,
        patience_seconds: float,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        now: Callable[[], float],
        tell: Callable[[str], None],
    ) -> None:
        """*patience_seconds* for each request, after which it is given up; *tell* says why it takes longer."""
        self._send = send
        self._patience_seconds = patience_seconds
        self._sleep = sleep
        self._monotonic = monotonic
        self._now = now
        self._tell = tell

    def send(self, body: bytes) -> Taken:
        """What became of the labels in *body*.

        Raises:
            NotSentError: it was refused, or not answered for as long as our patience lasts.
        """
        end_at = self._monotonic() + self._patience_seconds
        attempt = 0
        while True:
            answer = self._send(body, content_type=CONTENT_TYPE, key="")
            if meaning(answer, speaks_otlp=False) != "retry":
                return _taken(answer)
            jitter = random.random()
            asked = retry_after_seconds(answer.retry_after, at=self._now(), jitter=jitter)
            pause = max(backoff_seconds(attempt, jitter=0.5 + jitter / 2) if asked is None else asked, 0.05)
            if self._monotonic() + pause > end_at:
                raise NotSentError(f"gave up after {attempt + 1} tries: {_said(answer)}", is_mistake=False)
            if not attempt:
                self._tell(f"{_said(answer)}; trying again")
            attempt += 1
            self._sleep(pause)


def _taken(answer: CollectorAnswer) -> Taken:
    if answer.failure:
        raise NotSentError(str(answer), is_mistake=True)
    if answer.status != 200:
        reason = _REFUSALS.get(answer.status) or _said(answer)
        raise NotSentError(f"{reason} (status {answer.status})", is_mistake=True)
    try:
        read = msgspec.json.decode(answer.body, type=_Taken)
    except (msgspec.MsgspecError, ValueError):
        raise NotSentError("that is no answer of Dashlight's: is it the right URL?", is_mistake=True) from None
    counts: dict[Fate, int] = {fate: getattr(read, fate) for fate in get_args(Fate)}
    return Taken(counts, [(each.place, each.reason) for each in read.first_invalid])


def _said(answer: CollectorAnswer) -> str:
    """Why there is no answer, or the first line of one, of which nothing may steer a terminal."""
    if answer.failure:
        return str(answer)
    first = answer.body[:_MOST_SHOWN].decode(errors="replace").partition("\n")[0]
    return "".join(each for each in first if each.isprintable()) or str(answer)
