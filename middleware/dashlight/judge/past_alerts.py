"""What was told, what people made of it, and whether the budget of false alarms was kept. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dashlight.judge.words import printable, span
from dashlight.records import Notice
from dashlight.window.fitting import moment, refuse

Mark: TypeAlias = Literal["noise", "useful"]

MOST_PAST = 500
"""The oldest go first."""
MOST_CHARACTERS = 400
"""Of a summary."""


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An incident, or an alert that belonged to none, when it was told of for the first time."""

    id: str
    """Of its notice."""
    key: str
    at: float
    endpoint: str
    model: str
    summary: str
    is_budgeted: bool
    """Whether the budget of false alarms covers it; fixed limits stand outside."""


def remembered(past: Sequence[PastAlert], notices: Sequence[Notice]) -> tuple[PastAlert, ...]:
    """*past* and what of *notices* has just begun, the oldest first, each once."""
    known = {each.id for each in past}
    begun = [_past(notice) for notice in notices if notice.transition == "firing" and notice.id not in known]
    return (*past, *begun)[-MOST_PAST:]


def audits(
    past: Sequence[PastAlert], marks: Mapping[str, Mark], *, seconds_between: float, at: float
) -> dict[tuple[str, str], str]:
    """By endpoint and model, whether its budget of one false alarm in *seconds_between* was kept until *at*.

    Alarms of the last such time are counted. Which of them were false, nobody knows but who looked: those marked as noise.
    """
    recent = [each for each in past if each.is_budgeted and at - seconds_between <= each.at <= at]
    found: dict[tuple[str, str], str] = {}
    for where in dict.fromkeys((each.endpoint, each.model) for each in recent):
        told = [each for each in recent if (each.endpoint, each.model) == where]
        noise, useful = (sum(marks.get(each.id) == word for each in told) for word in ("noise", "useful"))
        found[where] = (
            f"at most 1 false alarm in {span(seconds_between)} is promised; of {len(told)} in that time you marked {noise} "
            "as noise" + (f", {useful} as useful" if useful else "")
        )
    return found


def check_past(past: Sequence[PastAlert]) -> None:
    """Raises ValueError where *past* cannot be."""
    refuse(f"{len(past)} past alerts: expected {MOST_PAST} at most", where=len(past) > MOST_PAST)
    refuse("two past alerts of one id", where=len({each.id for each in past}) < len(past))
    for each in past:
        moment("past alert", each.at)


def _past(notice: Notice) -> PastAlert:
    return PastAlert(
        id=notice.id,
        key=notice.key,
        at=notice.at,
        endpoint=notice.endpoint,
        model=notice.model,
        summary=notice.summary
        if len(notice.summary) <= MOST_CHARACTERS
        else f"{notice.summary[: MOST_CHARACTERS - 3]}...",
        is_budgeted=any(alert.source != "threshold" for alert in notice.alerts),
    )


def told_where(endpoint: str, model: str) -> str:
    """An endpoint and a model on one line."""
    return " ".join(printable(each) for each in (model, endpoint) if each)
