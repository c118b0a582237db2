"""Whether a running app watches, and how old its figures are: asked of its own `/metrics`."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpcore

from dashlight.cli.checks.observation import Observation
from dashlight.deliver.transport.http import cause_of
from dashlight.deliver.transport.urls import masked
from dashlight.errors import StateError
from dashlight.store.private import read_private
from dashlight.workers.rendezvous import temporary_directories

RUNNING = "running app"
_SAMPLE = re.compile(r"^(dashlight_\w+)(\{[^}]*\})? ([0-9.eE+-]+)", re.MULTILINE)
_TIMEOUTS = {"connect": 5.0, "read": 10.0, "write": 5.0, "pool": 5.0}
_STALE_PANES, _LEAST_STALE_SECONDS = 12, 120.0
_MOST_SKEW_SECONDS = 60.0
_STATES = {
    "watching": "watched",
    "not_enough_data": "with too few rows so far",
    "learning": "being learned",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """How to ask it."""

    url: str
    """Of the app, of the prefix, or of `/metrics` itself."""
    path: str
    """DASHLIGHT_PATH."""
    tokens: Sequence[str]
    """Those that may be its own."""
    pane_seconds: float

    @property
    def metrics_url(self) -> str:
        """Where its figures are."""
        base = self.url.rstrip("/")
        if urlsplit(base).path.endswith("/metrics"):
            return base
        return f"{base}/metrics" if urlsplit(base).path.endswith(self.path) else f"{base}{self.path}/metrics"


def tokens_of(token: str, state_dir: str) -> list[str]:
    """*token*, else all that apps of this user keep on this machine."""
    if token:
        return [token]
    houses = [Path(state_dir)] if state_dir else []
    houses += [each / f"dashlight-{os.geteuid()}" for each in temporary_directories()]
    found: list[str] = []
    for house in houses:
        for path in sorted(house.glob("*/token")):
            with suppress(OSError, StateError):
                found.append(bytes(read_private(path, most_bytes=4096)[0]).decode(errors="replace").strip())
    return list(dict.fromkeys(found))


def running_findings(asked: Asked, *, at: float | None = None) -> Iterator[Observation]:
    """Whether it is there, lets us in, watches, and has judged of late; *at* is now."""
    url = masked(asked.metrics_url)
    if not asked.tokens:
        yield Observation(
            "wrong",
            RUNNING,
            f"{url}: no token is known; set DASHLIGHT_TOKEN, or ask as the user of the app, with its DASHLIGHT_STATE_DIR",
        )
        return
    status, text, date = 0, "", ""
    for token in asked.tokens:
        try:
            status, text, date = _got(asked.metrics_url, token)
        except Exception as failure:
            yield Observation("wrong", RUNNING, f"{url}: {cause_of(failure)} ({type(failure).__name__})")
            return
        if status != 401:
            break
    now = time.time() if at is None else at
    if status != 200:
        yield Observation("wrong", RUNNING, f"{url}: {_refusal(status)} (status {status})")
        return
    yield from _figures(asked, text, now)
    with suppress(ValueError, TypeError):
        skew_seconds = abs(parsedate_to_datetime(date).timestamp() - now)
        if skew_seconds > _MOST_SKEW_SECONDS:
            yield Observation("unusual", "clock", f"the app's clock and this one are {skew_seconds:.0f} s apart")


def _figures(asked: Asked, text: str, now: float) -> Iterator[Observation]:
    figures: dict[str, list[tuple[str, float]]] = {}
    for name, labels, value in _SAMPLE.findall(text):
        figures.setdefault(name, []).append((labels, float(value)))
    made = figures.get("dashlight_figures_made_at_seconds")
    if not made:
        yield Observation("wrong", RUNNING, f"{masked(asked.metrics_url)} shows no figures of Dashlight")
        return
    age_seconds = now - made[0][1]
    limit_seconds = max(_LEAST_STALE_SECONDS, _STALE_PANES * asked.pane_seconds)
    aged = f"its figures are {age_seconds:.0f} s old"
    if abs(age_seconds) > limit_seconds:
        yield Observation("wrong", RUNNING, f"{aged}: nothing has been judged since, or a clock is wrong")
    else:
        yield Observation("ok", RUNNING, aged)
    workers = sum(value for _, value in figures.get("dashlight_workers", []))
    yield Observation("ok", RUNNING, f"{workers:.0f} worker{'s' if workers != 1 else ''}; {_models(figures)}")
    firing = sum(value for labels, value in figures.get("dashlight_alert_in_force", []) if 'state="firing"' in labels)
    if firing:
        yield Observation("ok", RUNNING, f"alerts that are firing: {firing:.0f}")
    mistakes = sum(value for _, value in figures.get("dashlight_mistakes_total", []))
    if mistakes:
        yield Observation(
            "unusual", RUNNING, f"mistakes of Dashlight's own since the start: {mistakes:.0f}; its log names them"
        )
    lost = sum(
        value for labels, value in figures.get("dashlight_dropped_total", []) if 'reason="replaced"' not in labels
    )
    if lost:
        yield Observation(
            "unusual",
            RUNNING,
            f"spans, events and the like that were lost or refused since the start: {lost:,.0f}; its log names them",
        )


def _models(figures: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """How many models are in which state, in words."""
    told: list[str] = []
    for state, words in _STATES.items():
        labelled = figures.get("dashlight_model_state", [])
        count = sum(value for labels, value in labelled if f'state="{state}"' in labels)
        if count:
            told.append(f"{count:.0f} {words}")
    return f"models: {', '.join(told)}" if told else "no model has had rows yet"


def _refusal(status: int) -> str:
    if status == 401:
        return "the token is another one"
    if status == 404:
        return "nothing of Dashlight is served there: DASHLIGHT_METRICS or DASHLIGHT_PATH may be another"
    if status == 503:
        return "there are no figures yet; ask again when the first pane is over"
    if status == 501:
        return "prometheus-client is not installed there: pip install 'dashlight[prometheus]'"
    return "that is no answer of Dashlight's"


def _got(url: str, token: str) -> tuple[int, str, str]:
    """(status, body, Date); never to another address than *url*, for the token goes along."""
    headers: list[tuple[bytes | str, bytes | str]] = [
        ("host", urlsplit(url).netloc),
        ("authorization", f"Bearer {token}"),
        ("accept", "text/plain"),
    ]
    with httpcore.ConnectionPool() as pool:
        answer = pool.request("GET", url, headers=headers, extensions={"timeout": _TIMEOUTS})
    said = {name.lower(): value for name, value in answer.headers}
    return answer.status, answer.content.decode(errors="replace"), said.get(b"date", b"").decode("latin-1")
