"""What the panel shows and what the demo is judged by: the lights, the alerts and the figures of every month."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from examples.flights.arrivals import AlertReport
from examples.flights.faults import FAULT_PART, UNITED, Fault
from examples.flights.figures import PartFigures, Pulse
from examples.flights.flights import HELD_OUT
from examples.flights.performance import (
    LABELLED_SECONDS,
    SCORED_SECONDS,
    MonthPerformance,
    SegmentAccuracy,
    ShownFigures,
)

Light: TypeAlias = Literal["inputs", "predictions", "data quality", "performance", "world", "errors", "latency"]
Colour: TypeAlias = Literal["green", "red"]
LIGHTS: tuple[Light, ...] = get_args(Light)

PANE_SECONDS = 0.5
"""DASHLIGHT_PANE of the demo: an alert judges the rows of the pane that has just ended."""

# How the keys of alerts end that labels part from what the scores lead to expect.
_PARTED = "/parted"
# How summaries about time begin.
_OF_TIME = ("latency", "time to first byte")
# What a column holds that training never did, as causes word it.
_QUALITY = re.compile(r"null|missing|type|unseen|new categor|new value|below|above|out of range", re.IGNORECASE)
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November")


@dataclass(slots=True)
class Board:
    """Everything seen so far."""

    pulse: Pulse | None = None
    figures: dict[str, PartFigures] = field(default_factory=dict[str, PartFigures])
    performance: dict[str, MonthPerformance] = field(default_factory=dict[str, MonthPerformance])
    """By part, what Dashlight showed of the model itself."""
    segments: dict[str, SegmentAccuracy] = field(default_factory=dict[str, SegmentAccuracy])
    """By segment, as `origin=LGA`."""
    changes: list[tuple[str, AlertReport]] = field(default_factory=list[tuple[str, AlertReport]])
    """Every alert that fired or resolved, with the part of the replay in which it did."""
    _began_at: dict[str, float] = field(default_factory=dict[str, float])
    _latest: dict[str, AlertReport] = field(default_factory=dict[str, AlertReport])

    def take_report(self, report: Pulse | PartFigures) -> None:
        """Note what the replay says."""
        if isinstance(report, PartFigures):
            self.figures[report.part] = report
            return
        self.pulse = report
        if report.part:
            self._began_at.setdefault(report.part, report.part_began_at)

    def take_alert(self, alert: AlertReport) -> None:
        """Note an alert; one that repeats its state in the same incident is not a change."""
        before = self._latest.get(alert.key)
        self._latest[alert.key] = alert
        if before is None or (before.state, before.incident) != (alert.state, alert.incident):
            # A pane in which one part ends and the next begins belongs to the latter.
            self.changes.append((self.part_at(alert.at), alert))

    def take_figures(self, figures: ShownFigures) -> None:
        """Note figures of the model: labels are of flights some days ago, estimates of those of today."""
        self._performance_at(figures.at - LABELLED_SECONDS).add_realised(figures)
        self._performance_at(figures.at - SCORED_SECONDS).add_estimated(figures)
        for segment, (value, rows) in figures.accuracy.items():
            self.segments.setdefault(segment, SegmentAccuracy()).add(
                self.part_at(figures.at - LABELLED_SECONDS), value, rows
            )

    def _performance_at(self, at: float) -> MonthPerformance:
        return self.performance.setdefault(self.part_at(at), MonthPerformance())

    def part_at(self, at: float) -> str:
        """The part that was being replayed at the moment *at*; the first one for anything earlier."""
        begun = [part for part, began_at in self._began_at.items() if began_at <= at]
        return begun[-1] if begun else HELD_OUT

    def lights(self) -> Mapping[Light, Colour]:
        """Red where an alert is firing."""
        colours: dict[Light, Colour] = dict.fromkeys(LIGHTS, "green")
        for alert in self._latest.values():
            for light in lights_of(alert):
                if alert.state == "firing":
                    colours[light] = "red"
        return colours

    def fired(self, part: str) -> list[AlertReport]:
        """The alerts that fired in *part*."""
        return [alert for where, alert in self.changes if where == part and alert.state == "firing"]


def lights_of(alert: AlertReport) -> list[Light]:
    """The lights that *alert* is about."""
    if alert.source == "performance":
        return ["world"] if alert.key.endswith(_PARTED) else ["performance"]
    if not alert.column and _told(alert).startswith(_OF_TIME):
        return ["latency"]
    if alert.source == "threshold":
        return ["errors"]
    if alert.role == "output":
        return ["predictions"]
    if not alert.column:
        return ["errors"]
    return ["inputs", "data quality"] if any(map(_QUALITY.search, alert.causes)) else ["inputs"]


def _told(alert: AlertReport) -> str:
    """The summary of *alert* from where it says what moved: after what it was when it is over, and after its segment."""
    return alert.summary.rpartition("it was: ")[2].removeprefix(f"{alert.segment}: ")


def subject(alert: AlertReport) -> str:
    """What *alert* is about, in a word or two: a column, or a light, and of which segment."""
    about = alert.column or lights_of(alert)[0]
    return f"{about} ({alert.segment})" if alert.segment else about


def month(part: str) -> str:
    """The name of a part of the replay for people."""
    return part if part == HELD_OUT else (*_MONTHS, "December")[int(part) - 1]


def failures(board: Board, fault: Fault) -> list[str]:
    """Why the demo has failed, in sentences; empty where everything happened as it should."""
    found = [f"{subject(alert)} fired in the held-out part: {alert.summary}" for alert in board.fired(HELD_OUT)]
    if fault == "none":
        found += [
            f"{subject(alert)} fired in March: {alert.summary}" for alert in board.fired("03") if _is_performance(alert)
        ]
    if not any(_is_performance(alert) for part in ("03", "04", "05", "06", "07") for alert in board.fired(part)):
        found.append(
            "neither performance nor world had fired by the end of July, when accuracy is 0.69 instead of 0.78"
        )
    spring = [alert.column for part in ("03", "04", "05") for alert in board.fired(part)]
    if "temp" not in spring:
        found.append("temp had not fired by the end of May, when it is 28 F warmer than in training")
    if fault != "none" and not any(_reports(alert, fault) for alert in board.fired(FAULT_PART)):
        found.append(f"the fault {fault!r} of {month(FAULT_PART)} was not reported in that month")
    return found


def _is_performance(alert: AlertReport) -> bool:
    return alert.source == "performance"


def _reports(alert: AlertReport, fault: Fault) -> bool:
    """Whether *alert* names what *fault* broke, and says what moved."""
    match fault:
        case "celsius":
            return alert.column in {"temp", "dewp"} and bool(alert.causes)
        case "nulls":
            return alert.column in {"humid", "pressure"} and bool(re.search("null|missing", alert.text))
        case "united":
            where = [f"{column}={value}" for column, value in UNITED.items()]
            return alert.column in {"humid", "pressure"} and all(each in alert.summary for each in where)
        case _:
            return "errors" in lights_of(alert) and "KeyError" in alert.text
