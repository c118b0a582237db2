import math
import tracemalloc

import pytest

from dashlight.decode.formats.attachments import Attachment
from dashlight.decode.protocols.kserve_v2 import PROTOCOL
from dashlight.decode.rows.budget import MAX_CELLS, MAX_COLUMNS, MAX_ROWS
from dashlight.decode.rows.reading import ABSENT, Content, Place, Reading
from dashlight.errors import DecodeError
from dashlight.records import Cell

IRIS = Place(is_prediction=True, protocol="kserve_v2", model="iris", version="2", why="")
NOWHERE = Place(is_prediction=True, protocol="", model="", version="", why="")


def content(value: object) -> Content:
    return Content(b"", "application/json", (), value)


def read(request: object, answer: object = ABSENT, place: Place = IRIS) -> Reading:
    return PROTOCOL.read(content(request), None if answer is ABSENT else content(answer), place)


def tensor(name: str, shape: object, data: object, datatype: str = "FP64") -> dict[str, object]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


@pytest.mark.parametrize(
    ("inputs", "names", "values"),
    [
        pytest.param([tensor("x", [2, 2], [1, 2, 3, 4])], ("x[0]", "x[1]"), [[1, 2], [3, 4]], id="flat data"),
        pytest.param([tensor("x", [2, 2], [[1, 2], [3, 4]])], ("x[0]", "x[1]"), [[1, 2], [3, 4]], id="nested data"),
        pytest.param([tensor("x", [2, 1, 2], [1, 2, 3, 4])], ("x[0]", "x[1]"), [[1, 2], [3, 4]], id="three dimensions"),
        pytest.param([tensor("x", [2], [1, 2])], ("x",), [[1], [2]], id="a vector is a column"),
        pytest.param([tensor("x", [2, 1], [1, 2])], ("x",), [[1], [2]], id="a matrix of one column"),
        pytest.param([tensor("x", [], [7])], ("x",), [[7]], id="a scalar"),
        pytest.param([tensor("", [2], [1, 2])], ("0",), [[1], [2]], id="without a name"),
        pytest.param([tensor("x", [0, 4], [])], ("x[0]", "x[1]", "x[2]", "x[3]"), [], id="no rows"),
        pytest.param(
            [tensor("a", [2, 1], [1, 2]), tensor("b", [2, 1], ["u", "v"], "BYTES")],
            ("a", "b"),
            [[1, "u"], [2, "v"]],
            id="a tensor a column",
        ),
        pytest.param([tensor("x", [1, 300], [0.5] * 300)], ("x",), [[[0.5] * 300]], id="a long vector is one cell"),
        pytest.param([tensor("a", [1], [1]), tensor("a", [1], [2])], ("a",), [[2]], id="the last of equal names"),
        pytest.param([tensor("user_id", [1], [7]), tensor("x", [1], [2])], ("x",), [[2]], id="an id"),
        pytest.param([tensor("user_id", [2], [7, 8])], (), [[], []], id="nothing but an id"),
        pytest.param([tensor("x", [1], [{"token": "abc"}])], ("x",), [[{"token": "[redacted]"}]], id="a credential"),
        pytest.param([], (), [], id="no tensors"),
    ],
)
def test_tensors_become_columns(inputs: object, names: tuple[str, ...], values: list[list[Cell]]) -> None:
    features = read({"inputs": inputs}).features

    assert features.names == names
    assert [list(row) for row in features.values] == values
    assert "shape_mismatch" not in features.flags


@pytest.mark.parametrize(
    ("inputs", "values"),
    [
        pytest.param([tensor("x", [3], [True])], [[True]], id="the example of the specification"),
        pytest.param([tensor("x", [2, 2], [1, 2, 3])], [[1, 2], [3, None]], id="too few elements"),
        pytest.param([tensor("x", [2, 2], [[1, 2], [3, 4], [5, 6]])], [[1, 2], [3, 4], [5, 6]], id="a row too many"),
        pytest.param([tensor("x", [2], [[1, 2], [3, 4]])], [[1, 2], [3, 4]], id="a dimension too few"),
        pytest.param([tensor("x", [10**12], [1, 2])], [[1], [2]], id="a million millions"),
        pytest.param([tensor("x", [10**12, 10**12], [1, 2])], [[1, 2]], id="twice"),
        pytest.param([tensor("x", [-1, 2], [1, 2])], [[1], [2]], id="a negative dimension"),
        pytest.param([tensor("x", "2", [1, 2])], [[1], [2]], id="no list"),
        pytest.param([tensor("x", [2.0], [1, 2])], [[1], [2]], id="no ints"),
        pytest.param([tensor("x", [1] * 20, [1, 2])], [[1], [2]], id="twenty dimensions"),
        pytest.param([tensor("x", [2, 2], [])], [], id="no data"),
        pytest.param([tensor("a", [2], [1, 2]), tensor("b", [3], [3, 4, 5])], [[1, 3], [2, 4]], id="more rows"),
        pytest.param(
            [tensor("a", [3], [1, 2, 3]), tensor("b", [2], [4, 5])], [[1, 4], [2, 5], [3, None]], id="fewer rows"
        ),
        pytest.param([tensor("a", [2], [1, 2]), tensor("k", [1], [5])], [[1, 5], [2, 5]], id="one for all"),
    ],
)
def test_a_shape_that_does_not_fit_is_flagged_and_what_is_there_counts(
    inputs: object, values: list[list[Cell]]
) -> None:
    features = read({"inputs": inputs}).features

    assert [list(row) for row in features.values] == values
    assert "shape_mismatch" in features.flags


def test_a_declared_size_is_never_allocated() -> None:
    tracemalloc.start()
    read({"inputs": [tensor("x", [10**12, 10**12], [1.0])]})
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak_bytes < 1 << 20


def test_32_bit_floats_are_read_as_they_were_written() -> None:
    data = [5.099999904632568, 0.20000000298023224, 16777216.0, 1, math.inf, 1.23456789, 0.0]

    features = read({"inputs": [tensor("x", [7], data, "FP32")]}).features

    assert [row[0] for row in features.values] == [5.1, 0.2, 16777216.0, 1, math.inf, 1.23456789, 0.0]


def test_many_32_bit_floats_are_read_in_one_go() -> None:
    data = [5.099999904632568, 0.20000000298023224] * 20

    features = read({"inputs": [tensor("x", [20, 2], data, "FP32")]}).features

    assert [list(row) for row in features.values] == [[5.1, 0.2]] * 20


def test_bytes_in_base64_are_what_they_stand_for() -> None:
    entry = {**tensor("x", [3], ["Y2F0", "//79", "no base64!"], "BYTES"), "parameters": {"content_type": "base64"}}

    features = read({"inputs": [entry]}).features

    assert [row[0] for row in features.values] == [{"bytes": 3}, {"bytes": 3}, "no base64!"]


def test_rows_that_only_the_model_knows_leave_the_answer_readable() -> None:
    shared = {"name": "x", "shape": [2, 2], "datatype": "FP32", "parameters": {"shared_memory_region": "r"}}
    answer = outputs(tensor("y", [2], [0, 1]))

    for asked in (Attachment(bytes=16), {"inputs": [shared]}):
        reading = read(asked, answer)
        assert (reading.features.names, list(reading.features.values)) == ((), [])
        assert reading.outputs is not None
        assert [list(row) for row in reading.outputs.values] == [[0], [1]]
        assert reading.flags == {"opaque_request"}


def test_how_tensors_travel_is_no_parameter_of_the_model() -> None:
    asked = {"inputs": [tensor("x", [1], [1])], "parameters": {"binary_data_output": True, "k": 1}}

    assert read(asked).params == {"k": 1}


def test_64_bit_floats_stay_as_they_are() -> None:
    features = read({"inputs": [tensor("x", [1], [5.099999904632568])]}).features

    assert [list(row) for row in features.values] == [[5.099999904632568]]


def outputs(*tensors: dict[str, object]) -> dict[str, object]:
    return {"model_name": "iris", "model_version": "5", "id": "42", "outputs": list(tensors)}


@pytest.mark.parametrize(
    ("shape", "answer", "names", "values"),
    [
        pytest.param([2], outputs(tensor("y", [2], [0, 1])), ("y",), [[0], [1]], id="a label for each row"),
        pytest.param(
            [2],
            outputs(tensor("p", [2, 2], [0.9, 0.1, 0.2, 0.8]), tensor("y", [2], [0, 1])),
            ("p[0]", "p[1]", "y"),
            [[0.9, 0.1, 0], [0.2, 0.8, 1]],
            id="probabilities and a label",
        ),
        pytest.param([1], outputs(tensor("p", [3], [0.1, 0.2, 0.7])), ("p[0]", "p[1]", "p[2]"), [[0.1, 0.2, 0.7]],
                     id="no dimension of the batch"),
        pytest.param([1], outputs(tensor("c", [2], ["0.9:1:cat", "0.05:0:dog"], "BYTES")), ("label", "score"),
                     [["cat", 0.9]], id="classification"),
        pytest.param([2], outputs(tensor("c", [2, 1], ["0.9:1", "0.5:0"], "BYTES")), ("label", "score"),
                     [[1, 0.9], [0, 0.5]], id="classification without labels"),
        pytest.param([1], outputs(tensor("c", [2], ["0.9:1:cat", "dog"], "BYTES")), ("c[0]", "c[1]"),
                     [["0.9:1:cat", "dog"]], id="texts that are none"),
        pytest.param([1], {"predictions": [3]}, ("predictions",), [[3]], id="another layout"),
        pytest.param([1], {"outputs": []}, (), [], id="no tensors"),
    ],
)  # fmt: skip
def test_answers_become_outputs(
    shape: list[int], answer: object, names: tuple[str, ...], values: list[list[Cell]]
) -> None:
    found = read({"inputs": [tensor("x", shape, [1.0] * shape[0])]}, answer).outputs

    assert found is not None
    assert found.names == names
    assert [list(row) for row in found.values] == values


def test_names_versions_and_ids_are_where_the_specification_puts_them() -> None:
    asked = {"id": "a", "model_name": "body", "inputs": [tensor("x", [1], [1])], "parameters": {"k": 1}}

    by_path = read(asked)
    by_answer = read(asked, outputs(tensor("y", [1], [0])), NOWHERE)
    by_body = read(asked, place=NOWHERE)

    assert (by_path.model, by_path.version, by_path.request_id) == ("iris", "2", "a")
    assert (by_answer.model, by_answer.version, by_answer.request_id) == ("iris", "5", "42")
    assert (by_body.model, by_body.version, by_body.request_id) == ("body", "", "a")
    assert by_path.params == {"k": 1}


@pytest.mark.parametrize(
    "value",
    [
        {"inputs": "text"},
        {"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "parameters": {"binary_data_size": 4}}]},
        {"instances": [1]},
        [1],
    ],
    ids=["no list", "data elsewhere", "no inputs", "no object"],
)
def test_a_body_without_tensors_is_another_layout(value: object) -> None:
    with pytest.raises(DecodeError) as error:
        read(value)

    assert error.value.reason == "unknown_layout"


def test_columns_and_rows_beyond_the_limits_are_counted() -> None:
    columns = read(
        {"inputs": [tensor(f"c{at}", [1], [at]) for at in range(MAX_COLUMNS)] + [tensor("x", [1], [1])]}
    ).features
    spread = read({"inputs": [tensor("a", [1, 200], [0] * 200), tensor("b", [1, 200], [1] * 200)]}).features
    rows = read({"inputs": [tensor("x", [MAX_ROWS + 5], [1] * (MAX_ROWS + 5))]}).features
    cells = read({"inputs": [tensor("x", [2000, 200], [1] * 400_000)]}).features

    assert (len(columns.names), columns.dropped_count) == (MAX_COLUMNS, 1)
    assert (len(spread.names), spread.dropped_count, list(spread.values[0])[-1]) == (MAX_COLUMNS, 144, 1)
    assert (len(rows.values), rows.dropped_count, set(rows.flags)) == (MAX_ROWS, 5, {"over_limit"})
    assert (len(cells.values), cells.dropped_count) == (MAX_CELLS // 200, 2000 - MAX_CELLS // 200)


@pytest.mark.parametrize(
    ("value", "is_claimed"),
    [
        ({"inputs": [tensor("x", [1], [1])]}, True),
        ({"inputs": []}, False),
        ({"inputs": [{"name": "x"}]}, False),
        ({"inputs": "x"}, False),
        ([], False),
    ],
    ids=str,
)
def test_only_lists_of_tensors_are_claimed(value: object, *, is_claimed: bool) -> None:
    assert PROTOCOL.claims(value) is is_claimed
