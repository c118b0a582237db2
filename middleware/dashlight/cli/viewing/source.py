"""Where a command reads what an app shows: over HTTP, or in its state directory while it runs or after it ended."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import urlsplit

import msgspec

from dashlight.cli.applications import add_state, directory_of
from dashlight.cli.checks.running import tokens_of
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.deliver.transport.http import HttpSender
from dashlight.deliver.transport.urls import checked_url, masked
from dashlight.errors import DashlightError, StateError
from dashlight.page.shape import VERSION, ShownStatus
from dashlight.page.versions import ShownVersions
from dashlight.page.view import MOST_BYTES, View
from dashlight.runtime.assembly.label_sender import viewer_settings
from dashlight.store.private import read_private
from dashlight.units import small_file
from dashlight.workers.layouts import VIEW

Part: TypeAlias = Literal["status", "versions"]
Struct = TypeVar("Struct", ShownStatus, ShownVersions)
VIEW_FILE: Final = "view"
STALE_PANES: Final = 12
LEAST_STALE_SECONDS: Final = 120.0
_ATTEMPT_SECONDS: Final = 30.0
_REFUSALS: Final = {
    401: "the token is another one: set DASHLIGHT_TOKEN as the app has it, or give --token-file",
    404: "nothing shows its state there: the app needs DASHLIGHT_METRICS=true, or its DASHLIGHT_PATH is another",
    405: "nothing shows its state there: the app needs DASHLIGHT_METRICS=true, or its DASHLIGHT_PATH is another",
}


class NotSeenError(Exception):
    """The view could not be read, in one sentence; *is_mistake*: what was asked for has to be corrected first."""

    def __init__(self, sentence: str, *, is_mistake: bool = False) -> None:
        super().__init__(sentence)
        self.is_mistake = is_mistake


class ViewSource(Protocol):
    """Reads what is shown now; NotSeenError where that cannot be."""

    def __call__(self, part: Part, /) -> bytes:
        """The JSON of one part."""
        ...


def add_source(parser: argparse.ArgumentParser) -> None:
    """Adds where to read: `--url` with its token, or `--state-dir`."""
    parser.add_argument("--url", metavar="URL", default="", help="of the app, such as http://127.0.0.1:8000")
    token = parser.add_mutually_exclusive_group()
    token.add_argument("--token", metavar="TOKEN", default="", help="with --url (default: DASHLIGHT_TOKEN)")
    token.add_argument("--token-file", metavar="FILE", type=Path, help="holds the token, which then shows in no list")
    add_state(parser)


def source_of(arguments: argparse.Namespace) -> ViewSource:
    """Where *arguments* say that it is read.

    Raises:
        NotSeenError: neither a URL nor a directory that can be used.
    """
    try:
        if arguments.url:
            return _over_http(arguments)
        return partial(_in_directory, directory_of(arguments) / VIEW_FILE)
    except (DashlightError, ValueError) as error:
        raise NotSeenError(str(error), is_mistake=True) from None
    except OSError as error:
        raise NotSeenError(f"{error.filename}: {error.strerror or error}", is_mistake=True) from None


def seen(body: bytes, kind: type[Struct]) -> Struct:
    """What *body* says; NotSeenError where it is nothing of ours, or of a later version."""
    try:
        told = msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, ValueError):
        raise NotSeenError("that is no answer of Dashlight's, or of another release: is it the right URL?") from None
    if told.version != VERSION:
        raise NotSeenError(f"that is version {told.version}: this Dashlight reads {VERSION}", is_mistake=True)
    return told


def is_stale(age_seconds: float, pane_seconds: float) -> bool:
    """Whether so much time has passed, or is still to come, that nothing is judged any more, or a clock is wrong."""
    return abs(age_seconds) > max(LEAST_STALE_SECONDS, STALE_PANES * pane_seconds)


def _in_directory(path: Path, part: Part) -> bytes:
    try:
        view: View = VIEW.thaw(read_private(path, most_bytes=4 * MOST_BYTES)[0])
    except FileNotFoundError:
        raise NotSeenError(f"{path.parent}: nothing has been judged yet") from None
    except OSError as error:
        raise NotSeenError(f"{path}: {error.strerror or error}") from None
    except StateError as error:
        raise NotSeenError(f"{path} cannot be read: {error}") from None
    return _part(view, part)


def _part(view: View, part: Part) -> bytes:
    return view.status if part == "status" else view.versions


@dataclass(frozen=True, slots=True)
class _OverHttp:
    endpoint: Callable[[Part, str], Endpoint]
    tokens: Sequence[str]
    shown: str

    def __call__(self, part: Part, /) -> bytes:
        answer = CollectorAnswer()
        for token in self.tokens:
            http = HttpSender(self.endpoint(part, token))
            try:
                answer = http.get(most_bytes=MOST_BYTES)
            finally:
                http.close()
            if answer.status != 401:
                break
        if answer.status == 200:
            return answer.body
        if answer.status == 503:
            raise NotSeenError(f"{self.shown}: nothing has been judged yet")
        known = _REFUSALS.get(answer.status)
        raise NotSeenError(f"{self.shown}: {known or answer}", is_mistake=known is not None)


def _over_http(arguments: argparse.Namespace) -> ViewSource:
    settings = viewer_settings(os.environ)
    url = checked_url(arguments.url, variable="--url")
    base = url.rstrip("/")
    prefix = base if urlsplit(base).path.endswith(settings.path) else f"{base}{settings.path}"
    token = arguments.token or settings.token
    if arguments.token_file is not None:
        token = small_file(arguments.token_file).decode(errors="replace").strip()
    # What apps keep on this machine is for apps on this machine.
    is_near = (urlsplit(url).hostname or "") in {"localhost", "127.0.0.1", "::1"}
    state_dir = str(arguments.state_dir or settings.state_dir)
    tokens = [token] if token else tokens_of("", state_dir) if is_near else []
    if not tokens or not all(each.isascii() and each.isprintable() for each in tokens):
        raise ValueError("no token is known: set DASHLIGHT_TOKEN, or give --token-file")

    def endpoint(part: Part, token: str) -> Endpoint:
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        return Endpoint(f"{prefix}/api/v1/{part}", headers, timeout_seconds=_ATTEMPT_SECONDS, egress=settings.egress)

    return _OverHttp(endpoint, tokens, masked(url))
