from collections.abc import Callable

import pytest

from dashlight.decode.batch import DecodedBatch, Decoder
from dashlight.decode.failed import MOST_READ
from dashlight.records import Exchange, Prediction, Table

Make = Callable[..., Exchange]
DETAIL = {"detail": [{"loc": ["body", "age"], "msg": "Field required", "type": "missing"}]}


@pytest.fixture
def planned(exchange: Make) -> Decoder:
    """A decoder that reads the usual exchange of its endpoint by a plan."""
    subject = Decoder(model="churn", version="1", columns={"old": "new"})
    for _ in range(2):
        subject.decode([exchange({"age": at, "city": "Oslo", "old": 1}, {"p": at / 10}) for at in range(5)])
    lane = subject.lane_of(exchange())
    assert lane is not None
    assert lane.plan is not None
    return subject


def only_failed(batch: DecodedBatch) -> Prediction:
    (failed,) = batch.failed
    return failed


def cells_of(table: Table, name: str) -> list[object]:
    if name in table.number_names:
        return list(table.numbers[table.number_names.index(name)].tolist())
    return list(table.cells[table.cell_names.index(name)])


def test_what_failed_exchanges_asked_stands_apart_from_the_rows_of_the_model(planned: Decoder, exchange: Make) -> None:
    batch = planned.decode(
        [
            exchange({"age": 1, "city": "Oslo", "old": 1}, {"p": 0.5}),
            exchange({"age": 2, "city": "Bonn", "old": 2}, b"oops", status=500, outcome="error"),
            exchange({"age": 3, "city": "Rome", "old": 3}, b"", status=0, outcome="error", error="ValueError"),
        ]
    )

    failed = only_failed(batch)
    (prediction,) = batch.predictions
    assert prediction.features.exchange.tolist() == [0]
    assert (failed.endpoint, failed.model, failed.version) == ("/predict", "churn", "1")
    assert failed.features.exchange.tolist() == [1, 2]
    assert cells_of(failed.features, "age") == [2, 3]
    assert cells_of(failed.features, "city") == ["Bonn", "Rome"]
    assert cells_of(failed.features, "new") == [2, 3]
    assert failed.outputs.rows == 0
    assert batch.failures == []
    assert batch.unread == []


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_what_refused_exchanges_asked_is_read_where_it_can_be(exchange: Make, status: int) -> None:
    batch = Decoder(model="churn", version="1").decode(
        [
            exchange({"city": "Oslo"}, DETAIL, status=status, outcome="refused"),
            exchange(b'{"city": "Os', DETAIL, status=status, outcome="refused"),
        ]
    )

    assert cells_of(only_failed(batch).features, "city") == ["Oslo"]
    assert batch.unread == [1]
    assert batch.predictions == []


def test_an_error_inside_a_good_answer_stands_with_what_failed(planned: Decoder, exchange: Make) -> None:
    batch = planned.decode([exchange({"age": 1, "city": "Oslo", "old": 1}, {"error": "no model"})])

    assert [place for place, _ in batch.failures] == [0]
    assert cells_of(only_failed(batch).features, "city") == ["Oslo"]


@pytest.mark.parametrize(
    "others",
    [
        {"status": 404},
        {"status": 401},
        {"outcome": "client_disconnect"},
        {"outcome": "cancelled"},
    ],
    ids=["not found", "unauthorised", "disconnect", "cancelled"],
)
def test_what_neither_failed_nor_was_refused_is_not_read(
    planned: Decoder, exchange: Make, others: dict[str, object]
) -> None:
    batch = planned.decode([exchange({"age": 1, "city": "Oslo", "old": 1}, b"", **others)])

    assert batch.failed == []
    assert batch.unread == []


def test_a_request_that_asks_no_model_is_no_failed_one(exchange: Make) -> None:
    batch = Decoder(model="", version="").decode(
        [exchange(b"", b"oops", method="GET", path="/docs", status=500, outcome="error")]
    )

    assert batch.failed == []
    assert batch.unread == []


def test_rows_of_a_batch_that_failed_are_all_there(exchange: Make) -> None:
    rows = {"instances": [{"age": 1}, {"age": 2}, {"age": 3}]}

    batch = Decoder(model="churn", version="1").decode([exchange(rows, b"", status=503, outcome="error")])

    assert only_failed(batch).features.exchange.tolist() == [0, 0, 0]
    assert cells_of(only_failed(batch).features, "age") == [1, 2, 3]


def test_a_storm_of_requests_without_a_field_is_read_by_a_plan_of_its_own(planned: Decoder, exchange: Make) -> None:
    storm = [
        exchange({"city": f"c{at % 7}", "old": at}, DETAIL, status=422, outcome="refused")
        for at in range(4 * MOST_READ)
    ]
    first, second = planned.decode(storm), planned.decode(storm)

    assert len(first.unread) == 3 * MOST_READ
    assert second.unread == []
    failed = only_failed(second).features
    assert cells_of(failed, "city") == [f"c{at % 7}" for at in range(4 * MOST_READ)]
    assert cells_of(failed, "new")[:MOST_READ] == cells_of(only_failed(first).features, "new")


def test_a_storm_of_bodies_that_nobody_can_read_costs_few_attempts(planned: Decoder, exchange: Make) -> None:
    storm = [exchange(b'{"city": [[', b"", status=400, outcome="refused") for _ in range(10 * MOST_READ)]

    batches = [planned.decode(storm) for _ in range(3)]

    assert [batch.unread for batch in batches] == [list(range(10 * MOST_READ))] * 3
    assert [batch.failed for batch in batches] == [[]] * 3


def test_the_plan_of_good_exchanges_is_left_as_it_was(planned: Decoder, exchange: Make) -> None:
    lane = planned.lane_of(exchange())
    assert lane is not None
    plan = lane.plan

    for _ in range(4):
        planned.decode([exchange({"city": 7}, DETAIL, status=422, outcome="refused") for _ in range(100)])

    assert lane.plan is plan


def test_a_failure_on_a_path_that_nobody_answered_well_is_remembered_nowhere(exchange: Make) -> None:
    subject = Decoder(model="", version="")

    subject.decode([exchange({"a": 1}, b"", path="/new", status=500, outcome="error")])

    assert subject.lane_of(exchange(path="/new")) is None


def test_storms_on_paths_that_nobody_answered_well_are_read_in_part(exchange: Make) -> None:
    storm = [exchange({"a": at}, b"", path=f"/p{at}", status=500, outcome="error") for at in range(3 * MOST_READ)]

    batch = Decoder(model="", version="").decode(storm)

    assert sum(each.features.rows for each in batch.failed) == MOST_READ
    assert batch.unread == list(range(MOST_READ, 3 * MOST_READ))


def test_what_failed_in_a_batch_of_many_rows_is_read_where_good_ones_are_such_batches(exchange: Make) -> None:
    subject = Decoder(model="churn", version="1")
    rows = {"instances": [{"age": 1}, {"age": 2}]}
    good = [exchange(rows, {"predictions": [0.1, 0.2]}) for _ in range(4)]
    bad = [exchange(rows, b"", status=500, outcome="error") for _ in range(3 * MOST_READ)]

    batches = [subject.decode([*bad, *good]) for _ in range(3)]

    assert [batch.unread for batch in batches] == [[], [], []]


def test_failures_that_come_before_the_first_good_answer_are_read_as_it_is(exchange: Make) -> None:
    bad = [exchange({"age": at}, b"", status=500, outcome="error") for at in range(3 * MOST_READ)]

    batch = Decoder(model="churn", version="1").decode([*bad, exchange({"age": 1}, {"p": 0.5})])

    assert batch.unread == []


def test_where_good_exchanges_are_read_the_general_way_all_that_failed_are_read(exchange: Make) -> None:
    subject = Decoder(model="churn", version="1")
    nested = [exchange({f"k{at}": [1, {"b": 2}], "age": at}, {"p": 0.5}) for at in range(40)]
    subject.decode(nested)
    lane = subject.lane_of(exchange())
    assert lane is not None
    assert lane.plan is None

    batch = subject.decode([exchange({"age": at}, b"", status=500, outcome="error") for at in range(3 * MOST_READ)])

    assert batch.unread == []
