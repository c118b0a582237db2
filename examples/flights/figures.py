"""What the replay reports while it runs, as JSON lines that the panel reads."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from examples.flights.flights import Flight


@dataclass(frozen=True, slots=True)
class Pulse:
    """The state of the replay at a moment; the first of a part marks its beginning."""

    part: str
    part_began_at: float
    sent_count: int
    total_count: int
    request_rate: float
    """Answers in a second, lately."""
    p99_seconds: float
    """Of the latest answers, from the moment each was due: waiting for a stalled service counts."""
    added_seconds: float | None
    """Median latency of the watched app less that of its bare copy, so far; None before there are enough."""


@dataclass(frozen=True, slots=True)
class PartFigures:
    """How the model fared in one part of the replay, measured from outside. NaN where nothing was answered."""

    part: str
    requests: int
    failed: int
    """Answered with anything but 200."""
    temp: float
    """Mean of `temp` as it was sent."""
    probability: float
    """Mean of what the model answered."""
    accuracy: float
    brier: float


def to_line(report: Pulse | PartFigures) -> str:
    """*report* as one line of JSON."""
    return json.dumps({"report": type(report).__name__, **asdict(report)}) + "\n"


def from_line(line: str) -> Pulse | PartFigures:
    """The report that `to_line` wrote."""
    values = json.loads(line)
    kind = values.pop("report")
    return Pulse(**values) if kind == "Pulse" else PartFigures(**values)


@dataclass(slots=True)
class Tally:
    """Sums over the answers of one part."""

    part: str
    requests: int = 0
    failed: int = 0
    temps: list[float] = field(default_factory=list[float])
    probabilities: list[float] = field(default_factory=list[float])
    right: int = 0
    squares: float = 0.0

    def add(self, flight: Flight, sent: Mapping[str, object], answer: Mapping[str, object] | None) -> None:
        """Count one answer; *answer* is None where the service failed."""
        self.requests += 1
        temp = sent["temp"]
        if isinstance(temp, int | float):
            self.temps.append(temp)
        probability = answer["probability"] if answer else None
        if answer is None or not isinstance(probability, float):
            self.failed += 1
            return
        self.probabilities.append(probability)
        self.right += answer["late"] is flight.late
        self.squares += (probability - flight.late) ** 2

    def figures(self) -> PartFigures:
        """The means of what was counted."""
        answered = len(self.probabilities) or math.nan
        return PartFigures(
            part=self.part,
            requests=self.requests,
            failed=self.failed,
            temp=sum(self.temps) / (len(self.temps) or math.nan),
            probability=sum(self.probabilities) / answered,
            accuracy=self.right / answered,
            brier=self.squares / answered,
        )
