"""What the collector has written so far: lines of JSON, and the alerts among them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.flights.performance import ShownFigures

ALERT_EVENT, SCORES_EVENT = "dashlight.alert", "dashlight.scores"


@dataclass(frozen=True, slots=True)
class AlertReport:
    """One alert as it arrived at the collector: the fields of it that the demo shows."""

    key: str
    source: str
    column: str
    """Empty where the alert is about no column."""
    role: str
    state: str
    summary: str
    at: float
    """When this state began."""
    causes: tuple[str, ...]
    """The events that moved, in words, the greatest first."""
    incident: str = ""
    """Same for alerts that began together."""
    segment: str = ""
    """Of whose rows alone it is, as `origin=LGA`; empty: of all."""

    @property
    def text(self) -> str:
        """Everything it says in words."""
        return " ".join((self.key, self.summary, *self.causes))


class Tail:
    """The lines of a file that another process appends to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_bytes = 0

    def lines(self) -> Iterator[str]:
        """Whole lines added since the last call; none while the file does not exist."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read_bytes)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._read_bytes += len(line)
                yield line.decode()


def alerts_of(line: str) -> list[AlertReport]:
    """The alerts in *line*, the likeliest origin of their incident first; none where it holds something else."""
    arrival = json.loads(line)
    if arrival.get("name") != ALERT_EVENT:
        return []
    values: Mapping[str, Any] = arrival["attributes"]
    return [
        AlertReport(
            key=_text(member, "key"),
            source=_text(member, "source"),
            column=_text(member, "column"),
            role=_text(member, "role"),
            state=_text(member, "state"),
            summary=_text(member, "summary"),
            at=member["at"],
            causes=tuple(_text(cause, "event") for cause in member.get("causes", ())),
            incident=_text(values, "dashlight.alert.incident"),
            segment=_text(member, "segment"),
        )
        for member in values.get("dashlight.alert.members", ())
    ]


def figures_of(line: str) -> ShownFigures | None:
    """The figures about no column in *line*, of all rows and by segment; None where it holds something else."""
    arrival = json.loads(line)
    if arrival.get("name") != SCORES_EVENT:
        return None
    scores = arrival["attributes"].get("dashlight.scores", ())
    figures = [(score, (score["value"], score["rows"])) for score in scores if score["column"] is None]
    values = {score["statistic"]: figure for score, figure in figures if not score.get("segment")}
    segments = [(score, figure) for score, figure in figures if score.get("segment")]
    accuracy = {score["segment"]: figure for score, figure in segments if score["statistic"] == "accuracy"}
    return ShownFigures(arrival["at"], values, accuracy)


def _text(values: Mapping[str, Any], name: str) -> str:
    return str(values.get(name) or "")
