"""What was decided of two versions of a model -> an event."""

from __future__ import annotations

from math import isfinite
from typing import Final

from dashlight.deliver.encoding.events import INFO, WARN, Event
from dashlight.deliver.encoding.identifiers import uuid_text
from dashlight.judge.versions.report import VersionReport

VERSION_DECIDED: Final = "dashlight.version.decided"


def version_decided_event(report: VersionReport, *, identifier: int, seq: int) -> Event:
    """The event of a decision, which there is once for two versions; *identifier* is a new UUIDv7."""
    figure = next(each for each in report.figures if each.is_deciding)
    attributes = {
        "http.route": report.endpoint,
        "dashlight.model.name": report.model,
        "dashlight.version.stable": report.stable,
        "dashlight.version.candidate": report.candidate,
        "dashlight.version.decision": report.decision,
        "dashlight.version.is_simultaneous": report.is_simultaneous,
        "dashlight.version.figure": report.figure,
        "dashlight.version.max_loss": report.max_loss,
        "dashlight.version.level": report.level,
        "dashlight.version.stable.value": figure.stable,
        "dashlight.version.candidate.value": figure.candidate,
        "dashlight.version.difference": figure.difference,
        "dashlight.version.difference.low": figure.low,
        "dashlight.version.difference.high": figure.high,
        "dashlight.version.stable.rows": figure.stable_rows,
        "dashlight.version.candidate.rows": figure.candidate_rows,
        "dashlight.version.shares": dict(report.shares),
    }
    return Event(
        VERSION_DECIDED,
        at=report.decided_at,
        id=uuid_text(identifier).decode(),
        seq=seq,
        severity=WARN if report.decision == "worse" else INFO,
        attributes={
            name: value for name, value in attributes.items() if not isinstance(value, float) or isfinite(value)
        },
        body=report.words,
    )
