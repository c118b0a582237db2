"""All stages behind the inbox: exchanges in, events, spans and log lines out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec import structs

from dashlight.counting.machine import MachineCounter
from dashlight.counting.memory import MOST_ENDPOINTS
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.decode.batch import Decoder
from dashlight.deliver.alerting.collector import CollectorRoute
from dashlight.deliver.alerting.courier import Couriers
from dashlight.deliver.alerting.owed import LOG, Owed
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.logs import LogEncoder
from dashlight.deliver.encoding.ndjson import NdjsonEncoder
from dashlight.deliver.encoding.traces import SpanEncoder
from dashlight.deliver.transport.answer import CollectorAnswer, Send
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.judge.traffic.rules import parse_rules
from dashlight.metrics.accounts import Account
from dashlight.page.shape import ShownStatus
from dashlight.page.versions import ShownVersions
from dashlight.records import Exchange, HandedOver, Outcome, OwnSpan
from dashlight.runtime.event_sampler import EventSampler
from dashlight.runtime.pipeline import Pipeline
from dashlight.runtime.publisher import Publishing
from dashlight.runtime.showing import NOTHING_SHOWN, Shows
from dashlight.store.learned import LearnedReferences
from dashlight.store.reference_file import ReferenceFile
from dashlight.testing import FakeClock, MemoryExporter
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump
from dashlight.workers.member import Sharing
from dashlight.workers.rendezvous import Meeting

PANE_SECONDS = 10.0
PATIENCE_SECONDS = 20.0
JSON_HEADERS = ((b"content-type", b"application/json"),)
NUMBERS = count(1)
RESOURCE = {"service.name": "risk"}


def an_exchange(
    asked: object = None,
    answered: object = None,
    *,
    route: str = "/predict",
    status: int = 200,
    outcome: Outcome = "ok",
    error: str = "",
    started_at: float = 1_700_000_000.0,
    own_span: OwnSpan | None = None,
    query: bytes = b"",
    headers: Sequence[tuple[bytes, bytes]] = JSON_HEADERS,
) -> Exchange:
    """An exchange; bodies that are not bytes are sent as JSON. Its trace is numbered like itself."""
    number = next(NUMBERS)
    request, response = (body if isinstance(body, bytes) else json.dumps(body).encode() for body in (asked, answered))
    return Exchange(
        id=number,
        route=route,
        method="POST",
        path=route,
        query=query,
        scheme="http",
        server=("127.0.0.1", 8000),
        http_version="1.1",
        request_headers=headers,
        response_headers=JSON_HEADERS,
        status=status,
        error=error,
        outcome=outcome,
        started_at=started_at,
        first_byte_seconds=0.01,
        duration_seconds=0.02,
        request_bytes=len(request),
        response_bytes=len(response),
        request_chunks=(request,),
        response_chunks=(response,),
        trace_id=number,
        span_id=number,
        trace_flags=1,
        own_span=own_span,
    )


def raising() -> Exchange:
    return an_exchange({"age": 40.0}, status=500, outcome="error", error="KeyError")


def people(rng: np.random.Generator, rows: int, *, age: float = 40.0) -> list[dict[str, float]]:
    """Requests for one person each."""
    columns = zip(rng.normal(age, 10, rows).tolist(), rng.gamma(4, 500, rows).tolist(), strict=True)
    return [{"age": years, "income": income} for years, income in columns]


def predictions(rng: np.random.Generator, rows: int, *, age: float = 40.0) -> list[Exchange]:
    """Exchanges of one row each."""
    return [an_exchange(person, {"score": float(rng.random())}) for person in people(rng, rows, age=age)]


@pytest.fixture(scope="module")
def reference() -> Reference:
    """5,000 rows of age, income and the output score."""
    rng = np.random.default_rng(1)
    asked = people(rng, 5000)
    columns = {name: np.array([person[name] for person in asked]) for name in ("age", "income")}
    return build_reference_from_columns(
        {**columns, "score": rng.random(5000)}, {"score": "output"}, rng=rng, created_at=0.0
    )


@dataclass
class Refusing:
    """A way to a collector that gives one answer to everything."""

    answer: CollectorAnswer

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        return self.answer

    def close(self) -> None:
        """Nothing to close."""


class Service:
    """A pipeline, driven as the analysis thread drives it, and the collector that it delivers to."""

    def __init__(
        self,
        *,
        reference: Reference | None = None,
        thresholds: str = "",
        sample_rate: float = 0.0,
        payloads: bool = False,
        redacted: Sequence[str] = (),
        ignored: tuple[str, ...] = (),
        trace_url: str = "",
        delivers: bool = True,
        as_lines: bool = True,
        reference_file: ReferenceFile | None = None,
        meeting: Meeting | None = None,
        process: str = "alone",
        clock: FakeClock | None = None,
        shows: Shows = NOTHING_SHOWN,
        answers: CollectorAnswer | None = None,
    ) -> None:
        """*answers* is what every alert is answered, which is taken otherwise."""
        self.clock = clock or FakeClock()
        self.exporter = MemoryExporter()
        spans = SpanEncoder(RESOURCE, "dashlight", "0")
        lines, logs = NdjsonEncoder(RESOURCE, epoch=1), LogEncoder(RESOURCE, "dashlight", "0", epoch=1)
        self.delivery = Delivery(
            spans=(Endpoint("http://collector/v1/traces"), spans) if delivers else None,
            events=(Endpoint("http://collector/v1/logs"), lines if as_lines else logs) if delivers else None,
            connect=self.exporter.connect,
        )
        self.delivery.start()
        policy = Policy(
            pane_seconds=PANE_SECONDS,
            rules=parse_rules(thresholds),
            reference_rows=1000,
            ignored=ignored,
            model="risk",
            model_version="3",
        )
        learned = LearnedReferences(None)
        collector = CollectorRoute(
            lines if as_lines else logs,
            shown="http://collector",
            connect=partial(self._connect, answers),
            clock=self.clock,
            jitter=lambda: 0.5,
            trace_url=trace_url,
        )
        routes = [collector] if delivers else []
        owed = Owed([LOG, *(route.name for route in routes)])
        self.sharing = Sharing(
            policy, References(learned, reference), meeting=meeting, process=process, clock=self.clock, owed=owed
        )
        self.pipeline = Pipeline(
            decoder=Decoder(model="risk", version="3", ignore=ignored),
            spans=spans,
            delivery=self.delivery,
            publishing=Publishing(
                sampler=EventSampler(sample_rate),
                payloads=payloads,
                redacted=redacted,
            ),
            counter=MachineCounter(process, policy, References(learned, reference, reference_file)),
            sharing=self.sharing,
            policy=policy,
            clock=self.clock,
            reference_file=reference_file,
            shows=shows,
            couriers=Couriers(routes, owed, clock=self.clock),
        )

    def _connect(self, answers: CollectorAnswer | None) -> Send:
        taking = self.exporter.connect(Endpoint("http://collector/v1/logs"))
        return taking if answers is None else Refusing(answers)

    def serve(self, *exchanges: Exchange, analysed: Sequence[Exchange] | None = None) -> Service:
        """Some exchanges of the pane that fills, of which all are analysed or some."""
        failures = self.pipeline.analyse(exchanges if analysed is None else analysed)
        self.pipeline.count(exchanges, failures)
        return self

    def end_pane(self, *, in_flight: int = 0, rate: float = 1.0) -> Service:
        """Ends the pane on time."""
        self.clock.advance(PANE_SECONDS)
        self.tick(in_flight=in_flight, rate=rate)
        return self

    def tick(self, *, in_flight: int = 0, rate: float = 1.0) -> float:
        """Looks what is to be done; the seconds until the next time."""
        return self.pipeline.tick(self.clock.now(), lost={}, in_flight_count=in_flight, rate=rate)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The attributes of the events of one kind that have been delivered."""
        assert self.pipeline.flush(PATIENCE_SECONDS) == 0
        return [event["attributes"] for event in self.exporter.events(f"dashlight.{name}")]

    def alerts(self, state: str = "firing") -> list[dict[str, Any]]:
        """The alerts that came into a state."""
        return [alert for alert in self.events("alert") if alert["dashlight.alert.state"] == state]

    def members(self, state: str = "firing") -> list[dict[str, Any]]:
        """The members of the incidents that came into a state, as they were told last."""
        told = {each["key"]: each for alert in self.alerts(state) for each in alert["dashlight.alert.members"]}
        return list(told.values())

    def scores(self) -> dict[str, float]:
        """What the last scores say of the endpoints themselves."""
        last = {
            event["http.route"]: event["dashlight.scores"]
            for event in self.events("scores")
            if "dashlight.model.name" not in event
        }
        return {score["statistic"]: score["value"] for scores in last.values() for score in scores}


@pytest.fixture
def service() -> Iterator[Callable[..., Service]]:
    """Makes services, and ends them with the test."""
    made: list[Service] = []

    def make(**arguments: Any) -> Service:
        made.append(Service(**arguments))
        return made[-1]

    yield make
    for each in made:
        each.pipeline.close(PATIENCE_SECONDS)


def logged(caplog: pytest.LogCaptureFixture, least: int = logging.WARNING) -> list[tuple[str, int, str]]:
    """Name, level and message of what was logged at the level *least* and above."""
    return [(record.name, record.levelno, record.getMessage()) for record in caplog.records if record.levelno >= least]


def test_a_shift_in_one_column_becomes_one_alert_with_the_traces_that_show_it(
    service: Callable[..., Service], reference: Reference
) -> None:
    watched = service(reference=reference, trace_url="https://traces.example/{trace_id}?all")
    rng = np.random.default_rng(2)
    for _ in range(10):
        watched.serve(*predictions(rng, 100)).end_pane()
    shifted: list[Exchange] = []
    for _ in range(5):
        shifted += predictions(rng, 100, age=70.0)
        watched.serve(*shifted[-100:-50]).serve(*shifted[-50:]).end_pane()

    (alert,) = watched.alerts()

    assert (alert["dashlight.column.name"], alert["dashlight.column.role"]) == ("age", "feature")
    assert (alert["dashlight.model.name"], alert["dashlight.model.version"], alert["http.route"]) == (
        "risk",
        "3",
        "/predict",
    )
    (cause,) = alert["dashlight.alert.causes"]
    assert cause["current"] > cause["reference"]
    ages = {f"{each.trace_id:032x}": json.loads(each.request_body)["age"] for each in shifted}
    exemplars = alert["dashlight.alert.exemplars"]
    assert 1 <= len(exemplars) <= 5
    assert min(ages[exemplar] for exemplar in exemplars) > 50.0
    assert alert["dashlight.alert.links"] == [f"https://traces.example/{exemplar}?all" for exemplar in exemplars]


def test_without_a_template_an_alert_has_no_links(service: Callable[..., Service], reference: Reference) -> None:
    watched = service(reference=reference)

    watched.serve(*predictions(np.random.default_rng(3), 200, age=90.0)).end_pane()

    assert "dashlight.alert.links" not in watched.alerts()[0]


def test_an_alert_is_a_line_of_the_log_when_it_fires_and_when_it_is_over(
    service: Callable[..., Service], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dashlight")
    watched = service(thresholds="error_rate>20%")

    watched.serve(raising()).end_pane()
    watched.serve(*predictions(np.random.default_rng(4), 1)).end_pane()

    fired = "firing: /predict: error rate 100 % of 1 exchanges (limit 20 %): exception:KeyError x 1"
    assert [entry for entry in logged(caplog, logging.INFO) if entry[0] == "dashlight"] == [
        ("dashlight", logging.WARNING, fired),
        ("dashlight", logging.INFO, "resolved: /predict: error rate 0 % of 1 exchanges (limit 20 %)"),
    ]
    assert [alert["dashlight.alert.summary"] for alert in watched.alerts()] == [fired.partition("/predict: ")[2]]
    assert [event["severity"] for event in watched.exporter.events("dashlight.alert")] == [13, 9]


def test_an_alert_that_only_begins_is_neither_delivered_nor_logged(
    service: Callable[..., Service], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dashlight")
    watched = service(thresholds="error_rate>20% for 5m")

    watched.serve(raising()).end_pane()

    assert watched.events("alert") == []
    assert [name for name, _, _ in logged(caplog, logging.INFO) if name == "dashlight"] == []


def test_without_a_collector_alerts_are_still_logged(
    service: Callable[..., Service], caplog: pytest.LogCaptureFixture
) -> None:
    watched = service(thresholds="error_rate>20%", delivers=False, sample_rate=1.0)

    for _ in range(6):
        watched.serve(raising()).end_pane()

    assert [message for _, _, message in logged(caplog)] == [
        "firing: /predict: error rate 100 % of 1 exchanges (limit 20 %): exception:KeyError x 1"
    ]
    assert watched.exporter.bodies == []
    assert watched.sharing.watch is not None
    assert [alert.state for alert in watched.sharing.watch.in_force] == ["firing"]


def test_what_a_collector_does_not_take_is_owed_counted_by_route_and_told_at_the_end(
    service: Callable[..., Service], caplog: pytest.LogCaptureFixture
) -> None:
    watched = service(thresholds="error_rate>20%", shows=Shows(figures=True), answers=CollectorAnswer(500))
    watched.serve(raising()).end_pane()

    assert watched.pipeline.flush(0.5) == 1
    watched.serve(raising()).end_pane()
    figures = watched.sharing.figures.read()
    watched.pipeline.close(0.5)

    assert figures is not None
    owed = {each.attributes["dashlight.alert.route"]: each.value for each in figures.figures if "owed" in each.name}
    assert owed == {"the collector": 1}
    assert (
        caplog.messages[-1] == "alerts lost at the end: 1 to the collector; with DASHLIGHT_STATE_DIR they would be kept"
    )


def test_what_a_collector_refuses_for_good_is_counted_under_its_route(service: Callable[..., Service]) -> None:
    watched = service(thresholds="error_rate>20%", shows=Shows(figures=True), answers=CollectorAnswer(422))
    watched.serve(raising()).end_pane()
    assert watched.pipeline.flush(PATIENCE_SECONDS) == 0

    for _ in range(2):
        watched.serve(raising()).end_pane()

    figures = watched.sharing.figures.read()
    assert figures is not None
    (rejected,) = [each for each in figures.figures if each.attributes.get("dashlight.reason") == "rejected"]
    assert (rejected.value, rejected.attributes["dashlight.signal"]) == (1, "alerts")
    assert rejected.attributes["dashlight.alert.route"] == "the collector"


def test_a_name_that_an_answer_chose_stays_on_one_line_of_the_log(
    service: Callable[..., Service], reference: Reference, caplog: pytest.LogCaptureFixture
) -> None:
    asked = {"inputs": [{"name": "age", "shape": [200], "datatype": "FP64", "data": [90.0] * 200}]}
    outputs = [{"name": "y", "shape": [200], "datatype": "FP64", "data": [0.5] * 200}]
    watched = service(reference=reference)

    watched.serve(an_exchange(asked, {"model_name": "evil\nname", "outputs": outputs})).end_pane()

    lines = [message for _, _, message in logged(caplog) if message.startswith("firing")]
    assert any(
        line.startswith("firing: evil?name /predict: share of age above the reference's range ") for line in lines
    )


def test_one_row_in_four_analysed_raises_no_alarm_in_a_thousand_panes_without_drift(
    service: Callable[..., Service], reference: Reference
) -> None:
    watched = service(reference=reference)
    rng = np.random.default_rng(5)

    for _ in range(1000):
        batches = [an_exchange(people(rng, 25), [{"score": score} for score in rng.random(25).tolist()])]
        unread = [an_exchange(b"", b"") for _ in range(3)]
        watched.serve(*batches, *unread, analysed=batches).end_pane(rate=0.25)

    assert watched.events("alert") == []


def test_one_row_in_four_analysed_shows_drift_and_tells_of_the_rows_it_saw(
    service: Callable[..., Service], reference: Reference
) -> None:
    watched = service(reference=reference)
    rng = np.random.default_rng(6)

    for pane in range(40):
        exchanges = predictions(rng, 100, age=40.0 if pane < 20 else 50.0)
        watched.serve(*exchanges, analysed=[each for each in exchanges if rng.random() < 0.25]).end_pane(rate=0.25)

    (alert,) = watched.alerts()
    assert alert["dashlight.column.name"] == "age"
    assert alert["dashlight.rows"] < 20 * 100 / 2


def test_outcomes_stay_exact_while_only_some_exchanges_are_analysed(service: Callable[..., Service]) -> None:
    watched = service()
    rng = np.random.default_rng(7)

    for _ in range(6):
        exchanges = [*predictions(rng, 17), *(raising() for _ in range(3))]
        watched.serve(*exchanges, analysed=exchanges[:5]).end_pane(rate=0.25)

    scores = watched.scores()
    assert scores["error_rate"] == 0.15
    assert scores["error_rate[exception:KeyError]"] == 0.15
    assert scores["throughput"] == 2.0
    assert scores["rows"] == 30
    assert scores["analysed_rate"] == 0.25


def test_an_error_inside_a_200_is_a_failure_of_the_model(service: Callable[..., Service]) -> None:
    watched = service(thresholds="error_rate>20%")

    watched.serve(*[an_exchange({"age": 40.0}, {"error": "model not loaded"})] * 5).end_pane()

    assert watched.alerts()[0]["dashlight.alert.summary"] == ("error rate 100 % of 5 exchanges (limit 20 %): model x 5")


def refused(field: str, at: float = 1_700_000_000.0) -> Exchange:
    """As FastAPI answers what its schema does not take."""
    mistake = {"type": "missing", "loc": ["body", field], "msg": "Field required", "input": {"name": "Ann"}}
    return an_exchange({"name": "Ann"}, {"detail": [mistake]}, status=422, outcome="refused", started_at=at)


def test_a_schema_that_changes_upstream_is_told_with_the_field_that_is_missing(
    service: Callable[..., Service], reference: Reference
) -> None:
    watched = service(reference=reference)
    rng = np.random.default_rng(71)
    for _ in range(70):
        watched.serve(*predictions(rng, 20)).end_pane()
    held = watched.scores()

    for _ in range(8):
        watched.serve(*[refused("age", watched.clock.now()) for _ in range(20)]).end_pane()

    (alert,) = [each for each in watched.members() if each["key"].endswith("/refusal_rate")]
    summary = alert["summary"]
    assert summary.startswith("refusal rate rose from 0 % to 100 % of exchanges: 422 because of `age` missing x ")
    assert len(alert["exemplars"]) == 5
    assert "Ann" not in json.dumps(alert)
    assert held["traffic_reference_learned"] == 1.0


def test_refused_requests_join_no_rows_and_are_no_failures(
    service: Callable[..., Service], reference: Reference
) -> None:
    watched = service(reference=reference)
    for _ in range(6):
        watched.serve(an_exchange({"age": 40.0}, {"score": 0.5}), *[refused("age")] * 3).end_pane()

    scores = watched.scores()

    assert (scores["rows"], scores["error_rate"], scores["refusal_rate"]) == (6, 0.0, 0.75)
    assert scores["refusal_rate[http_422 age missing]"] == 0.75


def test_a_failure_inside_an_answer_is_one_in_its_event_its_span_and_the_counts(
    service: Callable[..., Service],
) -> None:
    watched = service(sample_rate=1.0, thresholds="error_rate>20%", shows=Shows(figures=True))
    inside = [
        an_exchange({"age": 40.0}, {"error": "model not loaded"}, own_span=span)
        for span in (OwnSpan(), OwnSpan(attributes={"tenant": "7"}))
    ]
    inside += [structs.replace(an_exchange({"age": 1.0}, {}, own_span=OwnSpan()), handed=HandedOver(failure="stream"))]

    watched.serve(*inside).end_pane()

    assert watched.pipeline.flush(PATIENCE_SECONDS) == 0
    spans = {span["trace_id"]: span for span in watched.exporter.spans}
    events = watched.exporter.events("dashlight.prediction")
    assert len(spans) == len(events) == 3
    for event, kind in zip(events, ["model", "model", "stream"], strict=True):
        span = spans[event["trace_id"]]
        assert span["status"] == "error"
        for attributes in (event["attributes"], span["attributes"]):
            assert (attributes["dashlight.outcome"], attributes["error.type"]) == ("error", kind)
            assert attributes["http.response.status_code"] == 200
    figures = watched.sharing.figures.read()
    assert figures is not None
    requests = [each for each in figures.figures if each.name == "dashlight.requests" and each.value]
    assert [(each.value, each.attributes["dashlight.outcome"]) for each in requests] == [(3, "error")]


def test_excluded_exchanges_are_requests_of_other_and_nothing_else(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=1.0, thresholds="failure_rate>20%", shows=Shows(figures=True))
    ended: list[tuple[int, Outcome]] = [(200, "ok"), (422, "refused")]
    ended += [(503, "error") for _ in range(30)]
    excluded = [
        structs.replace(an_exchange(status=status, outcome=outcome), id=0, route="unmatched", method="GET", trace_id=0)
        for status, outcome in ended
    ]

    for _ in range(10):
        watched.pipeline.count_excluded(excluded)
        watched.end_pane()

    assert watched.pipeline.flush(PATIENCE_SECONDS) == 0
    assert watched.exporter.spans == []
    assert watched.exporter.events("dashlight.prediction") == watched.exporter.events("dashlight.alert") == []
    figures = watched.sharing.figures.read()
    assert figures is not None
    requests = {
        (each.attributes["http.route"], each.attributes["dashlight.outcome"]): each.value
        for each in figures.figures
        if each.name == "dashlight.requests" and each.value
    }
    assert requests == {("other", "error"): 300, ("other", "ok"): 10, ("other", "refused"): 10}


def test_a_server_of_language_models_has_the_metrics_that_the_conventions_want(
    service: Callable[..., Service],
) -> None:
    watched = service(shows=Shows(figures=True))
    asked = {"model": "m", "messages": [{"role": "user", "content": "a"}]}
    choice = {"index": 0, "message": {"content": "b"}, "finish_reason": "stop"}
    whole = an_exchange(asked, {"model": "m-1", "choices": [choice]}, route="/v1/chat/completions")
    pieces = [{"model": "m-1", "choices": [{"index": 0, "delta": {"content": each}}]} for each in "abc"]
    usage = {"model": "m-1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 3}}
    events = "".join(f"data: {json.dumps(each)}\n\n" for each in [*pieces, usage]) + "data: [DONE]\n\n"
    stream = an_exchange({**asked, "stream": True}, events.encode(), route="/v1/chat/completions")
    stream = structs.replace(
        stream,
        response_headers=((b"content-type", b"text/event-stream"),),
        first_byte_seconds=0.25,
        duration_seconds=1.0,
    )
    failed = an_exchange(asked, route="/v1/chat/completions", status=503, outcome="error")

    exchanges = [structs.replace(each, path="/v1/chat/completions") for each in (whole, stream, failed)]
    watched.serve(*exchanges, an_exchange({"age": 1.0}, {"score": 0.5})).end_pane()

    figures = watched.sharing.figures.read()
    assert figures is not None
    found = [each for each in figures.histograms if each.name.startswith("gen_ai.")]
    told = {(each.name, each.attributes.get("error.type", "")): each for each in found}
    asked_of = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-1",
    }
    assert {key: sum(each.counts) for key, each in told.items()} == {
        ("gen_ai.server.request.duration", ""): 2,
        ("gen_ai.server.request.duration", "503"): 1,
        ("gen_ai.server.time_to_first_token", ""): 1,
        ("gen_ai.server.time_per_output_token", ""): 1,
    }
    assert told["gen_ai.server.time_per_output_token", ""].attributes == asked_of
    assert told["gen_ai.server.time_per_output_token", ""].sum == pytest.approx(0.375, rel=0.06)
    assert told["gen_ai.server.time_to_first_token", ""].sum == pytest.approx(0.25, rel=0.06)


def test_rules_about_requests_in_flight_are_about_the_process_and_not_about_each_endpoint(
    service: Callable[..., Service], caplog: pytest.LogCaptureFixture
) -> None:
    watched = service(thresholds="in_flight>50, in_flight<5")
    watched.serve(*(an_exchange({"age": 1.0}, {"score": 1.0}, route=route) for route in ("/a", "/b", "/c")))

    watched.end_pane(in_flight=60).end_pane(in_flight=10)

    (alert,) = watched.alerts()
    assert alert["dashlight.alert.summary"] == "60 exchanges in flight (limit 50)"
    assert "http.route" not in alert
    assert [message for _, _, message in logged(caplog)] == ["firing: this process: 60 exchanges in flight (limit 50)"]
    assert len(watched.alerts("resolved")) == 1


def test_endpoints_beyond_the_bound_are_counted_together_and_not_judged(
    service: Callable[..., Service], caplog: pytest.LogCaptureFixture
) -> None:
    watched = service()
    for number in range(MOST_ENDPOINTS + 5):
        watched.serve(an_exchange({"age": 1.0}, {"score": 1.0}, route=f"/models/{number}"))
    watched.serve(an_exchange({"age": 1.0}, {"score": 1.0}, route="/models/0"))
    for _ in range(6):
        watched.end_pane()

    own = {
        event["http.route"]: {score["statistic"]: score["value"] for score in event["dashlight.scores"]}
        for event in watched.events("scores")
        if "dashlight.model.name" not in event
    }

    assert len(own) == MOST_ENDPOINTS + 1
    assert (own["other"]["rows"], own["other"]["unwatched_rows"]) == (5, 5)
    assert (own["/models/0"]["rows"], own["/models/0"]["unwatched_rows"]) == (2, 0)
    assert [message for _, _, message in logged(caplog)] == [
        "more than 32 endpoints: the others are counted together, not judged"
    ]


def test_probes_that_are_answered_do_not_say_that_a_process_is_well(service: Callable[..., Service]) -> None:
    watched = service()
    probe = structs.replace(an_exchange(b"", b"", route="/health"), method="GET", path="/health")
    scanner = an_exchange(b"", b"", route="unmatched", status=404)

    answered = []
    for exchanges in ([probe, scanner], [probe, an_exchange({"age": 40.0}, {"score": 0.5})], []):
        watched.serve(*exchanges).end_pane()
        judging = watched.pipeline._sharing.watch
        assert judging is not None
        answered.append([status.answered_count for status in judging.processes.statuses.values()])

    assert answered == [[0], [1], [0]]


def test_scanners_and_probes_take_no_place_from_a_model_and_are_counted(
    service: Callable[..., Service], reference: Reference
) -> None:
    watched = service(reference=reference)
    kinds = [
        ("/{}/{{path}}", "GET", 404),
        ("/{}/health", "GET", 200),
        ("/page/{}", "GET", 200),
        ("/{}", "OPTIONS", 200),
    ]
    strangers = [
        structs.replace(an_exchange(b"", b"", route=route.format(number), status=status), method=method)
        for route, method, status in kinds
        for number in range(40)
    ]
    watched.serve(*strangers)
    for _ in range(6):
        watched.serve(*strangers, *predictions(np.random.default_rng(3), 20)).end_pane()

    counted = {
        event["http.route"]: score["rows"]
        for event in watched.events("scores")
        for score in event["dashlight.scores"]
        if score["statistic"] == "throughput"
    }
    assert counted == {"/predict": 120, "other": 7 * 160}
    assert {event["http.route"] for event in watched.events("scores") if "dashlight.model.name" in event} == {
        "/predict"
    }


def test_the_budget_is_shared_by_the_models_of_all_endpoints(
    service: Callable[..., Service], reference: Reference
) -> None:
    watched = service(reference=reference)
    for route in ("/docs", "/a", "/a", "/b", "/a"):
        body = {} if route == "/docs" else {"age": 40.0}
        watched.serve(an_exchange(b"" if route == "/docs" else body, {"score": 0.5}, route=route))

    watched.end_pane()
    judging = watched.pipeline._sharing.watch
    assert judging is not None
    assert judging._places.models == 2


def test_exchanges_become_events_at_the_rate_that_was_asked_for(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=0.1)
    shares = cycle([0.95, 0.5, 0.85, 0.05, 0.8])
    exchanges = [
        structs.replace(each, trace_id=int(next(shares) * 2**56) + each.id)
        for each in predictions(np.random.default_rng(8), 20)
    ]

    watched.serve(*exchanges)

    assert [event["dashlight.rows"] for event in watched.events("prediction")] == [1, 1, 1, 1]
    assert [int(event["trace_id"], 16) for event in watched.exporter.events()] == [
        exchange.trace_id for exchange in exchanges[::5]
    ]


def test_failures_become_events_at_any_rate_but_not_in_floods(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=0.001)
    inside = [an_exchange({"age": 40.0}, {"error": "no"}) for _ in range(50)]

    watched.serve(*predictions(np.random.default_rng(9), 10), *inside, *(raising() for _ in range(450)))

    events = watched.events("prediction")
    assert len(events) == 100
    assert [event["error.type"] for event in events].count("model") == 50
    assert {event["dashlight.outcome"] for event in events} == {"error"}


def test_an_event_says_what_its_exchange_shows(service: Callable[..., Service], reference: Reference) -> None:
    watched = service(sample_rate=0.001, reference=reference, payloads=True)
    watched.serve(*predictions(np.random.default_rng(9), 200))
    refused, unread = an_exchange({"age": 4}, {}, status=422, outcome="refused"), an_exchange(b"{nope", {})
    odd = an_exchange({"age": 1e6, "income": "much"}, {"score": 0.5})
    slow = structs.replace(an_exchange({"age": 40, "income": 2000.0}, {"score": 0.5}), duration_seconds=9.0)

    watched.serve(raising(), refused, unread, odd, slow)

    reasons = {
        event["dashlight.event.id"]: event.get("dashlight.sampling.reasons", [event["dashlight.sampling.reason"]])
        for event in watched.events("prediction")
    }
    assert list(reasons.values()) == [
        ["failure"],
        ["refusal"],
        ["undecodable"],
        ["wrong_type", "out_of_range"],
        ["slow"],
    ]
    values = [event.get("dashlight.inputs") for event in watched.events("prediction")]
    assert values == [None, None, None, {"age": 1e6, "income": "much"}, {"age": 40, "income": 2000.0}]


def test_what_is_sent_of_more_than_is_remembered_is_decoded_once_more(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=1.0, payloads=True)
    note = "a word " * 20_000

    watched.serve(*(an_exchange({"age": age, "note": note}, {"score": 0.5}) for age in range(40)))

    assert len(watched.pipeline._publisher.known.readings) < 35
    assert [event["dashlight.inputs"]["age"] for event in watched.events("prediction")] == list(range(40))


def test_what_is_kept_and_left_out_is_counted(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=0.001)
    watched.serve(*predictions(np.random.default_rng(9), 50), *(raising() for _ in range(150)))

    sampler = watched.pipeline._publisher._events._sampler
    assert (sampler.sampled_out, sampler.kept) == (100, {"failure": 100})


def test_an_event_of_what_was_not_analysed_says_what_is_known(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=1.0, payloads=True)

    watched.serve(an_exchange({"age": 40.0}, {"score": 0.5}), analysed=[])

    (event,) = watched.events("prediction")
    assert (event["dashlight.model.name"], event["dashlight.model.version"]) == ("risk", "3")
    assert {"dashlight.rows", "dashlight.inputs", "dashlight.outputs"}.isdisjoint(event)


def test_an_event_says_why_its_exchange_could_not_be_read(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=1.0, payloads=True)

    watched.serve(an_exchange(b"{nope", {"score": 0.5}), an_exchange({"age": 40.0}, b"{nope"))

    unread, half_read = watched.events("prediction")
    assert (unread["dashlight.undecoded"], half_read["dashlight.undecoded"]) == ("invalid_json", "invalid_json")
    assert "dashlight.inputs" not in unread
    assert half_read["dashlight.inputs"] == {"age": 40.0}
    assert "dashlight.outputs" not in half_read


def test_an_exchange_half_read_is_one_exchange_that_could_not_be_read(service: Callable[..., Service]) -> None:
    watched = service()

    good = [an_exchange({"age": 40.0}, {"score": 0.5}), an_exchange({"age": 40.0}, {"error": "no"})]
    watched.serve(*good, an_exchange({"age": 40.0}, b"{nope"), an_exchange(b"{nope", b""))
    for _ in range(6):
        watched.end_pane()

    assert watched.scores()["undecodable_rate"] == 0.5


def test_payloads_stay_at_home_unless_asked_for(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=1.0)

    watched.serve(an_exchange({"age": 40.0}, {"score": 0.5}))

    (event,) = watched.events("prediction")
    assert event["dashlight.protocol"] == "plain"
    assert {"dashlight.inputs", "dashlight.outputs"}.isdisjoint(event)


def test_payloads_leave_as_they_came_by_the_name_of_the_column(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=1.0, payloads=True)
    asked = {"age": 40, "income": 2000.0, "city": "Bonn", "member": True, "address2": None}

    watched.serve(an_exchange(asked, {"score": 0.5}))

    (event,) = watched.events("prediction")
    assert json.dumps(event["dashlight.inputs"]) == json.dumps(asked)
    assert event["dashlight.outputs"] == {"score": 0.5}


def test_of_a_batch_the_first_hundred_rows_leave(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=1.0, payloads=True)

    watched.serve(an_exchange([{"age": age} for age in range(150)], [{"score": 0.5}] * 150))

    (event,) = watched.events("prediction")
    assert event["dashlight.rows"] == 150
    assert event["dashlight.inputs"] == {"age": list(range(100))}
    assert event["dashlight.outputs"] == {"score": [0.5] * 100}


def test_columns_to_redact_are_replaced_and_columns_to_ignore_are_absent(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=1.0, payloads=True, redacted=["inc*"], ignored=("customer*", "debug"))
    asked = {"age": 40, "income": 2000.0, "customer_name": "Ada"}

    watched.serve(an_exchange(asked, {"score": 0.5, "debug": "verbose"}))

    (event,) = watched.events("prediction")
    assert event["dashlight.inputs"] == {"age": 40, "income": "[redacted]"}
    assert event["dashlight.outputs"] == {"score": 0.5}


CANARY = "hunter2-canary"
SECRETIVE_BODIES: Mapping[str, tuple[object, object]] = {
    "flat": ({"age": 1, "password": CANARY, "api_key": CANARY}, {"score": 1.0, "session_token": CANARY}),
    "nested": (
        {"age": 1, "user": {"token": CANARY, "payment": {"card": CANARY, "card_number": CANARY}}},
        {"result": {"score": 1.0, "auth": {"access_token": CANARY}}},
    ),
    "lists": (
        {"age": 1, "cards": [{"card": CANARY}], "history": [{"deep": [{"password": CANARY}]}]},
        {"score": 1.0, "trail": [{"secret": CANARY}]},
    ),
    "rows": ([{"age": 1, "pwd": CANARY}, {"age": 2, "pwd": CANARY}], [{"score": 1.0}, {"score": 2.0}]),
    "instances": ({"instances": [{"age": 1, "bearer": CANARY}], "token": CANARY}, {"predictions": [1.0]}),
    "failed": ({"age": 1, "password": CANARY}, {"error": f"wrong password {CANARY}"}),
    "not json": (f'{{"password": "{CANARY}"'.encode(), f"password={CANARY}".encode()),
}


@pytest.mark.parametrize("as_lines", [True, False], ids=["lines", "otlp"])
@pytest.mark.parametrize(("asked", "answered"), SECRETIVE_BODIES.values(), ids=SECRETIVE_BODIES)
def test_a_secret_leaves_in_no_byte(
    service: Callable[..., Service],
    caplog: pytest.LogCaptureFixture,
    asked: object,
    answered: object,
    as_lines: bool,  # noqa: FBT001
) -> None:
    caplog.set_level(logging.DEBUG)
    watched = service(
        sample_rate=1.0, payloads=True, as_lines=as_lines, thresholds="error_rate>1%, undecodable_rate>1%"
    )
    headers = (*JSON_HEADERS, (b"baggage", f"token={CANARY}".encode()))

    for _ in range(6):
        query = f"token={CANARY}".encode()
        exchanges = [an_exchange(asked, answered, query=query, headers=headers, own_span=OwnSpan()) for _ in range(4)]
        watched.serve(*exchanges).end_pane()

    assert len(watched.events("prediction")) == 24
    assert len(watched.exporter.spans) == 24
    assert all(CANARY.encode() not in body for body in watched.exporter.bodies)
    assert CANARY not in caplog.text


def test_spans_carry_what_decoding_made_known(service: Callable[..., Service]) -> None:
    watched = service()
    batch = an_exchange([{"age": 1}, {"age": 2}], [{"score": 1.0}, {"score": 2.0}], own_span=OwnSpan())
    host = an_exchange({"age": 1}, {"score": 1.0})
    unread = an_exchange({"age": 1}, {"score": 1.0}, own_span=OwnSpan())

    watched.serve(batch, host, unread, analysed=[batch, host])

    assert watched.pipeline.flush(PATIENCE_SECONDS) == 0
    spans = {int(span["trace_id"], 16): span["attributes"] for span in watched.exporter.spans}
    assert set(spans) == {batch.trace_id, unread.trace_id}
    assert spans[batch.trace_id]["dashlight.rows"] == 2
    assert spans[batch.trace_id]["dashlight.model.name"] == "risk"
    assert spans[unread.trace_id]["dashlight.model.version"] == "3"
    assert "dashlight.rows" not in spans[unread.trace_id]


def test_spans_are_all_there_when_the_budget_binds(service: Callable[..., Service]) -> None:
    watched = service()
    watched.end_pane(rate=0.1)

    exchanges = [an_exchange({"age": 1}, {"score": 1.0}, own_span=OwnSpan()) for _ in range(5)]
    watched.serve(*exchanges, analysed=exchanges[:1])

    assert watched.pipeline.flush(PATIENCE_SECONDS) == 0
    assert len({span["span_id"] for span in watched.exporter.spans}) == 5


def test_a_span_that_cannot_be_encoded_is_counted_and_told(
    service: Callable[..., Service], caplog: pytest.LogCaptureFixture
) -> None:
    watched = service()
    odd = an_exchange({"age": 1}, {"score": 1.0}, own_span=OwnSpan(attributes={"x": 1}, parent_id=-1))
    watched.serve(odd, an_exchange({"age": 1}, {"score": 1.0}, own_span=OwnSpan()))

    with caplog.at_level(logging.WARNING, logger="dashlight"):
        for _ in range(12):
            watched.end_pane()

    assert [message for message in caplog.messages if "lost" in message] == ["lost so far: spans unencodable x 1"]


def test_the_model_that_an_answer_names_is_that_of_its_span_and_event(service: Callable[..., Service]) -> None:
    asked = {"inputs": [{"name": "age", "shape": [1], "datatype": "FP64", "data": [40.0]}]}
    outputs = [{"name": "y", "shape": [1], "datatype": "FP64", "data": [0.5]}]
    answered = {"model_name": "fraud", "model_version": "9", "outputs": outputs}
    watched = service(sample_rate=1.0)

    watched.serve(an_exchange(asked, answered, own_span=OwnSpan()))

    (event,) = watched.events("prediction")
    (span,) = watched.exporter.spans
    for attributes in (event, span["attributes"]):
        assert (attributes["dashlight.model.name"], attributes["dashlight.model.version"]) == ("fraud", "9")


def test_scores_leave_once_in_six_panes(service: Callable[..., Service], reference: Reference) -> None:
    watched = service(reference=reference)
    rng = np.random.default_rng(10)

    for pane in range(1, 13):
        watched.serve(*predictions(rng, 20)).end_pane()
        assert len(watched.events("scores")) == 2 * (pane // 6)

    own, of_model = watched.events("scores")[-2:]
    assert "dashlight.model.name" not in own
    assert (of_model["dashlight.model.name"], of_model["http.route"]) == ("risk", "/predict")
    columns = {score["column"] for score in of_model["dashlight.scores"]}
    assert columns == {"age", "income", "score"}
    assert {score["rows"] for score in of_model["dashlight.scores"]} == {240}


def test_the_scores_of_many_columns_leave_in_several_events_and_none_is_cut(service: Callable[..., Service]) -> None:
    rng = np.random.default_rng(11)
    names = [f"x{number:03}" for number in range(150)]
    wide = build_reference_from_columns({name: rng.random(300) for name in names}, {}, rng=rng, created_at=0.0)
    watched = service(reference=wide)

    watched.serve(an_exchange(dict.fromkeys(names, 0.5), {"score": 1.0}))
    for _ in range(6):
        watched.end_pane()

    events = [event for event in watched.events("scores") if "dashlight.model.name" in event]
    told = {(score["column"], score["statistic"]) for event in events for score in event["dashlight.scores"]}
    assert len(events) > 1
    assert {column for column, statistic in told if statistic == "psi"} == set(names)
    assert not any(event["truncated"] for event in watched.exporter.events("dashlight.scores"))


def test_events_are_numbered_without_a_gap(service: Callable[..., Service], reference: Reference) -> None:
    watched = service(reference=reference, sample_rate=1.0)
    rng = np.random.default_rng(12)

    for _ in range(6):
        watched.serve(*predictions(rng, 50, age=90.0)).end_pane()

    assert watched.pipeline.flush(PATIENCE_SECONDS) == 0
    events = watched.exporter.events()
    numbers = [event["attributes"].get("dashlight.event.seq") for event in events]
    assert [event["name"] for event, number in zip(events, numbers, strict=True) if number is None] == [
        "dashlight.alert"
    ]
    assert sorted(filter(None, numbers)) == list(range(1, len(numbers)))
    assert len({event["id"] for event in events}) == len(numbers)


def test_panes_end_at_multiples_of_their_length_so_that_those_of_several_processes_end_together(
    service: Callable[..., Service],
) -> None:
    pipeline, began_at = (watched := service()).pipeline, watched.clock.now()

    def seconds_left(at: float) -> float:
        return pipeline.tick(began_at + at, lost={}, in_flight_count=0, rate=1.0)

    assert seconds_left(4.0) == pytest.approx(6.0)
    assert seconds_left(13.0) == pytest.approx(7.0)
    assert seconds_left(20.0) == pytest.approx(10.0)
    assert seconds_left(23.0) == pytest.approx(7.0)
    assert seconds_left(29.75) == pytest.approx(0.25)


def test_a_clock_that_is_set_back_ends_the_pane_and_the_panes_go_on(
    service: Callable[..., Service], caplog: pytest.LogCaptureFixture
) -> None:
    watched = service(thresholds="error_rate>20%")
    rng = np.random.default_rng(8)
    watched.serve(*predictions(rng, 20)).end_pane()

    watched.serve(raising())
    watched.clock.at -= 3600.0
    left = watched.pipeline.tick(watched.clock.now(), lost={}, in_flight_count=0, rate=1.0)

    assert 0 < left <= PANE_SECONDS
    assert [message for _, _, message in logged(caplog)] == [
        "firing: /predict: error rate 100 % of 1 exchanges (limit 20 %): exception:KeyError x 1"
    ]
    watched.serve(*predictions(rng, 1)).end_pane()
    assert len(watched.alerts("resolved")) == 1


def test_a_clock_that_is_set_forward_ends_one_long_pane(service: Callable[..., Service]) -> None:
    watched = service(thresholds="error_rate>20%")

    watched.serve(raising())
    watched.clock.at += 86_400.0 + 3.0
    left = watched.pipeline.tick(watched.clock.now(), lost={}, in_flight_count=0, rate=1.0)

    assert left == pytest.approx(7.0)
    assert len(watched.alerts()) == 1
    watched.serve(*predictions(np.random.default_rng(9), 1)).end_pane()
    assert len(watched.alerts("resolved")) == 1


def test_what_is_known_of_an_exchange_is_forgotten_after_its_round(service: Callable[..., Service]) -> None:
    watched = service()
    watched.serve(*predictions(np.random.default_rng(14), 5), an_exchange(b"{nope", b""))

    watched.pipeline.tick(watched.clock.now(), lost={}, in_flight_count=0, rate=1.0)

    known = watched.pipeline._publisher.known
    assert [len(each) for each in (known.of, known.undecodable, known.anomalies, known.readings)] == [0, 0, 0, 0]


def test_what_waits_is_delivered_by_close(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=1.0)
    watched.serve(*predictions(np.random.default_rng(13), 30))

    watched.pipeline.close(PATIENCE_SECONDS)

    assert len(watched.exporter.events("dashlight.prediction")) == 30


def test_columns_that_moved_together_are_one_incident_told_from_its_origin(
    service: Callable[..., Service], reference: Reference, caplog: pytest.LogCaptureFixture
) -> None:
    watched = service(reference=reference)
    rng = np.random.default_rng(41)
    for _ in range(5):
        watched.serve(*predictions(rng, 100)).end_pane()
    for _ in range(5):
        moved = [an_exchange(person, {"score": 0.9 + 0.1 * rng.random()}) for person in people(rng, 100, age=80.0)]
        watched.serve(*moved).end_pane()

    (alert,) = watched.alerts()
    assert [(each["column"], each["place"]) for each in alert["dashlight.alert.members"]] == [("age", 1), ("score", 2)]
    assert (alert["dashlight.column.name"], alert["dashlight.alert.moved_with"]) == ("age", ["score"])
    began = [alert[f"dashlight.alert.since{bound}"] for bound in ("_earliest", "", "_latest")]
    assert began == sorted(began)
    (line,) = [message for _, _, message in logged(caplog)]
    assert line == f"firing: risk /predict: {alert['dashlight.alert.summary']}"
    assert "; with it moved score; 2 columns in all; began " in line


def test_scores_say_whether_silence_means_something(service: Callable[..., Service], reference: Reference) -> None:
    watched, learning = service(reference=reference), service()
    rng = np.random.default_rng(42)

    for rows in (1, 1, 1, 1, 1, 1, 400, 400, 400, 400, 400, 400):
        for each in (watched, learning):
            each.serve(*predictions(rng, rows)).end_pane()

    states = [
        [event["dashlight.model.state"] for event in each.events("scores") if "dashlight.model.state" in event]
        for each in (watched, learning)
    ]
    assert states == [["not_enough_data", "watching"], ["learning", "watching"]]


def test_a_reference_file_is_replaced_while_the_server_runs(
    service: Callable[..., Service], reference: Reference, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dashlight")
    path = tmp_path / "reference.json"
    path.write_bytes(dump(reference))
    file = ReferenceFile(path)
    watched = service(reference=file.read(), reference_file=file)
    rng = np.random.default_rng(43)
    for _ in range(3):
        watched.serve(*predictions(rng, 200, age=80.0)).end_pane()
    asked = people(rng, 5000, age=80.0)
    columns = {name: np.array([person[name] for person in asked]) for name in ("age", "income")}
    newer = build_reference_from_columns(
        {**columns, "score": rng.random(5000)}, {"score": "output"}, rng=rng, created_at=1.0
    )
    (tmp_path / "new.json").write_bytes(dump(newer))
    (tmp_path / "new.json").replace(path)

    for _ in range(20):
        watched.serve(*predictions(rng, 200, age=80.0)).end_pane()

    (fired,), (ended,) = watched.alerts(), watched.alerts("resolved")
    assert (fired["dashlight.column.name"], ended["dashlight.column.name"]) == ("age", "age")
    assert ended["dashlight.alert.summary"].startswith("the reference was replaced; it was: ")
    replaced = f"the reference file was replaced: version {newer.version}, 5000 rows"
    assert replaced in [message for _, _, message in logged(caplog, logging.INFO)]


@pytest.fixture
def siblings(service: Callable[..., Service], tmp_path: Path) -> Callable[..., tuple[Service, Service]]:
    """Makes two processes of one host, with one clock."""

    def make(**arguments: Any) -> tuple[Service, Service]:
        clock = FakeClock()
        a, b = (
            service(meeting=Meeting.open(tmp_path, "app"), process=name, clock=clock, **arguments)
            for name in ("a", "b")
        )
        return a, b

    return make


def exchanges_judged(service: Service) -> int:
    watch = service.sharing.watch
    assert watch is not None
    snapshots = [snapshot for _, snapshot in watch.snapshots() if not snapshot.model]
    return sum(score.rows for each in snapshots for score in each.scores if score.statistic == "error_rate")


def both_end_a_pane(a: Service, b: Service) -> None:
    a.clock.advance(PANE_SECONDS)
    a.tick()
    b.tick()
    a.tick()


def test_of_two_processes_one_judges_what_both_served(siblings: Callable[..., tuple[Service, Service]]) -> None:
    a, b = siblings(thresholds="error_rate>40%")
    rng = np.random.default_rng(50)

    for _ in range(6):
        a.serve(*predictions(rng, 10))
        b.serve(*[raising() for _ in range(10)])
        both_end_a_pane(a, b)

    assert [alert["dashlight.alert.summary"] for alert in a.alerts()] == [
        # The first pane was over before the judge knew of anybody else.
        "error rate 50 % of 20 exchanges (limit 40 %): exception:KeyError x 10"
    ]
    assert (b.alerts(), b.scores()) == ([], {})
    assert a.scores()["error_rate"] == 0.5
    assert exchanges_judged(a) == 120


def test_a_judge_that_waits_for_the_others_looks_again_soon(siblings: Callable[..., tuple[Service, Service]]) -> None:
    a, b = siblings()
    for _ in range(2):
        both_end_a_pane(a, b)
    a.clock.advance(PANE_SECONDS)

    assert 0 < a.tick() < 1.0
    assert b.tick() == pytest.approx(PANE_SECONDS)
    assert a.tick() == pytest.approx(PANE_SECONDS)


def test_what_a_process_had_counted_when_it_closed_is_judged_by_the_other(
    siblings: Callable[..., tuple[Service, Service]],
) -> None:
    a, b = siblings(thresholds="error_rate>20%")
    both_end_a_pane(a, b)

    a.serve(*[raising() for _ in range(7)])
    a.pipeline.leave()
    b.serve(*predictions(np.random.default_rng(51), 3)).end_pane()
    b.clock.advance(1.0)
    b.tick()

    assert [alert["dashlight.alert.summary"] for alert in b.alerts()] == [
        "error rate 70 % of 10 exchanges (limit 20 %): exception:KeyError x 7"
    ]


def test_who_leaves_and_serves_on_is_in_again(siblings: Callable[..., tuple[Service, Service]]) -> None:
    a, b = siblings(thresholds="error_rate>20%")
    both_end_a_pane(a, b)
    a.serve(raising())
    for _ in range(2):
        a.pipeline.leave()

    a.serve(raising())
    both_end_a_pane(b, a)
    b.clock.advance(1.0)
    b.tick()

    assert a.sharing.is_in
    assert exchanges_judged(b) == 2
    assert (len(a.alerts()), len(b.alerts())) == (0, 1)


def test_figures_are_shown_by_each_process_where_something_shows_them(
    siblings: Callable[..., tuple[Service, Service]],
) -> None:
    a, b = siblings(shows=Shows(figures=True))
    for each in (a, b):
        assert each.sharing.figures.read() is None
        each.serve(*predictions(np.random.default_rng(52), 5))
    both_end_a_pane(a, b)
    both_end_a_pane(a, b)

    for each in (a, b):
        found = each.sharing.figures.read()
        assert found is not None
        assert {figure.name: figure.value for figure in found.figures}["dashlight.workers"] == 2


def test_where_nothing_shows_figures_none_are_made(service: Callable[..., Service]) -> None:
    assert service().serve(raising()).end_pane().sharing.figures.read() is None


def test_what_belongs_to_the_parent_is_let_go_by_a_child(siblings: Callable[..., tuple[Service, Service]]) -> None:
    a, b = siblings()
    both_end_a_pane(a, b)

    a.pipeline.forget()
    b.serve(raising()).end_pane()

    assert b.sharing.watch is not None


@pytest.fixture
def two_references(reference: Reference, tmp_path: Path) -> tuple[Path, Reference]:
    """A reference file, and a reference of older people that replaces it later."""
    rng = np.random.default_rng(60)
    asked = people(rng, 5000, age=80.0)
    columns = {name: np.array([person[name] for person in asked]) for name in ("age", "income")}
    older = build_reference_from_columns(
        {**columns, "score": rng.random(5000)}, {"score": "output"}, rng=rng, created_at=1.0
    )
    path = tmp_path / "reference.json"
    path.write_bytes(dump(reference))
    return path, older


@pytest.fixture
def reading(
    service: Callable[..., Service], two_references: tuple[Path, Reference], tmp_path: Path
) -> tuple[Service, Service]:
    """Two processes of one host that compare with the file."""
    clock, path = FakeClock(), two_references[0]
    a, b = (
        service(
            meeting=Meeting.open(tmp_path / "state", "app"),
            process=name,
            clock=clock,
            reference=(file := ReferenceFile(path)).read(),
            reference_file=file,
        )
        for name in ("a", "b")
    )
    return a, b


def compared_with(service: Service) -> list[str]:
    """Versions of the references that the judge compares with."""
    watch = service.sharing.watch
    assert watch is not None
    return [
        version
        for endpoint in watch.briefing.endpoints.values()
        for model in endpoint.models.values()
        for version in model.references
    ]


def test_who_takes_over_compares_with_the_file_that_replaced_the_one_it_began_with(
    reading: tuple[Service, Service], two_references: tuple[Path, Reference]
) -> None:
    (a, b), (path, older) = reading, two_references
    rng = np.random.default_rng(61)
    for _ in range(3):
        a.serve(*predictions(rng, 20))
        b.serve(*predictions(rng, 20))
        both_end_a_pane(a, b)
    path.write_bytes(dump(older))
    for _ in range(3):
        a.serve(*predictions(rng, 20, age=80.0))
        b.serve(*predictions(rng, 20, age=80.0))
        both_end_a_pane(a, b)
    assert compared_with(a) == [older.version]

    a.pipeline.forget()
    for _ in range(20):
        b.serve(*predictions(rng, 200, age=80.0)).end_pane()
        b.clock.advance(1.0)
        b.tick()

    assert compared_with(b) == [older.version]
    assert b.alerts() == []
    refused = [
        score["value"]
        for event in b.events("scores")
        for score in event["dashlight.scores"]
        if score["statistic"].startswith("refused_pane_count")
    ]
    # The pane in which it was replaced.
    assert set(refused) == {1}


def test_a_judge_that_serves_nothing_compares_what_the_others_count_with_the_replaced_file(
    reading: tuple[Service, Service], two_references: tuple[Path, Reference]
) -> None:
    (a, b), (path, older) = reading, two_references
    rng = np.random.default_rng(62)
    both_end_a_pane(a, b)
    for _ in range(3):
        b.serve(*predictions(rng, 20))
        both_end_a_pane(a, b)
    # Between the moment in which one looked and that in which the other does.
    b.clock.advance(PANE_SECONDS)
    b.tick()
    path.write_bytes(dump(older))
    a.tick()
    for _ in range(4):
        b.serve(*predictions(rng, 20, age=80.0))
        both_end_a_pane(a, b)

    assert compared_with(a) == [older.version]


def test_a_mistake_over_one_exchange_costs_its_event_and_is_counted_and_no_other(
    service: Callable[..., Service],
) -> None:
    watched = service(sample_rate=1.0)
    broken = structs.replace(an_exchange({"age": 4.0}), duration_seconds="long")

    with pytest.raises(ValueError, match="could not convert"):
        watched.serve(an_exchange({"age": 40.0}), broken, an_exchange({"age": 41.0}), analysed=())

    assert len(watched.events("prediction")) == 2
    assert watched.pipeline.accounts()["events"] == Account(captured=3, delivered=2, dropped={"mistake": 1})


def test_what_the_sampler_leaves_out_is_in_the_account(service: Callable[..., Service]) -> None:
    watched = service(sample_rate=0.5)
    rng = np.random.default_rng(5)
    exchanges = [
        structs.replace(an_exchange({"age": 40.0}, own_span=OwnSpan()), trace_id=int.from_bytes(rng.bytes(16), "big"))
        for _ in range(40)
    ]

    watched.serve(*exchanges)

    kept_count = len(watched.events("prediction"))
    assert 5 < kept_count < 35
    assert watched.pipeline.accounts() == {
        "events": Account(captured=40, delivered=kept_count, sampled_out=40 - kept_count),
        "spans": Account(captured=40, delivered=40),
    }


def of_version(version: str, number: int, *, fails: bool = False) -> Exchange:
    """An exchange that names its version in the path, of one endpoint for all."""
    made = raising() if fails else an_exchange({"age": float(number)}, {"score": 0.5})
    path = f"/v2/models/risk/versions/{version}/infer"
    return structs.replace(made, path=path, route="/v2/models/{model}/versions/{version}/infer")


def test_what_is_decided_of_two_versions_is_an_event_and_a_line_of_the_log(
    service: Callable[..., Service], caplog: pytest.LogCaptureFixture
) -> None:
    app = service()
    app.serve(*[of_version("1", number) for number in range(40)]).end_pane()
    for _ in range(12):
        stable = [of_version("1", number) for number in range(40)]
        app.serve(*stable, *[of_version("2", number, fails=number % 2 == 0) for number in range(20)]).end_pane()

    (decided,) = app.events("version.decided")
    assert decided["dashlight.version.decision"] == "worse"
    assert (decided["dashlight.version.stable"], decided["dashlight.version.candidate"]) == ("1", "2")
    assert decided["dashlight.version.figure"] == "failure_rate"
    assert decided["dashlight.version.difference"] == pytest.approx(0.5)
    assert 0.01 < decided["dashlight.version.difference.low"] < 0.5
    told = [message for _, _, message in logged(caplog) if "is worse than" in message]
    assert len(told) == 1


def test_a_failure_is_of_the_model_that_its_request_names(service: Callable[..., Service]) -> None:
    app = service(shows=Shows(view=True))
    asked = {"model": "mistral", "messages": [{"role": "user", "content": "hi"}]}
    chosen = [{"index": 0, "message": {"role": "assistant", "content": "ho"}, "finish_reason": "stop"}]
    answered = {"object": "chat.completion", "choices": chosen}
    for pane in range(12):
        for version in ("a", "b") if pane else ("a",):
            good = [an_exchange(asked, {**answered, "model": f"mistral-{version}"}) for _ in range(20)]
            app.serve(*good)
        app.serve(*[an_exchange(asked, {"error": {"message": "no memory"}}, status=500, outcome="error")] * 10)
        app.end_pane()

    view = app.sharing.view.read()

    assert view is not None
    (compared,) = msgspec.json.decode(view.versions, type=ShownVersions).comparisons
    assert (compared.model, compared.stable, compared.candidate) == ("mistral", "mistral-a", "mistral-b")
    # Which version it was the answers alone say: nothing may be decided as if nobody had failed.
    assert "not attributable" in compared.words
    assert compared.shares == {"mistral-a": 0.4, "mistral-b": 0.4, "unknown": 0.2}


def test_a_view_of_what_was_judged_is_kept_where_it_is_shown(service: Callable[..., Service]) -> None:
    watched = service(thresholds="error_rate>20%", shows=Shows(view=True))
    unshown = service(thresholds="error_rate>20%")
    for _ in range(3):
        watched.serve(raising()).end_pane()
        unshown.serve(raising()).end_pane()

    view = watched.sharing.view.read()

    assert view is not None
    status = msgspec.json.decode(view.status, type=ShownStatus)
    assert (view.at, status.state, [alert.light for alert in status.alerts]) == (status.at, "red", ["failures"])
    assert [light.state for light in status.lights] == ["green"]
    assert unshown.sharing.view.read() is None


def test_alerts_that_a_route_has_not_answered_for_a_pane_turn_a_light(service: Callable[..., Service]) -> None:
    watched = service(thresholds="error_rate>20%", shows=Shows(view=True), answers=CollectorAnswer(500))
    found: list[str] = []
    for _ in range(3):
        watched.serve(raising()).end_pane()
        view = watched.sharing.view.read()
        assert view is not None
        (delivery,) = msgspec.json.decode(view.status, type=ShownStatus).lights
        found.append(delivery.words)

    assert found[0] == "nothing is owed or lost"
    assert found[-1] == "1 alerts owed to the collector"


def test_siblings_show_one_view(siblings: Callable[..., tuple[Service, Service]]) -> None:
    a, b = siblings(shows=Shows(view=True))
    for each in (a, b):
        each.serve(raising())
    both_end_a_pane(a, b)
    both_end_a_pane(a, b)

    views = [each.sharing.view.read() for each in (a, b)]

    assert views[0] is not None
    assert views[0] == views[1]
