import json
import math

import numpy as np
import pytest

from dashlight.decode.compiled.plan import Plan, compile_plan
from dashlight.decode.compiled.shapes import Shape, shape_of, unified
from dashlight.decode.protocols.detect import place_of
from dashlight.decode.rows.selection import Selection
from dashlight.records import Table


def shape(*values: object) -> Shape:
    found = shape_of(values[0])
    for value in values[1:]:
        other = shape_of(value)
        assert found is not None
        assert other is not None
        found = unified(found, other)
    assert found is not None
    return found


def plan_for(request: object, answer: object, path: str = "/predict") -> Plan:
    plan = compile_plan(shape(request), shape(answer), place_of(path))
    assert plan is not None
    return plan


def request_table(plan: Plan, *bodies: object) -> Table:
    return plan.features.table([plan.read_request(json.dumps(body).encode()) for body in bodies], range(len(bodies)))


def answer_table(plan: Plan, *bodies: object) -> Table:
    return plan.outputs.table([plan.read_answer(json.dumps(body).encode()) for body in bodies], range(len(bodies)))


def test_objects_of_scalars_become_numbers_and_cells() -> None:
    plan = plan_for({"age": 39, "city": "Oslo", "member": True}, {"label": 1, "p": 0.5})

    table = request_table(
        plan, {"age": 40, "city": "Rome", "member": False}, {"city": None, "member": None, "age": None}
    )

    assert plan.protocol == "plain"
    assert table.number_names == ("age",)
    np.testing.assert_array_equal(table.numbers, [[40, math.nan]])
    assert table.cell_names == ("city", "member")
    assert [list(column) for column in table.cells] == [["Rome", None], [False, None]]
    assert answer_table(plan, {"p": 1, "label": 2}).numbers.tolist() == [[2.0], [1.0]]


@pytest.mark.parametrize(
    ("request_", "answer", "path", "features", "outputs"),
    [
        pytest.param({"a": {"b": 1, "c": {"d": 2}}}, {"y": 1}, "/", ("a.b", "a.c.d"), ("y",), id="nested objects"),
        pytest.param({"x": [1, 2]}, {"y": [3, 4]}, "/", None, None, id="two rows"),
        pytest.param({"x": [1, 2]}, {"y": 3}, "/", ("x[0]", "x[1]"), ("y",), id="a vector"),
        pytest.param({"x": [1, 2]}, {"y": [3]}, "/", ("x[0]", "x[1]"), ("y",), id="a list of one"),
        pytest.param({"x": [1, 2]}, 3.5, "/", ("x[0]", "x[1]"), ("prediction",), id="a bare number"),
        pytest.param({"x": 1}, [0.1, 0.9], "/", ("x",), ("prediction[0]", "prediction[1]"), id="a bare vector"),
        pytest.param({"x": 1}, {"y": ["a", "b"]}, "/", None, None, id="a ranking"),
        pytest.param({"id": 7, "x": 1, "token": "s"}, {"id": 7, "y": 1}, "/", ("x",), ("y",), id="ids and credentials"),
        pytest.param({"instances": [[1, 2]]}, {"predictions": [3]}, "/v1/models/m:predict", ("0", "1"), ("predictions",),
                     id="one V1 instance"),
        pytest.param({"instances": [{"a": 1}], "k": 2}, {"predictions": [3]}, "/v1/models/m:predict", ("a",),
                     ("predictions",), id="a V1 object"),
        pytest.param({"x": 1}, {"predictions": [3]}, "/v1/models/m:predict", None, None, id="another layout"),
        pytest.param({"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}]}, {"y": 1}, "/", None,
                     None, id="values that decide"),
        pytest.param({"x": 1}, {"error": "no"}, "/", None, None, id="a failure"),
        pytest.param({"x": 1}, {"y": 1, "error": {"code": 1}}, "/", None, None, id="a failure with an object"),
        pytest.param({'a"b': 1}, {"y": 1}, "/", None, None, id="a quotation mark in a key"),
        pytest.param({"x": 1}, {"y": 1, "version": 3}, "/", None, None, id="a version that is a number"),
        pytest.param({"x": 1}, {"y": 1, "model": None}, "/", None, None, id="a model that is null"),
        pytest.param({"x": 1}, {"y": 1, "model": "a", "model_name": "b"}, "/", None, None, id="two names of the model"),
    ],
)  # fmt: skip
def test_a_plan_reads_what_the_shape_alone_decides(
    request_: object, answer: object, path: str, features: tuple[str, ...] | None, outputs: tuple[str, ...] | None
) -> None:
    plan = compile_plan(shape(request_), shape(answer), place_of(path))

    if features is None or outputs is None:
        assert plan is None
    else:
        assert plan is not None
        assert request_table(plan, request_).number_names == features
        assert answer_table(plan, answer).number_names == outputs


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": true, "s": "x", "v": [1, 2]}',
        b'{"a": "1", "s": "x", "v": [1, 2]}',
        b'{"a": 1, "s": 2, "v": [1, 2]}',
        b'{"a": 1, "s": "x", "v": [1, 2, 3]}',
        b'{"a": 1, "s": "x", "v": [1, "2"]}',
        b'{"a": 1, "s": "x", "v": null}',
        b'{"a": 1, "s": "x"}',
        b'{"a": 1, "s": "x", "v": [1, 2], "b": 3}',
        b'{"a": NaN, "s": "x", "v": [1, 2]}',
        b'{"a": 1, "s": "\\ud800", "v": [1, 2]}',
        b'{"a": 1, "s": "\xff", "v": [1, 2]}',
        b'{"a": 1, "s": "x", "v": [1, 2]},{"a": 1, "s": "x", "v": [1, 2]}',
        b'{"a": 1, "s": "x", "v": [1, 2]',
        b'[{"a": 1, "s": "x", "v": [1, 2]}]',
        b"\x1f\x8b",
        b"",
    ],
    ids=repr,
)
def test_a_body_of_another_shape_is_refused(body: bytes) -> None:
    plan = plan_for({"a": 1, "s": "x", "v": [1, 2]}, {"y": 1})

    with pytest.raises(ValueError, match=r".+"):
        plan.read_request(body)


def test_a_body_that_is_nested_for_ever_is_refused() -> None:
    plan = plan_for({"a": {"b": 1}}, {"y": 1})

    with pytest.raises((ValueError, RecursionError)):
        plan.read_request(b'{"a":' * 100_000)


def test_keys_that_are_sometimes_missing_are_null() -> None:
    plan = compile_plan(shape({"a": 1, "b": "x"}, {"a": 2}, {"a": None, "c": 3}), shape({"y": 1}), place_of("/"))
    assert plan is not None

    table = request_table(plan, {"a": 1}, {"a": 2, "b": "y", "c": 4})

    assert table.number_names == ("a", "c")
    np.testing.assert_array_equal(table.numbers, [[1, 2], [math.nan, 4]])
    assert [list(column) for column in table.cells] == [[None, "y"]]


def test_a_list_beside_a_key_that_is_sometimes_missing_is_not_planned() -> None:
    requests = shape({"v": [1, 2], "k": 1}, {"v": [1, 2]})

    assert compile_plan(requests, shape({"y": 1}), place_of("/")) is None


def test_a_list_beside_an_optional_key_deep_inside_is_not_planned() -> None:
    requests = shape({"o": {"a": 1, "b": 2}, "v": [1, 2]}, {"o": {"a": 1}, "v": [1, 2]})
    within = shape([{"a": 1}])

    assert compile_plan(requests, shape({"y": 1}), place_of("/")) is None
    assert compile_plan(within, shape({"y": 1}), place_of("/")) is not None


def test_scalars_of_several_sorts_are_read_as_they_are() -> None:
    plan = compile_plan(shape({"a": 1, "b": None}, {"a": "x", "b": None}), shape({"y": 1}), place_of("/"))
    assert plan is not None

    table = request_table(plan, {"a": True, "b": 1}, {"a": "z", "b": None})

    assert table.number_names == ("b",)
    assert [list(column) for column in table.cells] == [[True, "z"]]


def test_ignored_columns_are_not_extracted() -> None:
    plan = compile_plan(
        shape({"a": 1, "b_x": 2, "c": "t"}),
        shape({"y": 1, "b_y": 2}),
        place_of("/"),
        selection=Selection(ignore=("b_*", "c")),
    )
    assert plan is not None

    assert request_table(plan, {"a": 1, "b_x": 2, "c": "t"}).number_names == ("a",)
    assert request_table(plan, {"a": 1, "b_x": 2, "c": "t"}).cell_names == ()
    assert answer_table(plan, {"y": 1, "b_y": 2}).number_names == ("y",)


def test_what_the_answer_says_of_the_model_is_reached() -> None:
    plan = plan_for({"x": 1}, {"y": 1, "model": "a", "version": "1"})
    assert plan.model is not None
    assert plan.version is not None

    answer = plan.read_answer(b'{"y": 2, "model": "b", "version": null}')

    for getter in plan.model:
        assert getter(answer) == "b"
    for getter in plan.version:
        assert getter(answer) is None
    assert plan_for({"x": 1}, {"y": 1}).model is None


@pytest.mark.parametrize(
    ("usual", "failed"),
    [
        ({"y": 1, "error": None}, {"y": -1, "error": "no"}),
        ({"y": 1, "error": None}, {"y": -1, "error": True}),
        ({"y": 1, "errors": 0.5}, {"y": 1, "errors": "several"}),
        ({"y": 1, "status": "ok", "message": "done"}, {"y": -1, "status": "FAILED", "message": "no"}),
        ({"y": 1, "status": None, "detail": None}, {"y": -1, "status": "error", "detail": "no"}),
        ({"y": 1, "success": None}, {"y": -1, "success": False}),
    ],
    ids=["error", "error as truth", "errors", "status", "status that was null", "success that was null"],
)
def test_an_answer_that_says_that_it_is_none_is_refused(usual: object, failed: object) -> None:
    plan = plan_for({"x": 1}, usual)

    assert plan.read_answer(json.dumps(usual).encode())
    with pytest.raises(ValueError, match=r".+"):
        plan.read_answer(json.dumps(failed).encode())


def test_a_status_without_a_message_is_what_the_model_says() -> None:
    plan = plan_for({"x": 1}, {"status": "ok", "p": 0.1})

    assert [list(column) for column in answer_table(plan, {"status": "failure", "p": 0.9}).cells] == [["failure"]]


def test_the_truths_by_which_an_answer_says_that_it_is_none_are_reached() -> None:
    plan = plan_for({"x": 1}, {"y": 1, "success": True, "error": False})

    answer = plan.read_answer(b'{"y": 1, "success": false, "error": true}')

    assert [(path[0](answer), denial) for path, denial in plan.confessions] == [(False, False), (True, True)]
