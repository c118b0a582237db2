"""A table among the arguments of an API, as it is handed over and as it is read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import BaseModel
from starlette.responses import PlainTextResponse

from dashlight_bentoml.middleware import ServiceMiddleware
from dashlight_bentoml.specs import watch_method
from dashlight_bentoml.tables import Rows, with_rows
from dashlight_bentoml.values import Stills

PEOPLE = [{"age": 4, "city": "x"}, {"age": 5, "city": "y"}]
LIMITED = [{**row, "threshold": 0.5} for row in PEOPLE]
POINTS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


class Person(BaseModel):
    """A row."""

    age: int
    city: str


class Query(BaseModel):
    """A table and what stands beside it."""

    houses: list[Person]
    currency: str = "EUR"


@dataclass
class Options:
    """Single values."""

    scale: float = 2.0


def rows_of(asked: object, answer: object) -> object:
    """What is handed over for *asked*, as lists."""
    stills = Stills()
    found = with_rows(stills.of(asked), answer=stills.of(answer))
    if isinstance(found, pd.DataFrame):
        return found.to_dict("records")
    return list(found) if isinstance(found, Rows) else found


@pytest.mark.parametrize(
    ("asked", "answer", "rows"),
    [
        pytest.param({"df": pd.DataFrame(PEOPLE), "threshold": 0.5}, [1, 2], LIMITED, id="a frame"),
        pytest.param({"df": pd.DataFrame(PEOPLE), "threshold": 0.5}, 7, LIMITED, id="a frame that gets one answer"),
        pytest.param({"threshold": 0.5, "x": pd.DataFrame(PEOPLE)}, None, LIMITED, id="a frame without an answer"),
        pytest.param({"df": pa.Table.from_pylist(PEOPLE), "threshold": 0.5}, None, LIMITED, id="a table of Arrow"),
        pytest.param(
            {"df": pd.DataFrame({"threshold": [1, 2]}), "threshold": 0.5},
            [1, 2],
            [{"threshold": 1}, {"threshold": 2}],
            id="a column of the same name",
        ),
        pytest.param(
            {"houses": [Person(age=4, city="x"), Person(age=5, city="y")], "currency": "EUR"},
            np.array([1, 2]),
            [{**row, "currency": "EUR"} for row in PEOPLE],
            id="models",
        ),
        pytest.param(
            {"houses": PEOPLE, "currency": None, "day": np.datetime64("2024-01-01")},
            pd.Series([1, 2]),
            [{**row, "currency": None, "day": np.datetime64("2024-01-01")} for row in PEOPLE],
            id="objects beside single values of any kind",
        ),
        pytest.param(
            {"houses": PEOPLE[:1], "currency": "EUR"}, ["a"], [{**PEOPLE[0], "currency": "EUR"}], id="one object"
        ),
        pytest.param(
            {"q": Query(houses=[Person(age=4, city="x"), Person(age=5, city="y")])},
            {"prices": [1, 2], "version": "2"},
            [{**row, "currency": "EUR"} for row in PEOPLE],
            id="a model that holds both",
        ),
        pytest.param(
            {"q": Query(houses=[Person(age=4, city="x")]), "scale": np.float32(2)},
            pd.DataFrame({"y": [1]}),
            [{**PEOPLE[0], "q.currency": "EUR", "scale": 2.0}],
            id="a model that holds both beside another value",
        ),
        pytest.param(
            {"houses": PEOPLE, "options": Options()},
            [1, 2],
            [{**row, "options.scale": 2.0} for row in PEOPLE],
            id="single values in a data class",
        ),
        pytest.param(
            {"data": np.array(POINTS), "scale": np.array(2)},
            [1, 2, 3],
            [{"data": point, "scale": 2} for point in POINTS],
            id="an array",
        ),
        pytest.param(
            {"x": POINTS, "scale": 2}, ["a", "b", "c"], [{"x": point, "scale": 2} for point in POINTS], id="lists"
        ),
    ],
)
def test_each_row_of_a_table_goes_with_what_stands_beside_it(asked: object, answer: object, rows: object) -> None:
    assert rows_of(asked, answer) == rows


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        pytest.param({"history": PEOPLE, "horizon": 3}, [1, 2, 3], id="an answer of another length"),
        pytest.param({"history": PEOPLE, "horizon": 3}, "up", id="one answer"),
        pytest.param({"history": PEOPLE, "horizon": 3}, {"lower": [1, 2], "steps": [1, 2, 3]}, id="two lengths"),
        pytest.param({"history": PEOPLE, "horizon": 3}, np.array(3), id="an answer without dimensions"),
        pytest.param({"a": PEOPLE, "b": PEOPLE}, [1, 2], id="two tables"),
        pytest.param({"a": PEOPLE, "tags": ["u"], "b": 1}, [1, 2], id="a list beside it"),
        pytest.param({"a": PEOPLE}, [1, 2], id="nothing beside it"),
        pytest.param({"a": [], "b": 1}, [], id="nothing in it"),
        pytest.param({"a": [1, 2], "b": 1}, [1, 2], id="a vector"),
        pytest.param({"a": [PEOPLE[0], 1], "b": 1}, [1, 2], id="mixed items"),
        pytest.param({"a": PEOPLE, **{f"p{n}": n for n in range(33)}}, [1, 2], id="too much beside it"),
        pytest.param({"a": 1, "b": "x"}, [1, 2], id="single values alone"),
    ],
)
def test_whatever_may_be_something_else_stays_as_it_is(asked: object, answer: object) -> None:
    assert rows_of(asked, answer) == Stills().of(asked)


def test_a_cube_of_as_many_slices_as_answers_is_no_table() -> None:
    asked = {"cube": np.zeros((2, 2, 2)), "scale": 1}

    assert with_rows(asked, answer=[1, 2]) is asked


def test_rows_are_a_sequence_of_a_known_size() -> None:
    rows = Rows("x", np.array(POINTS), {"scale": 2})

    assert (len(rows), rows.nbytes) == (3, 48)
    assert (rows[1], rows[:1]) == ({"x": [3.0, 4.0], "scale": 2}, [{"x": [1.0, 2.0], "scale": 2}])
    assert Rows("x", PEOPLE, {}).nbytes == 0


class Arguments(BaseModel, arbitrary_types_allowed=True):
    """A spec of BentoML's, whose arguments the test names."""

    df: Any = None
    scale: float = 2.0


def read_of(collected: Any, table: object, answer: object) -> tuple[object, ...]:
    """Rows, inputs and outputs of the event of one call."""

    class Spec(Arguments):
        @classmethod
        async def from_http_request(cls, request: Any, serde: Any) -> Any:
            return cls(df=table)

        @classmethod
        async def to_http_response(cls, output: Any, serde: Any) -> Any:
            return PlainTextResponse("")

    method: Any = SimpleNamespace(
        name="price", route="/price", input_spec=Spec, output_spec=Spec, batchable=False, is_task=False
    )
    watch_method(method)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        serde = SimpleNamespace()
        await method.input_spec.from_http_request(SimpleNamespace(scope=scope), serde)
        response = await method.output_spec.to_http_response(answer, serde)
        await response(scope, receive, send)

    service: Any = SimpleNamespace(name="Prices", bento=None, apis={"price": method})
    scope = {"type": "http", "method": "POST", "path": "/price", "query_string": b"", "headers": [], "endpoint": app}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    asyncio.run(ServiceMiddleware(app, service)(scope, receive, send))
    event = collected.event()
    return event["dashlight.rows"], event["dashlight.inputs"], event["dashlight.outputs"]


@pytest.mark.parametrize(
    ("table", "names"),
    [
        pytest.param(pd.DataFrame(PEOPLE), {"age", "city", "scale"}, id="a frame"),
        pytest.param(pa.Table.from_pylist(PEOPLE), {"age", "city", "scale"}, id="a table of Arrow"),
        pytest.param(PEOPLE, {"age", "city", "scale"}, id="objects"),
        pytest.param(np.array(POINTS[:2]), {"df[0]", "df[1]", "scale"}, id="an array"),
    ],
)
def test_a_table_beside_a_single_value_is_read_as_its_rows(collected: Any, table: object, names: set[str]) -> None:
    rows, inputs, outputs = read_of(collected, table, [10.0, 20.0])

    assert rows == 2
    assert isinstance(inputs, dict)
    assert inputs.keys() == names
    assert inputs["scale"] == [2.0, 2.0]
    assert outputs == {"prediction": [10.0, 20.0]}
