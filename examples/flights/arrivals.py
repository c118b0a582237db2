"""What the collector has written so far: lines of JSON, and the alerts among them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ALERT_EVENT = "dashlight.alert"


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


def alert_of(line: str) -> AlertReport | None:
    """The alert in *line*; None where it holds something else."""
    arrival = json.loads(line)
    if arrival.get("name") != ALERT_EVENT:
        return None
    values: Mapping[str, Any] = arrival["attributes"]
    return AlertReport(
        key=_text(values, "dashlight.alert.key"),
        source=_text(values, "dashlight.alert.source"),
        column=_text(values, "dashlight.column.name"),
        role=_text(values, "dashlight.column.role"),
        state=_text(values, "dashlight.alert.state"),
        summary=_text(values, "dashlight.alert.summary"),
        at=arrival["at"],
        causes=tuple(_text(cause, "event") for cause in values.get("dashlight.alert.causes", ())),
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    return str(values.get(name) or "")
