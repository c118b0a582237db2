"""Where an alert hurts, as plain values."""

from collections.abc import Iterable
from dataclasses import fields
from math import isfinite

from dashlight.records import Alert, Notice, Slice


def slice_told(alerts: Iterable[Alert]) -> Slice | None:
    """The slice of an incident: that which was found for one of its *alerts*, else what is said of there being none."""
    slices = [alert.slice for alert in alerts if alert.slice is not None]
    return next((each for each in slices if each.state == "found"), slices[0] if slices else None)


def slice_words(notice: Notice) -> str:
    """Where it hurts in a sentence; empty where nobody searched."""
    found = slice_told(notice.alerts)
    return "" if found is None else found.summary.removeprefix("; ")


def slice_values(found: Slice | None) -> dict[str, object]:
    """What is known of *found*, by the names of its fields; nothing where nobody searched."""
    if found is None:
        return {}
    held: dict[str, object] = {each.name: getattr(found, each.name) for each in fields(found)}
    known = {name: value for name, value in held.items() if not (isinstance(value, float) and not isfinite(value))}
    named = [{"column": each.column, "role": each.role, "bin": each.bin} for each in found.conditions]
    told = known | {
        "conditions": named,
        "exemplars": list(found.exemplars),
        "summary": found.summary.removeprefix("; "),
    }
    return {name: value for name, value in told.items() if value not in ("", [])}
