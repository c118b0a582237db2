"""Alerts in force as they are shown, and which light each of them turns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from dashlight.judge.traffic.repetition import is_of_repeats
from dashlight.metrics.instruments import label
from dashlight.page.shape import LightName, ShownAlert, ShownCondition, ShownSlice
from dashlight.page.values import rounded, sentence
from dashlight.records import Alert, Slice

MOST_ALERTS: Final = 200
_NO_NAME: Final = re.compile(r"[^a-z_0-9]")
_LIGHTS: Final[tuple[tuple[str, LightName], ...]] = (
    ("error", "failures"),
    ("failure", "failures"),
    ("new_failure", "failures"),
    ("refusal", "refusals"),
    ("new_refusal", "refusals"),
    ("latency", "latency"),
    ("first_byte", "latency"),
    ("undecodable", "data_quality"),
    ("missing", "data_quality"),
)
"""Begin of the names of what is measured of an endpoint."""


def shown_alerts(alerts: Sequence[Alert]) -> list[ShownAlert]:
    """Those of *alerts* that matter most: firing before pending, the likeliest origin of an incident first, then the newest."""
    ranked = sorted(alerts, key=lambda each: (each.state != "firing", each.place > 1, -each.at))
    return [_shown(alert) for alert in ranked[:MOST_ALERTS]]


def light_of(alert: Alert) -> LightName:
    """The light that *alert* turns."""
    if alert.source == "performance":
        return "performance"
    if alert.source == "drift":
        return "predictions" if alert.role == "output" else "inputs"
    if alert.source == "break" or alert.column is not None or is_of_repeats(alert):
        return "data_quality"
    # Of traffic the key has the endpoint and what is measured, of a limit the model, the endpoint and the rule.
    parts = [unquote(part) for part in alert.key.split("/")]
    place = 2 if alert.source == "traffic" else 3
    quantity = _NO_NAME.split(parts[place], maxsplit=1)[0] if len(parts) > place else ""
    found: list[LightName] = [light for begin, light in _LIGHTS if quantity.startswith(begin)]
    return found[0] if found else "traffic"


def _shown(alert: Alert) -> ShownAlert:
    return ShownAlert(
        key=alert.key,
        light=light_of(alert),
        source=alert.source,
        state=alert.state,
        endpoint=label(alert.endpoint),
        model=label(alert.model),
        version=label(alert.version),
        column=None if alert.column is None else label(alert.column),
        role=alert.role,
        segment=label(alert.segment),
        summary=sentence(alert.summary),
        at=alert.at,
        since_at=alert.since_at,
        rows=alert.rows,
        score=rounded(alert.score),
        incident=alert.incident,
        place=alert.place,
        slice=None if alert.slice is None else _slice(alert.slice),
        exemplars=list(alert.exemplars),
    )


def _slice(found: Slice) -> ShownSlice:
    return ShownSlice(
        state=found.state,
        summary=sentence(found.summary.removeprefix("; ")),
        conditions=[ShownCondition(label(each.column), each.role, label(each.bin)) for each in found.conditions],
        rows=found.rows,
        share=rounded(found.share),
        rate=rounded(found.rate),
        usual_rate=rounded(found.usual_rate),
        explained=rounded(found.explained),
        explained_low=rounded(found.explained_low),
        explained_high=rounded(found.explained_high),
        exemplars=list(found.exemplars),
    )
