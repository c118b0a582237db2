"""A spring of flights in seconds, with a clock that is turned by hand: what Dashlight says by origin and carrier."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples.flights.demo import WATCHED
from examples.flights.faults import Fault, request_body
from examples.flights.flights import HELD_OUT, LABEL, TIME, Flight, read
from examples.flights.model import Model
from examples.flights.prepare import PREDICTION, Files, prepare

from dashlight.cli.main import main
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.labels.label import Label
from dashlight.records import Exchange
from dashlight.runtime.analysis import Analysis
from dashlight.runtime.assembly import analysis
from dashlight.runtime.label_queue import LabelQueue
from dashlight.settings import Settings
from dashlight.testing import FakeClock, MemoryExporter

PATIENCE_SECONDS = 30.0
PANE_SECONDS = 0.5
WINDOW_SECONDS = 1.0
RATE = 290
"""Flights a second, as in the demo."""
LABELLED_PANES = 3
HEADERS = ((b"content-type", b"application/json"),)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """What the demo starts from, and the reference beside it."""
    files = prepare(tmp_path_factory.mktemp("demo"))
    columns = ["--time", TIME, "--prediction", PREDICTION, "--score", PREDICTION, "--label", LABEL]
    output = ["--output", str(files.train.with_name("reference.json"))]
    assert main(["reference", "build", str(files.train), *columns, *output]) == 0
    return files


@dataclass(frozen=True)
class Told:
    """What becomes known of a flight."""

    prediction_id: str
    flight: Flight
    is_right: bool
    """What the model said of it."""


@dataclass
class Spring:
    """The app of the demo, and what Dashlight says of it."""

    files: Files
    state: Path
    clock: FakeClock = field(default_factory=FakeClock)
    exporter: MemoryExporter = field(default_factory=MemoryExporter)
    waiting: list[list[Told]] = field(default_factory=list[list[Told]])
    told: list[tuple[float, Told]] = field(default_factory=list[tuple[float, "Told"]])
    """What became known, and when."""
    count: int = 0

    def __post_init__(self) -> None:
        self.model = Model.load(self.files.model)
        self.labels = LabelQueue(is_on=True, now=self.clock.now)
        environ = WATCHED | {
            "DASHLIGHT_COLLECTOR": "http://collector",
            "DASHLIGHT_COLLECTOR_FORMAT": "ndjson",
            "DASHLIGHT_REFERENCE": str(self.files.train.with_name("reference.json")),
            "DASHLIGHT_STATE_DIR": str(self.state),
        }
        self.analysis: Analysis = analysis(
            Settings.from_env(environ),
            environ,
            spans_to=None,
            events_to=Endpoint("http://collector"),
            labels=self.labels,
            clock=self.clock,
            connect=self.exporter.connect,
        )

    def fly(self, parts: set[str], fault: Fault) -> None:
        """All flights of these *parts* of the replay, as the demo sends them."""
        flights = [flight for flight in read(self.files.replay) if flight.part in parts]
        pane = round(RATE * PANE_SECONDS)
        for start in range(0, len(flights), pane):
            asked = flights[start : start + pane]
            exchanges, known = self.ask_all(asked, fault)
            self.analysis.count(exchanges, self.analysis.analyse(exchanges))
            self.waiting.append(known)
            if len(self.waiting) > LABELLED_PANES:
                self.tell(self.waiting.pop(0))
            self.clock.advance(PANE_SECONDS)
            self.analysis.tick(self.clock.now(), lost={}, in_flight_count=0, rate=1.0)
            # Threads go by another clock: labels would come before what they are about is written, and all at once.
            assert self.analysis.flush(PATIENCE_SECONDS) == 0

    def tell(self, known: list[Told]) -> None:
        """Labels of so many flights."""
        self.told += [(self.clock.now(), each) for each in known]
        assert all(self.labels.put(Label(each.prediction_id, each.flight.late)) for each in known)
        assert self.labels.flush(PATIENCE_SECONDS) == 0

    def ask_all(self, flights: list[Flight], fault: Fault) -> tuple[list[Exchange], list[Told]]:
        """Questions and their answers, and what is told of them later."""
        exchanges = [self.ask(flight, fault) for flight in flights]
        known = [
            Told(f"{exchange.id:032x}", flight, json.loads(exchange.response_chunks[0])["late"] is flight.late)
            for exchange, flight in zip(exchanges, flights, strict=True)
            if exchange.status == 200
        ]
        return exchanges, known

    def ask(self, flight: Flight, fault: Fault) -> Exchange:
        """One question and its answer, as the request path hands them on."""
        self.count += 1
        request = request_body(flight, place=self.count, fault=fault)
        try:
            probability = self.model.predict(json.loads(request))
        except KeyError:
            answer, status, error = b"", 500, "KeyError"
        else:
            answer = json.dumps({"probability": probability, "late": probability > 0.5}).encode()
            status, error = 200, ""
        return Exchange(
            self.count, "/predict", "POST", "/predict", b"", "http", None, "1.1", HEADERS, HEADERS, status, error,
            "error" if error else "ok", self.clock.now(), 0.01, 0.02, len(request), len(answer), (request,),
            (answer,) if answer else (), self.count, 1, 1, None,
        )  # fmt: skip

    def right_of(self, segment: str, at: float) -> list[bool]:
        """Of each flight of *segment* that became known in the window before *at*, whether the model was right."""
        column, _, value = segment.partition("=")
        lately = [told for came_at, told in self.told if at - WINDOW_SECONDS <= came_at < at]
        return [told.is_right for told in lately if told.flight.features[column] == value]

    def alerts(self) -> list[dict[str, Any]]:
        """All that fired."""
        return [
            member
            for event in self.exporter.events("dashlight.alert")
            for member in event["attributes"]["dashlight.alert.members"]
            if member["state"] == "firing"
        ]


@pytest.fixture
def spring(files: Files, tmp_path: Path) -> Iterator[Spring]:
    made = Spring(files, tmp_path)
    yield made
    made.labels.close(PATIENCE_SECONDS)
    made.analysis.close(PATIENCE_SECONDS)


def test_what_is_missing_of_one_carrier_at_one_airport_is_found_there(spring: Spring) -> None:
    spring.fly({HELD_OUT}, "united")
    assert not spring.alerts()

    spring.fly({"03"}, "united")

    told = {alert.get("segment", ""): alert["summary"] for alert in spring.alerts() if alert["column"] == "humid"}
    assert "it is carrier=UA and origin=EWR" in told[""]
    assert told["carrier=UA"].startswith("carrier=UA: share of missing humid rose")
    assert told["origin=EWR"].endswith("; all other rows are as before")
    assert told.keys() <= {"", "carrier=UA", "origin=EWR"}


def test_accuracy_by_origin_and_carrier_is_that_of_the_flights(spring: Spring) -> None:
    spring.fly({HELD_OUT}, "none")
    spring.fly({"03"}, "none")

    assert not [alert for alert in spring.alerts() if alert["source"] == "performance"]
    compared: set[str] = set()
    for event in spring.exporter.events("dashlight.scores"):
        for score in event["attributes"]["dashlight.scores"]:
            if score["statistic"] == "accuracy" and score.get("segment"):
                right = spring.right_of(score["segment"], event["at"])
                assert (score["rows"], score["value"]) == (len(right), pytest.approx(np.mean(right)))
                compared.add(score["segment"])
    assert {"origin=EWR", "origin=JFK", "origin=LGA", "carrier=UA", "carrier=B6", "carrier=MQ"} <= compared


def test_in_spring_accuracy_falls_and_it_is_told_of_all_rows(spring: Spring) -> None:
    spring.fly({HELD_OUT, "03", "04"}, "none")

    told = [alert for alert in spring.alerts() if alert["source"] == "performance"]
    assert any("accuracy fell from" in alert["summary"] and not alert.get("segment") for alert in told)
