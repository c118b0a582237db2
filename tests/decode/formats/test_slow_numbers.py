import json
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from dashlight.decode.compiled.plan import Plan, compile_plan
from dashlight.decode.compiled.shapes import shape_of
from dashlight.decode.formats.bodies import parse_json
from dashlight.decode.formats.csv_body import read_csv
from dashlight.decode.formats.slow_numbers import has_slow_numbers
from dashlight.decode.protocols.detect import place_of
from dashlight.errors import DecodeError

CAP = 1 << 18
T = TypeVar("T")
MAX_SECONDS = 0.4
"""msgspec takes a second for a body of the slowest ones."""


def plan_of(asked: object) -> Plan:
    shape, answered = shape_of(asked), shape_of({"y": 1.5})
    assert shape is not None
    assert answered is not None
    plan = compile_plan(shape, answered, place_of("/predict"))
    assert plan is not None
    return plan


@pytest.mark.parametrize(
    "number", ["1e304", "2.5e290", "1E+304", "1.e304", "1e0304", "1e-300", "24703282292062327208e-343"]
)
def test_a_number_with_a_long_exponent_is_slow(number: str) -> None:
    assert has_slow_numbers(f'{{"a":{number}}}'.encode())


@pytest.mark.parametrize("text", ["1.5", "1e23", "6.02E+23", "1e-07", '"item-300"', '"e300"', '"the 300"'])
def test_other_numbers_and_texts_are_not(text: str) -> None:
    assert not has_slow_numbers(f'{{"a":{text}}}'.encode())


@pytest.mark.parametrize("number", ["1e23", "2E23", "4e+23", "8E+23"])
def test_thousands_of_numbers_halfway_between_two_floats_are_slow(number: str) -> None:
    few, many = (f"[{','.join([number] * count)}]".encode() for count in (9, 4097))

    assert not has_slow_numbers(few)
    assert has_slow_numbers(many)
    assert parse_json(many) == [float(number)] * 4097


def quickest(read: Callable[[], T]) -> tuple[T, float]:
    """What *read* gives, and its CPU seconds, of three tries the least: others may use the machine."""
    found, taken = read(), list[float]()
    for _ in range(3):
        began = time.thread_time()
        found = read()
        taken.append(time.thread_time() - began)
    return found, min(taken)


def test_a_body_of_slow_numbers_is_read_fast() -> None:
    body = b"[" + b"1e304," * (CAP // 6) + b"2.5e290]"

    value, seconds = quickest(lambda: parse_json(body))

    assert seconds < MAX_SECONDS
    assert value == json.loads(body)


def test_lines_of_slow_numbers_in_csv_are_read_fast() -> None:
    rows, seconds = quickest(lambda: read_csv("1e304,2.5e290\n" * 9_000))

    assert seconds < MAX_SECONDS
    assert rows == [[1e304, 2.5e290]] * 9_000


def test_a_plan_leaves_them_to_the_general_way() -> None:
    read = plan_of({"a": 1.5}).read_request

    assert read(b'{"a":1e304}') is not None
    with pytest.raises(ValueError, match="slow"):
        read(b"{" + b'"a":1e304,' * 9_000 + b'"a":1}')


def test_where_they_end_in_the_middle_is_told() -> None:
    with pytest.raises(DecodeError, match="truncated"):
        parse_json(b"[1e304, 1e3")
    with pytest.raises(DecodeError, match="invalid_json"):
        parse_json(b"[1e304, x]")
