import dataclasses
import enum
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.batch import Decoder
from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.decode.handed import handed_content
from dashlight.decode.rows.budget import MAX_CELLS, MAX_ROWS
from dashlight.errors import DecodeError
from dashlight.records import Exchange, HandedOver

Make = Callable[..., Exchange]
NOON = datetime(2026, 1, 2, 12)  # noqa: DTZ001  # of no zone


class Colour(str):
    """A text that says something else of itself, as members of older enumerations do."""

    __slots__ = ()

    def __str__(self) -> str:
        return "Colour.RED"


class Count(int):
    """A number of a class of its own."""


class Level(enum.IntEnum):
    """A number that is one."""

    HIGH = 3


@dataclasses.dataclass
class Person:
    """A data class."""

    age: int


class Struct(msgspec.Struct):
    """A structure of msgspec's."""

    age: int


class Model:
    """As pydantic's models offer it."""

    def model_dump(self) -> Mapping[str, object]:
        """Its fields."""
        return {"age": 1}


class Shade(enum.Enum):
    """One whose members are neither text nor number."""

    RED = "red"
    ODD = ("o", "d")


class NAType:
    """As pandas writes nothing."""


class Frame:
    """As pandas has them: names in `columns`, arrays by place."""

    def __init__(self, columns: Mapping[str, list[object]]) -> None:
        self.columns = list(columns)
        self._arrays = [np.array(column, dtype=object) for column in columns.values()]

    @property
    def iloc(self) -> "Frame":
        """Itself: rows are not cut here."""
        return self

    def __getitem__(self, place: object) -> Any:
        return self._arrays[place[1]] if isinstance(place, tuple) else self


class Series:
    """As polars has them: an array, and nothing else that is known."""

    def __init__(self, values: list[float]) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self._values)


class Slices:
    """As Arrow's tables: cut by `slice`, then a list of rows."""

    def __init__(self, rows: list[dict[str, object]]) -> None:
        self._rows = rows

    def slice(self, offset: int, length: int) -> "Slices":
        """Some of the rows."""
        return Slices(self._rows[offset : offset + length])

    def to_pylist(self) -> list[dict[str, object]]:
        """The rows."""
        return self._rows


class Broken:
    """Raises when it is read."""

    ndim = 1

    def tolist(self) -> object:
        """Nothing."""
        raise RuntimeError("gone")


def with_handed(made: Exchange, **handed: Any) -> Exchange:
    return msgspec.structs.replace(made, handed=HandedOver(**handed))


def columns(decoded: Decoded) -> tuple[dict[str, list[object]], dict[str, list[object]]]:
    sides: list[dict[str, list[object]]] = []
    for sheet in (decoded.features, decoded.outputs):
        assert sheet is not None
        by_column = zip(*list(sheet.values), strict=True)
        sides.append({name: list(column) for name, column in zip(sheet.names, by_column, strict=True)})
    return (sides[0], sides[1])


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({"a": 1, "b": [1.5, None, True]}, {"a": 1, "b": [1.5, None, True]}),
        (MappingProxyType({1: (1, 2)}), {"1": [1, 2]}),
        ([{"a": np.float64(0.5), "b": np.int64(2), "c": np.bool_(True)}], [{"a": 0.5, "b": 2, "c": True}]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([date(2026, 1, 2), None, [1], NAType()], dtype=object), ["2026-01-02", None, [1], None]),
        (np.float32(0.5), 0.5),
        (Frame({"a": [1, 2], "b": ["x", None]}), [{"a": 1, "b": "x"}, {"a": 2, "b": None}]),
        (Slices([{"a": 1}, {"a": 2}]), [{"a": 1}, {"a": 2}]),
        ([Person(3)], [{"age": 3}]),
        (Struct(4), {"age": 4}),
        (Model(), {"age": 1}),
        ([Colour("red"), Level.HIGH, Count(2)], ["red", 3, 2]),
        ([Shade.RED, Shade.ODD], ["red", "ODD"]),
        ([Decimal("1.5"), UUID(int=1)], [1.5, "00000000-0000-0000-0000-000000000001"]),
        ([NOON, NOON.date(), NOON.time(), timedelta(minutes=2)],
         ["2026-01-02 12:00:00", "2026-01-02", "12:00:00", 120.0]),
        (np.array(["2026-01-02T12", "NaT"], "M8[ns]"), ["2026-01-02 12:00:00", None]),
        (np.array([90, "NaT"], "m8[s]"), [90.0, None]),
        ([np.datetime64(NOON), np.timedelta64(2, "m")], ["2026-01-02 12:00:00", 120.0]),
        (np.array([b"a", b"\xff"]), ["a", "\ufffd"]),
        (np.array([(1, "a")], [("age", "i4"), ("city", "U1")]), [{"age": 1, "city": "a"}]),
        (np.array([{"a": 1}, (2, 3)], object), [{"a": 1}, [2, 3]]),
        (np.ma.masked_array([1, 2], [False, True]), [1, None]),
        ({"a": np.ma.masked}, {"a": None}),
        (np.array([range(2)], object), [[0, 1]]),
        (Series([1.0, 2.0]), [1.0, 2.0]),
        ({"a": 1, "b": object()}, {"a": 1, "b": {"type": "object"}}),
        ({2}, [2]),
        ("text", "text"),
    ],
    ids=[
        "json", "mapping", "scalars of numpy", "array", "array of text", "array of objects", "numpy number", "frame",
        "sliced rows", "data class", "struct", "pydantic", "enumerations", "members of an enumeration", "decimal and UUID", "times",
        "moments of numpy", "spans of numpy", "single times of numpy", "bytes of numpy", "records of numpy", "objects in an array",
        "masked array", "masked value", "array of ranges", "series of polars", "anything in a row", "set", "text",
    ],
)  # fmt: skip
def test_tables_of_any_kind_are_read_as_json(value: object, plain: object) -> None:
    assert handed_content(value).value == plain


@pytest.mark.parametrize(
    "value",
    [
        b"bytes",
        object(),
        [[[[[[[[[1]]]]]]]]],
        np.full((1,) * 9, None),
        Broken(),
        np.zeros((400, 400)),
        [[0] * 400] * 400,
    ],
    ids=["bytes", "anything", "too deep", "an array too deep", "what raises", "an array too large", "lists too large"],
)
def test_what_is_no_table_is_one_decode_error(value: object) -> None:
    with pytest.raises(DecodeError, match="handed_over"):
        handed_content(value)


def test_of_many_rows_the_first_count() -> None:
    array = handed_content(np.zeros(MAX_ROWS + 1)).value
    listed = handed_content([1] * (MAX_CELLS + 1)).value

    assert isinstance(array, list)
    assert isinstance(listed, list)
    assert (len(array), len(listed)) == (MAX_ROWS, MAX_ROWS)


def test_what_is_handed_over_replaces_both_bodies(exchange: Make) -> None:
    made = with_handed(
        exchange(b"\x00\x01", b"\x02", method="GET", path="/docs"),
        inputs=[{"age": 1, "user_id": "a"}, {"age": 2, "user_id": "b"}],
        outputs=np.array([0.5, 0.25]),
        model="churn",
        version="4",
    )

    decoded = decode_exchange(made, model="other", version="1")

    assert columns(decoded) == ({"age": [1, 2]}, {"prediction": [0.5, 0.25]})
    assert (decoded.model, decoded.version, decoded.row_ids) == ("churn", "4", ("a", "b"))
    assert decoded.why == "an adapter handed the values over"


def test_inputs_alone_leave_the_answer_to_be_decoded(exchange: Make) -> None:
    decoded = decode_exchange(with_handed(exchange(b"\x00", {"score": 0.5}), inputs={"age": 1}))

    assert columns(decoded) == ({"age": [1]}, {"score": [0.5]})


def test_outputs_alone_leave_the_request_to_its_protocol(exchange: Make) -> None:
    asked = {"inputs": [{"name": "age", "shape": [2, 1], "datatype": "INT64", "data": [1, 2]}]}
    answer = {"score": [0.5, 0.25], "model_name": "m", "model_version": "2"}

    decoded = decode_exchange(with_handed(exchange(asked, b"\x00"), outputs=answer))

    assert columns(decoded) == ({"age": [1, 2]}, {"score": [0.5, 0.25]})
    assert (decoded.protocol, decoded.model, decoded.version) == ("kserve_v2", "m", "2")


def test_names_alone_leave_both_bodies_to_be_decoded(exchange: Make) -> None:
    decoded = decode_exchange(with_handed(exchange({"age": 1}, {"score": 0.5}), model="churn"))

    assert columns(decoded) == ({"age": [1]}, {"score": [0.5]})
    assert decoded.model == "churn"


@pytest.mark.parametrize(("said", "kind"), [("stream", "stream"), ("out of memory", "model")])
def test_a_failure_that_is_told_of_is_one(exchange: Make, said: str, kind: str) -> None:
    decoded = decode_exchange(with_handed(exchange({"age": 1}, {"score": 0.5}), failure=said))

    assert decoded.error is not None
    assert decoded.error.kind == kind
    assert decoded.outputs is None
    assert "error_in_200" in decoded.flags


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_what_cannot_be_read_is_counted_as_undecodable(exchange: Make, side: str) -> None:
    batch = Decoder(model="", version="").decode(
        [with_handed(exchange({"age": 1}, {"score": 0.5}), **{side: object()})]
    )

    assert batch.undecodable == [(0, "handed_over")]


def test_in_a_batch_it_is_read_beside_what_a_plan_reads(exchange: Make) -> None:
    subject = Decoder(model="churn", version="1")
    usual = exchange({"age": 1}, {"score": 0.5})
    subject.decode([usual, usual])

    (prediction,) = subject.decode([usual, with_handed(usual, inputs={"age": 9}), usual]).predictions

    assert prediction.features.numbers.tolist() == [[1, 9, 1]]
    assert prediction.outputs.numbers.tolist() == [[0.5, 0.5, 0.5]]


def test_frames_of_pandas_are_read() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None], "c": pandas.array([1, None], dtype="Int64")})

    assert handed_content(frame).value == [{"a": 1, "b": "x", "c": 1}, {"a": 2, "b": None, "c": None}]
    assert handed_content(frame["a"]).value == [1, 2]
    assert handed_content(frame.head(0)).value == []


def test_tables_of_arrow_are_read() -> None:
    arrow = pytest.importorskip("pyarrow")

    assert handed_content(arrow.table({"a": [1, None]})).value == [{"a": 1}, {"a": None}]


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.binary(max_size=3), st.dates(),
    st.builds(object), st.builds(Broken), st.builds(lambda: np.zeros((2, 0))), st.builds(lambda: np.array(1 + 2j)),
)  # fmt: skip


@given(
    st.recursive(
        ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    )
)
def test_whatever_is_handed_over_is_read_or_refused(exchange: Make, value: object) -> None:
    decoded = decode_exchange(with_handed(exchange({"a": 1}, {"y": 1}), inputs=value, outputs=value))

    assert decoded.undecodable in {"", "handed_over"}
