"""The values of an exchange of a batch: what decoding it by itself gives, ints as ints, without decoding it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.decode.as_sent import readings_of, values_as_sent
from dashlight.decode.batch import Decoder
from dashlight.decode.compiled.as_sent import MAX_BYTES
from dashlight.decode.compiled.plan import Plan
from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.decode.rows.columns import Row, Sheet
from dashlight.decode.rows.selection import Selection
from dashlight.records import Exchange

Make = Callable[..., Exchange]
SELECTION = Selection()


def rows_of(sheet: Row | Sheet | None) -> str | None:
    """Rows by name, as JSON, which tells 5 from 5.0 and true from 1; a plan has the columns in an order of its own."""
    if sheet is None:
        return None
    return json.dumps([dict(zip(sheet.names, row, strict=True)) for row in sheet.values], sort_keys=True)


def readings(exchanges: Sequence[Exchange], *, rounds: int = 3) -> dict[int, Plan | Decoded]:
    """How they are read in the last of some batches, the first of which teach the plans."""
    decoder = Decoder(model="m", version="1")
    batches = [decoder.decode(exchanges) for _ in range(rounds)]
    return readings_of(batches[-1], range(len(exchanges)))


def as_decoded(exchange: Exchange, reading: Plan | Decoded | None) -> bool:
    """Whether the values are those of the exchange decoded by itself."""
    values, decoded = values_as_sent(exchange, reading, selection=SELECTION), decode_exchange(exchange)
    return (rows_of(values.features), rows_of(values.outputs)) == (
        rows_of(decoded.features),
        rows_of(decoded.outputs),
    )


BODIES: dict[str, tuple[object, object]] = {
    "ints and fractions": ({"age": 5, "income": 5.0, "city": "Bonn", "member": True, "none": None}, {"score": 1}),
    "an object in another": ({"person": {"age": 5, "size": 1.5}, "at": 3}, {"result": {"score": 0.5, "label": "a"}}),
    "a vector": ({"instances": [[1, 2.5, 3]]}, {"predictions": [7]}),
    "a bare answer": ({"age": 5}, 3),
    "an empty name": ({"": 5, "age": 4}, {"": 1}),
    "inputs that come back": ({"age": 5, "city": "a"}, {"age": 5, "score": 0.5}),
    "numbers as text": ({"age": 5}, {"price": "12.50", "label": "7"}),
    "one row in a list": ([{"age": 5}], [{"score": 1}]),
    "several rows": ([{"age": 5}, {"age": 6.5}], [{"score": 1}, {"score": 2}]),
    "credentials": ({"age": 5, "password": "p"}, {"score": 1}),
    "a large number": ({"age": 2**70, "id": 3}, {"score": 1e300}),
}


@pytest.mark.parametrize("rounds", [1, 3], ids=["without a plan", "with a plan"])
@pytest.mark.parametrize(("asked", "answered"), BODIES.values(), ids=BODIES.keys())
def test_values_are_those_of_the_exchange_decoded_by_itself(
    exchange: Make, asked: object, answered: object, rounds: int
) -> None:
    exchanges = [exchange(asked, answered)] * 4

    found = readings(exchanges, rounds=rounds)

    assert list(found) == [0, 1, 2, 3]
    assert all(as_decoded(exchanges[at], reading) for at, reading in found.items())


def test_what_a_plan_has_read_is_not_decoded_again(exchange: Make) -> None:
    exchanges = [exchange({"age": at, "size": 1.5}, {"score": 0.5}) for at in range(4)]

    assert {type(each) for each in readings(exchanges).values()} == {Plan}
    assert {type(each) for each in readings(exchanges, rounds=1).values()} == {Decoded}


def test_a_key_that_is_sometimes_missing_is_not_there(exchange: Make) -> None:
    exchanges = [exchange({"age": 1, "size": 1.5} if at % 2 else {"age": 1}, {"score": 0.5}) for at in range(8)]

    found = readings(exchanges)

    assert {type(each) for each in found.values()} == {Plan}
    assert all(as_decoded(exchanges[at], reading) for at, reading in found.items())


def test_keys_in_another_order_and_too_many_of_them_make_no_other_row(exchange: Make) -> None:
    found = readings([exchange({"age": 1, "size": 1.5}, {"score": 0.5})] * 4)

    others: tuple[object, ...] = ({"size": 2.5, "age": 3}, {"age": 3}, {"size": 2.5}, {"age": 3, "size": 2})
    for asked in others:
        assert as_decoded(exchange(asked, {"score": 0.5}), found[0])


def test_a_long_body_is_read_the_general_way(exchange: Make) -> None:
    usual = exchange({"note": "a"}, {"score": 0.5})
    found = readings([usual] * 4)

    assert as_decoded(exchange({"note": "a" * MAX_BYTES}, {"score": 0.5}), found[0])


def test_a_body_that_the_plan_does_not_fit_is_read_the_general_way(exchange: Make) -> None:
    found = readings([exchange({"person": {"age": 1}}, {"score": 0.5})] * 4)

    others: tuple[object, ...] = ({"person": 3}, {"person": [1]}, [], b"{nope")
    for asked in others:
        assert as_decoded(exchange(asked, {"score": 0.5}), found[0])


def test_names_alone_are_no_row(exchange: Make) -> None:
    found = readings([exchange({"a": 1, "b": 2.5}, {"score": 0.5})] * 4)

    others: tuple[object, ...] = (["a", "b"], "ab")
    for asked in others:
        assert as_decoded(exchange(asked, {"score": 0.5}), found[0])


def test_without_a_reading_it_is_decoded(exchange: Make) -> None:
    assert as_decoded(exchange({"age": 1}, {"score": 0.5}), None)


def test_only_listed_columns_are_there(exchange: Make) -> None:
    selection = Selection(features=("a*",), ignore=("*_low",))
    decoder = Decoder(model="m", version="1", features=selection.features, ignore=selection.ignore)
    exchanges = [exchange({"age": 1, "city": "x", "a_low": 3}, {"p": 0.5, "p_low": 0.25})] * 4
    batches = [decoder.decode(exchanges) for _ in range(3)]

    for at, reading in readings_of(batches[-1], [0, 3]).items():
        values = values_as_sent(exchanges[at], reading, selection=selection)
        assert (rows_of(values.features), rows_of(values.outputs)) == ('[{"age": 1}]', '[{"p": 0.5}]')


scalars = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4) | st.sampled_from(["1", "2.5", "low"])
)  # fmt: skip
rows = st.dictionaries(st.sampled_from(["a", "b", "c", "label", "y", ""]), scalars, min_size=1, max_size=4)
bodies = st.one_of(
    rows,
    st.lists(rows, min_size=1, max_size=2),
    st.fixed_dictionaries(
        {
            "instances": st.lists(
                st.lists(st.integers() | st.floats(-9, 9), min_size=2, max_size=2), min_size=1, max_size=1
            )
        }
    ),
    st.fixed_dictionaries({"inputs": rows, "b": scalars}),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(bodies, rows | scalars), min_size=1, max_size=5))
def test_whatever_the_bodies_values_are_those_of_the_exchange_decoded_by_itself(
    exchange: Make, pairs: Sequence[tuple[object, object]]
) -> None:
    exchanges = [exchange(asked, answered) for asked, answered in (*pairs, *pairs)]

    for at, reading in readings(exchanges).items():
        assert as_decoded(exchanges[at], reading)
