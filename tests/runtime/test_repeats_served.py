"""A retry storm and probes as the analysis thread sees them: what is judged, what is told, what stays in the totals."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import count

import numpy as np
import pytest

from dashlight.counting.machine import MachineCounter
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.decode.batch import Decoder
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.traces import SpanEncoder
from dashlight.records import Alert, Exchange
from dashlight.runtime.event_sampler import EventSampler
from dashlight.runtime.pipeline import Pipeline
from dashlight.runtime.publisher import Publishing
from dashlight.runtime.showing import Shows
from dashlight.store.learned import LearnedReferences
from dashlight.testing import FakeClock
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column
from dashlight.workers.member import Sharing

NUMBERS = count(1)
Person = dict[str, float]


def people(rng: np.random.Generator, rows: int) -> list[Person]:
    values = rng.normal(size=(rows, 5)).tolist()
    return [{f"x{place}": value for place, value in enumerate(row)} for row in values]


def asked(person: Mapping[str, object], agent: bytes = b"python-requests/2.31") -> Exchange:
    number = next(NUMBERS)
    request, response = json.dumps(person).encode(), json.dumps({"score": _score(person)}).encode()
    return Exchange(
        id=number,
        route="/predict",
        method="POST",
        path="/predict",
        query=b"",
        scheme="http",
        server=None,
        http_version="1.1",
        request_headers=((b"content-type", b"application/json"), (b"user-agent", agent)),
        response_headers=((b"content-type", b"application/json"),),
        status=200,
        error="",
        outcome="ok",
        started_at=1_700_000_000.0,
        first_byte_seconds=0.01,
        duration_seconds=0.02,
        request_bytes=len(request),
        response_bytes=len(response),
        request_chunks=(request,),
        response_chunks=(response,),
        trace_id=number,
        span_id=1,
        trace_flags=1,
        own_span=None,
    )


def _score(person: Mapping[str, object]) -> float:
    return round(sum(each for each in person.values() if isinstance(each, float)), 6)


class Served:
    """A pipeline without a collector, and the alerts in force."""

    def __init__(self, reference: Reference, *, cluster: str = "", **said: object) -> None:
        self.clock = FakeClock()
        policy = Policy(model="risk", reference_rows=600, **said)  # type: ignore[arg-type]
        learned = LearnedReferences(None)
        self.sharing = Sharing(policy, References(learned, reference), meeting=None, process="a", clock=self.clock)
        self.told: tuple[Alert, ...] = ()
        self.pipeline = Pipeline(
            decoder=Decoder(model="risk", version="", cluster=cluster),
            spans=SpanEncoder({}, "dashlight", "0"),
            delivery=Delivery(),
            publishing=Publishing(sampler=EventSampler(0.0), payloads=False, redacted=()),
            counter=MachineCounter("a", policy, References(learned, reference)),
            sharing=self.sharing,
            policy=policy,
            clock=self.clock,
            shows=Shows(figures=True),
        )

    def pane(self, exchanges: Sequence[Exchange]) -> None:
        for start in range(0, len(exchanges), 16):
            batch = exchanges[start : start + 16]
            self.pipeline.count(batch, self.pipeline.analyse(batch))
        self.clock.advance(10.0)
        self.pipeline.tick(self.clock.now(), lost={}, in_flight_count=0, rate=1.0)
        watch = self.sharing._watch
        self.told = () if watch is None else watch.in_force

    @property
    def alerts(self) -> dict[str, Alert]:
        return {alert.source: alert for alert in self.told if alert.state == "firing"}

    def figure(self, name: str) -> float:
        figures = self.sharing.own_figures
        return next((each.value for each in figures.figures if each.name == name), 0) if figures is not None else 0


@pytest.fixture(scope="module")
def reference() -> Reference:
    rng = np.random.default_rng(1)
    rows = people(rng, 3000)
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    scores = np.array([round(sum(row.values()), 6) for row in rows])
    return build_reference_from_columns({**columns, "score": scores}, {"score": "output"}, rng=rng, created_at=0.0)


@pytest.fixture
def served(reference: Reference) -> Iterator[Served]:
    made = Served(reference)
    yield made
    made.pipeline.close(1.0)


def test_a_retry_storm_is_one_event_with_its_traces_and_no_drift(served: Served) -> None:
    rng = np.random.default_rng(2)
    (lost,) = people(rng, 1)
    storm: set[str] = set()
    for pane in range(40):
        retries = [asked(lost) for _ in range(20)] if pane >= 20 else []
        storm.update(f"{each.trace_id:032x}" for each in retries)
        served.pane([*map(asked, people(rng, 40)), *retries])

    alerts = served.alerts

    assert set(alerts) == {"traffic"}
    assert alerts["traffic"].summary == "one payload was 33 % of the requests of /predict in a minute: it counts once"
    assert alerts["traffic"].exemplars
    assert set(alerts["traffic"].exemplars) <= storm
    # Totals are those of all.
    assert served.figure("dashlight.rows") == 40 * 40 + 20 * 20


def test_rows_of_probes_are_left_out_day_and_night_and_their_share_is_told(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    rng = np.random.default_rng(3)
    probes = people(rng, 3)
    for pane in range(60):
        rows = 30 if pane < 30 else 1
        served.pane([
            *map(asked, people(rng, rows)),
            *(asked(probe, b"Mozilla/5.0+(compatible; UptimeRobot/2.0)") for probe in probes),
        ])  # fmt: skip

    assert served.alerts == {}
    assert served.figure("dashlight.rows.excluded") == 180
    assert served.figure("dashlight.rows") == 30 * 30 + 30 + 180
    told = [message for message in caplog.messages if "DASHLIGHT_EXCLUDED_AGENTS" in message]
    assert told == [
        "/predict: 9.1 % of the rows come by agents of DASHLIGHT_EXCLUDED_AGENTS and are not judged; told once"
    ]


def test_none_leaves_nobody_out(reference: Reference) -> None:
    served = Served(reference, excluded_agents=("none",))
    rng = np.random.default_rng(4)

    served.pane([asked(each, b"kube-probe/1.29") for each in people(rng, 30)])

    assert served.figure("dashlight.rows.excluded") == 0
    served.pipeline.close(1.0)


def test_rows_of_one_session_count_as_they_are_worth_although_its_key_is_an_id() -> None:
    rng = np.random.default_rng(5)
    rows = people(rng, 3000)
    columns: dict[str, Column] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    scores = np.array([_score(row) for row in rows])
    sessions = [f"s{number}" for number in range(3000)]
    reference = build_reference_from_columns(
        {**columns, "session_id": sessions, "score": scores}, {"score": "output"}, rng=rng, created_at=0.0, cluster="session_id"
    )  # fmt: skip
    served = Served(reference, cluster="session_id")
    (loud,) = people(rng, 1)
    for pane in range(40):
        own = [{**person, "session_id": f"{pane}-{number}"} for number, person in enumerate(people(rng, 40))]
        # Nearly the same again and again, as one user has it: no repeats, and no thirty rows either.
        same = [{name: value + 1e-3 * rng.normal() for name, value in loud.items()} for _ in range(30)]
        theirs = [{**person, "session_id": "loud"} for person in same] if pane >= 20 else []
        served.pane([asked(each) for each in own + theirs])

    assert served.alerts == {}
    assert served.figure("dashlight.rows") == 40 * 40 + 20 * 30
    served.pipeline.close(1.0)
