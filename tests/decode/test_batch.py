import json
import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dashlight.decode.batch import MAX_LANES, MAX_PATHS, DecodedBatch, Decoder
from dashlight.decode.exchange import decode_exchange
from dashlight.decode.rows.columns import Sheet
from dashlight.records import Exchange, Prediction, Table

Make = Callable[..., Exchange]
Row = tuple[int, dict[str, object]]


def rows_of(table: Table) -> list[Row]:
    """Each row's exchange and its cells by name, without nulls, ints as floats."""
    numbers = dict(zip(table.number_names, table.numbers.tolist(), strict=True))
    columns = {**numbers, **dict(zip(table.cell_names, table.cells, strict=True))}
    return [
        (int(place), present({name: column[row] for name, column in columns.items()}))
        for row, place in enumerate(table.exchange)
    ]


def rows_of_sheet(place: int, sheet: Sheet | None) -> list[Row]:
    """Likewise, of one exchange that was decoded by itself."""
    if sheet is None:
        return []
    return [(place, present(dict(zip(sheet.names, row, strict=True)))) for row in sheet.values]


def present(cells: dict[str, object]) -> dict[str, object]:
    return {name: float(cell) if type(cell) is int else cell for name, cell in cells.items() if not is_null(cell)}


def is_null(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def only(batch: DecodedBatch) -> Prediction:
    (prediction,) = batch.predictions
    return prediction


def decoder() -> Decoder:
    return Decoder(model="churn", version="1")


def test_a_batch_of_usual_exchanges_is_one_prediction(exchange: Make) -> None:
    exchanges = [exchange({"age": at, "city": "Oslo"}, {"p": at / 10, "label": "a"}) for at in range(5)]

    prediction = only(decoder().decode(exchanges))

    assert (prediction.endpoint, prediction.model, prediction.version) == ("/predict", "churn", "1")
    assert prediction.protocol == "plain"
    assert prediction.features.number_names == ("age",)
    assert prediction.features.numbers.tolist() == [[0, 1, 2, 3, 4]]
    assert [list(column) for column in prediction.features.cells] == [["Oslo"] * 5]
    assert prediction.outputs.numbers.tolist() == [[0, 0.1, 0.2, 0.3, 0.4]]
    assert prediction.outputs.exchange.tolist() == [0, 1, 2, 3, 4]


def test_later_batches_are_read_by_a_plan_and_come_to_the_same(exchange: Make) -> None:
    subject = decoder()
    exchanges = [exchange({"age": at, "city": "Oslo"}, {"p": at / 10, "label": "a"}) for at in range(5)]

    first, second = only(subject.decode(exchanges)), only(subject.decode(exchanges))

    assert rows_of(first.features) == rows_of(second.features)
    assert rows_of(first.outputs) == rows_of(second.outputs)


def test_a_body_that_does_not_fit_the_plan_lands_in_the_same_table(exchange: Make) -> None:
    subject = decoder()
    usual = [exchange({"age": at, "n": 1}, {"p": 0.5}) for at in range(4)]
    subject.decode(usual)

    batch = subject.decode([usual[0], exchange({"age": "old", "n": 2, "extra": True}, {"p": 0.25}), usual[2]])

    prediction = only(batch)
    assert prediction.features.number_names == ("n",)
    assert rows_of(prediction.features) == [
        (0, {"age": 0.0, "n": 1.0}),
        (1, {"age": "old", "n": 2.0, "extra": True}),
        (2, {"age": 2.0, "n": 1.0}),
    ]
    assert prediction.outputs.numbers.tolist() == [[0.5, 0.25, 0.5]]


def test_a_body_cannot_smuggle_a_second_row_in(exchange: Make) -> None:
    subject = decoder()
    usual = [exchange({"age": 1}, {"p": 0.5})]
    subject.decode(usual)

    batch = subject.decode([*usual, exchange(b'{"age": 1},{"age": 2}', {"p": 0.5})])

    assert only(batch).features.rows == 1
    assert batch.undecodable == [(1, "invalid_json")]


def test_bodies_in_several_pieces_are_read(exchange: Make) -> None:
    subject = decoder()
    whole = exchange({"age": 1}, {"p": 0.5})
    pieces = Exchange(
        **{name: getattr(whole, name) for name in whole.__struct_fields__}
        | {"request_chunks": (b'{"ag', b'e": 2}'), "response_chunks": (b'{"p"', b": 0.25}")}
    )
    subject.decode([whole])

    prediction = only(subject.decode([whole, pieces]))

    assert prediction.features.numbers.tolist() == [[1, 2]]
    assert prediction.outputs.numbers.tolist() == [[0.5, 0.25]]


@pytest.mark.parametrize("rounds", [1, 2], ids=["without a plan", "with a plan"])
def test_failed_exchanges_give_no_rows(exchange: Make, rounds: int) -> None:
    subject = decoder()
    good = exchange({"age": 1}, {"p": 0.5})
    bad = [
        exchange({"age": 2}, {"detail": "no"}, status=500),
        exchange({"age": 3}, {"p": 0.5}, outcome="client_disconnect"),
        exchange({"age": 4}, b"", status=0, outcome="error", error="ValueError"),
        exchange({"age": 5}, {"error": "nothing found"}),
    ]

    for _ in range(rounds):
        batch = subject.decode([good, *bad])

    assert rows_of(only(batch).features) == [(0, {"age": 1.0})]
    assert rows_of(only(batch).outputs) == [(0, {"p": 0.5})]
    assert batch.failures == [(4, "model")]


def test_an_answer_that_denies_itself_by_a_truth_value_is_a_failure(exchange: Make) -> None:
    subject = decoder()
    good = exchange({"age": 1}, {"p": 0.5, "success": True})
    bad = exchange({"age": 2}, {"p": -1, "success": False})
    subject.decode([good])

    batch = subject.decode([good, bad, good])
    nothing = subject.decode([bad])

    assert rows_of(only(batch).features) == [(0, {"age": 1.0}), (2, {"age": 1.0})]
    assert batch.failures == [(1, "model")]
    assert list(nothing.predictions) == []
    assert nothing.failures == [(0, "model")]


def test_what_asks_no_model_leaves_nothing(exchange: Make) -> None:
    batch = decoder().decode(
        [
            exchange(b"", {"status": "ok"}, method="GET", path="/health"),
            exchange({"user": "a"}, {"token": "x"}, path="/login"),
            exchange({"user": "a"}, {"detail": "no"}, path="/login", status=401),
            exchange({"x": 1}, {"detail": "Not Found"}, path="/.env", route="unmatched", status=404),
        ]
    )

    assert (batch.predictions, batch.failures, batch.undecodable) == ([], [], [])


def test_an_answer_that_cannot_be_read_leaves_the_features(exchange: Make) -> None:
    batch = decoder().decode([exchange({"x": 1}, b"<html>", answer_headers={"content-type": "text/html"})])

    assert rows_of(only(batch).features) == [(0, {"x": 1.0})]
    assert only(batch).outputs.rows == 0
    assert batch.undecodable == [(0, "unsupported_media_type")]


def test_undecodable_exchanges_have_their_reason(exchange: Make) -> None:
    batch = decoder().decode([exchange(b"{", {"y": 1}), exchange(b"", {"y": 1}), exchange(b"", {"y": 1})])

    assert batch.undecodable == [(0, "invalid_json"), (1, "empty_body"), (2, "empty_body")]


@pytest.mark.parametrize("rounds", [1, 2], ids=["without a plan", "with a plan"])
def test_rows_are_parted_by_endpoint_model_and_version(exchange: Make, rounds: int) -> None:
    subject = decoder()
    exchanges = [
        exchange({"x": 1}, {"y": 1, "model": "a", "version": "7"}),
        exchange({"x": 2}, {"y": 2, "model": "b", "version": "7"}),
        exchange({"x": 3}, {"y": 3, "model": "a", "version": "7"}),
        exchange({"x": 4}, {"y": 4, "model": None, "version": None}),
        exchange(
            {"instances": [[5]]}, {"predictions": [5]}, path="/v1/models/c:predict", route="/v1/models/{m}:predict"
        ),
        exchange(
            {"instances": [[6]]}, {"predictions": [6]}, path="/v1/models/d:predict", route="/v1/models/{m}:predict"
        ),
    ]

    for _ in range(rounds):
        batch = subject.decode(exchanges)

    assert {
        (prediction.endpoint, prediction.model, prediction.version): (
            prediction.features.numbers.tolist(),
            prediction.features.exchange.tolist(),
        )
        for prediction in batch.predictions
    } == {
        ("/predict", "a", "7"): ([[1, 3]], [0, 2]),
        ("/predict", "b", "7"): ([[2]], [1]),
        ("/predict", "churn", "1"): ([[4]], [3]),
        ("/v1/models/{m}:predict", "c", "1"): ([[5]], [4]),
        ("/v1/models/{m}:predict", "d", "1"): ([[6]], [5]),
    }


def test_a_model_may_be_told_without_a_version(exchange: Make) -> None:
    subject = decoder()
    exchanges = [exchange({"x": 1}, {"y": 1, "model": "a"}), exchange({"x": 2}, {"y": 2, "model": "b"})]
    versions = [exchange({"x": 1}, {"y": 1, "version": "2"}, path="/other")]
    subject.decode([*exchanges, *versions])

    batch = subject.decode([*exchanges, *versions])

    assert [(it.model, it.version) for it in batch.predictions] == [("a", "1"), ("b", "1"), ("churn", "2")]


def test_batches_within_one_exchange_have_several_rows(exchange: Make) -> None:
    prediction = only(decoder().decode([exchange([{"x": 1}, {"x": 2}], [0, 1]), exchange([{"x": 3, "k": "a"}], [0])]))

    assert prediction.features.exchange.tolist() == [0, 0, 1]
    assert rows_of(prediction.features) == [(0, {"x": 1.0}), (0, {"x": 2.0}), (1, {"x": 3.0, "k": "a"})]


@pytest.mark.parametrize("rounds", [1, 2], ids=["without a plan", "with a plan"])
def test_ignored_columns_are_left_out_of_both_tables(exchange: Make, rounds: int) -> None:
    subject = Decoder(model="", version="", ignore=["zip*", "took"])
    for _ in range(rounds):
        prediction = only(subject.decode([exchange({"zip": "0150", "x": 1, "zip_b": 2}, {"y": 1, "took": 3})]))

    assert prediction.features.number_names == ("x",)
    assert prediction.features.cell_names == ()
    assert prediction.outputs.number_names == ("y",)


@pytest.mark.parametrize("rounds", [1, 2], ids=["without a plan", "with a plan"])
def test_no_table_holds_a_secret(exchange: Make, rounds: int) -> None:
    canary = "hunter2-4111111111111111"
    body = {"age": 1, "password": canary, "email": canary, "auth": {"api_key": canary}, "phone": 4798765432}
    nested = {"age": 1, "items": [{"token": canary}, {"token": canary}]}
    subject = decoder()
    for _ in range(rounds):
        batch = subject.decode([exchange(body, {"y": 1}), exchange(nested, {"y": 1})])

    assert canary not in repr([p.features.cells for p in batch.predictions])
    assert 4798765432.0 not in only(batch).features.numbers
    assert "email" in only(batch).features.cell_names


def test_numbers_of_a_query_are_numbers(exchange: Make) -> None:
    prediction = only(decoder().decode([exchange(b"", {"y": 1}, method="GET", query=b"sl=5.1&kind=a")]))

    assert prediction.features.number_names == ("sl",)
    assert prediction.features.numbers.tolist() == [[5.1]]


def test_one_path_may_belong_to_several_routes(exchange: Make) -> None:
    subject = decoder()
    exchanges = [exchange({"x": 1}, {"y": 1}, route=route) for route in ("/a", "/b", "/a", "/b")]
    subject.decode(exchanges)

    batch = subject.decode(exchanges)

    assert [(it.endpoint, it.features.rows) for it in batch.predictions] == [("/a", 2), ("/b", 2)]


def test_what_is_remembered_of_paths_and_routes_is_bounded(exchange: Make) -> None:
    subject = decoder()
    ids = [exchange({"x": 1}, {"y": 1}, path=f"/predict/{at}", route="/predict/{id}") for at in range(MAX_PATHS + 5)]
    routes = [exchange({"x": 1}, {"y": 1}, path=f"/r{at}") for at in range(MAX_LANES + 5)]
    long = [exchange({"x": 1}, {"y": 1}, path="/p" * 500)]

    for exchanges in (ids, routes, long, ids):
        batch = subject.decode(exchanges)
        assert sum(prediction.features.rows for prediction in batch.predictions) == len(exchanges)

    assert len(subject._lanes) <= MAX_LANES
    assert len(subject._lane_of_path) <= MAX_PATHS


def test_a_route_whose_bodies_keep_changing_is_read_all_the_same(exchange: Make) -> None:
    subject = decoder()

    for at in range(50):
        exchanges = [exchange({f"k{at}_{n}": {"a": n}}, {"y": n}) for n in range(20)]
        assert only(subject.decode(exchanges)).features.rows == 20


def test_an_empty_batch_is_empty() -> None:
    batch = decoder().decode([])

    assert (batch.predictions, batch.failures, batch.undecodable) == ([], [], [])


numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=4)
keys = st.sampled_from(["a", "b", "v", "id", "p", "model", "version", "success", "error", "status", "message", "data"])
inner = (
    st.lists(scalars, max_size=3)
    | st.dictionaries(keys, scalars, max_size=2)
    | st.lists(st.dictionaries(keys, scalars, max_size=2), max_size=2)
)
odd = st.dictionaries(keys, scalars | inner, max_size=4) | scalars | inner
usual_requests = st.one_of(
    st.fixed_dictionaries({"a": numbers, "b": st.none() | st.text(max_size=4)}, optional={"id": scalars, "v": scalars}),
    st.fixed_dictionaries({"a": numbers, "v": st.lists(numbers, min_size=2, max_size=2)}),
    st.fixed_dictionaries({"data": st.lists(numbers, min_size=2, max_size=2)}),
    st.fixed_dictionaries({"instances": st.lists(st.fixed_dictionaries({"a": numbers}), min_size=1, max_size=1)}),
)
usual_answers = st.one_of(
    st.fixed_dictionaries({"p": numbers}, optional={"model": st.sampled_from(["m", "n", None]), "id": scalars}),
    st.fixed_dictionaries({"p": numbers, "success": st.booleans(), "error": st.none() | st.booleans()}),
    st.fixed_dictionaries({"p": numbers, "status": st.sampled_from(["ok", "FAILED"]), "message": st.none()}),
    st.fixed_dictionaries({"predictions": st.lists(numbers, min_size=1, max_size=2)}),
    numbers,
)
pairs_of = st.lists(st.tuples(usual_requests, usual_answers), min_size=1, max_size=6)


@settings(max_examples=200, deadline=None)
@given(
    pairs_of,
    st.lists(st.tuples(usual_requests | odd, usual_answers | odd), max_size=4),
    st.sampled_from(["/predict", "/v1/models/m:predict"]),
)
def test_a_batch_comes_to_what_its_exchanges_come_to(
    exchange: Make, first: Sequence[tuple[object, object]], others: Sequence[tuple[object, object]], path: str
) -> None:
    usual = [exchange(asked, answer, path=path) for asked, answer in first]
    exchanges = [
        *usual,
        *(exchange(json.dumps(asked).encode(), json.dumps(answer).encode(), path=path) for asked, answer in others),
    ]
    subject = decoder()
    subject.decode(usual[:1])
    subject.decode(usual)

    batch = subject.decode(exchanges)

    expected: dict[tuple[str, str, str], tuple[list[Row], list[Row]]] = {}
    failures: list[tuple[int, str]] = []
    for place, each in enumerate(exchanges):
        decoded = decode_exchange(each, model="churn", version="1")
        if decoded.error is not None:
            failures.append((place, decoded.error.kind))
        elif decoded.features is not None:
            # Whether an output is an input that comes back is told over all of a batch, see test_rows_found_again.
            answered = () if decoded.outputs is None else decoded.outputs.names
            assume(not {*decoded.features.names} & {*answered})
            features, outputs = expected.setdefault((decoded.model, decoded.version, decoded.protocol), ([], []))
            features.extend(rows_of_sheet(place, decoded.features))
            outputs.extend(rows_of_sheet(place, decoded.outputs))
    assert {
        (it.model, it.version, it.protocol): (rows_of(it.features), rows_of(it.outputs)) for it in batch.predictions
    } == expected
    assert sorted(batch.failures) == failures


@pytest.mark.parametrize("rounds", [1, 3], ids=["without a plan", "with a plan"])
def test_listed_columns_alone_are_kept_ids_among_them(exchange: Make, rounds: int) -> None:
    subject = Decoder(
        model="churn", version="1", features=["age", "shop_id", "api_key", "x"], prediction=["p*"], ignore=["p_low"]
    )
    asked = {"age": 1, "city": "Oslo", "shop_id": 7, "api_key": "s", "x": [1, 2]}
    exchanges = [exchange(asked, {"p": 0.5, "p_low": 0.25, "label": "a"})] * 3
    for _ in range(rounds):
        prediction = only(subject.decode(exchanges))

    assert rows_of(prediction.features) == [
        (at, {"age": 1.0, "shop_id": 7.0, "x[0]": 1.0, "x[1]": 2.0}) for at in (0, 1, 2)
    ]
    assert rows_of(prediction.outputs) == [(at, {"p": 0.5}) for at in (0, 1, 2)]
    assert next(iter(subject._lanes.values())).plan is not None


@pytest.mark.parametrize("rounds", [1, 3], ids=["without a plan", "with a plan"])
@pytest.mark.parametrize("features", [(), ("age",)], ids=["all", "listed"])
def test_the_column_by_which_rows_hang_together_is_kept_although_it_is_an_id(
    exchange: Make, rounds: int, features: tuple[str, ...]
) -> None:
    subject = Decoder(model="churn", version="1", features=features, cluster="session_id")
    exchanges = [exchange({"age": 1, "session_id": f"s{number}", "user_id": 7}, {"p": 0.5}) for number in range(3)]
    for _ in range(rounds):
        prediction = only(subject.decode(exchanges))

    assert rows_of(prediction.features) == [(at, {"age": 1.0, "session_id": f"s{at}"}) for at in range(3)]
    ignoring = Decoder(model="churn", version="1", ignore=["session*"], cluster="session_id")
    assert rows_of(only(ignoring.decode(exchanges)).features) == [(at, {"age": 1.0}) for at in range(3)]


def test_listed_ids_of_many_rows_go_with_their_rows(exchange: Make) -> None:
    rows = [{"age": 1, "shop_id": "a"}, {"age": 2, "shop_id": "b"}]
    columnar = {"age": [1, 2], "shop_id": ["a", "b"]}
    tensors = [
        {"name": "age", "shape": [2], "datatype": "INT64", "data": [1, 2]},
        {"name": "shop_id", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]},
    ]
    subject = Decoder(model="", version="", features=["*"])

    batches = [subject.decode([exchange(each, {"y": [1, 2]})]) for each in (rows, columnar, {"inputs": tensors})]

    for batch in batches:
        assert rows_of(only(batch).features) == [(0, {"age": 1.0, "shop_id": "a"}), (0, {"age": 2.0, "shop_id": "b"})]


def test_what_is_known_of_a_language_model_is_told_by_place(exchange: Make) -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    answered = {"choices": [{"message": {"content": "Well"}, "finish_reason": "stop"}]}

    batch = decoder().decode([exchange({"a": 1}, {"y": 1}), exchange(asked, answered, path="/v1/chat/completions")])

    assert {place: facts.requested_model for place, facts in batch.generations.items()} == {1: "m"}


def test_a_body_of_json_lines_keeps_its_columns_in_later_batches(exchange: Make) -> None:
    lines = {"content-type": "application/jsonlines"}
    exchanges = [
        exchange(b'{"features": [1, 2, %d]}\n' % at, b'{"score": 0.5}\n', headers=lines, answer_headers=lines)
        for at in range(64)
    ]
    reader = decoder()

    first, second = only(reader.decode(exchanges)), only(reader.decode(exchanges))

    assert second.protocol == first.protocol
    assert second.features.number_names == first.features.number_names
    assert rows_of(second.features) == rows_of(first.features)


def test_an_answer_that_a_language_model_gave_before_is_marked(exchange: Make) -> None:
    asked = {"model": "gpt", "messages": [{"role": "user", "content": "Where is Oslo?"}]}
    said = ["Oslo lies in the south of Norway.", "Oslo is the capital of Norway.", "Oslo lies in the south of Norway."]
    exchanges = [
        exchange(
            asked,
            {"choices": [{"index": 0, "message": {"content": text}, "finish_reason": "stop"}]},
            path="/v1/chat/completions",
        )
        for text in said
    ]

    outputs = only(decoder().decode(exchanges)).outputs

    assert list(outputs.cells[outputs.cell_names.index("repeated_answer")]) == [False, False, True]
