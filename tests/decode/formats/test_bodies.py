import json
import math
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.formats.bodies import MAX_DEPTH, MAX_NESTED, counted, parse_json, parse_lines, parse_msgpack
from dashlight.decode.rows.budget import MAX_KEYS, MAX_ROWS
from dashlight.errors import DecodeError


def reason_of(error: pytest.ExceptionInfo[DecodeError]) -> str:
    return error.value.reason


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(b'{"a": [1, 2.5, "x", true, null]}', {"a": [1, 2.5, "x", True, None]}, id="plain"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', {"a": 1}, id="byte order mark"),
        pytest.param(b" \n[1]\t", [1], id="white space"),
        pytest.param(b'{"a": 1, "a": 2}', {"a": 2}, id="the last of equal keys"),
        pytest.param(b"[Infinity, -Infinity, 1e400]", [math.inf, -math.inf, math.inf], id="infinities"),
        pytest.param('{"a": "ä"}'.encode("utf-16"), {"a": "ä"}, id="UTF-16"),
        pytest.param(b'["\\ud83d\\ude00"]', ["\N{GRINNING FACE}"], id="a pair of surrogates"),
        pytest.param(b'["a\\ud800b", 1e999]', ["a\N{REPLACEMENT CHARACTER}b", math.inf], id="a lone surrogate"),
        pytest.param(b'{"\\udfff": {"b": 1}}', {"\N{REPLACEMENT CHARACTER}": {"b": 1}}, id="a lone surrogate as key"),
        pytest.param(b"[" + b"9" * 400 + b"]", [10**400 - 1], id="an integer beyond any float"),
        pytest.param(b"[9007199254740993]", [9007199254740993], id="an integer beyond 2**53"),
    ],
)
def test_json_is_parsed_as_the_application_parsed_it(body: bytes, value: object) -> None:
    assert parse_json(body) == value


def test_nan_is_a_number() -> None:
    value = parse_json(b'{"x": NaN}')

    assert isinstance(value, dict)
    assert math.isnan(value["x"])


def nested(depth: int, inner: str = "") -> bytes:
    return ("[" * depth + inner + "]" * depth).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "empty_body", id="nothing"),
        pytest.param(b" \r\n", "empty_body", id="only white space"),
        pytest.param(b"\xef\xbb\xbf", "empty_body", id="only a byte order mark"),
        pytest.param(b'{"a": 1', "truncated", id="an object without its end"),
        pytest.param(b'["abc', "truncated", id="a text without its end"),
        pytest.param(b"{a: 1}", "invalid_json", id="JavaScript"),
        pytest.param(b"[1] [2]", "invalid_json", id="two values"),
        pytest.param(b'{"a": "\xff"}', "invalid_json", id="not UTF-8"),
        pytest.param(b"\xff\xfe{", "invalid_json", id="half a UTF-16"),
        pytest.param(nested(MAX_DEPTH + 1), "too_deep", id="one level too many"),
        pytest.param(nested(100_000), "too_deep", id="100,000 levels"),
        pytest.param(b"[NaN," + b"[" * 100_000, "too_deep", id="100,000 levels after a NaN"),
        pytest.param(b"[NaN," + nested(MAX_DEPTH) + b"]", "too_deep", id="one level too many beside a NaN"),
        pytest.param(b'{"a": ' * 40 + b"1" + b"}" * 40, "too_deep", id="objects in objects"),
        pytest.param(b"[" + b"9" * 5000 + b"]", "number_too_long", id="5,000 digits"),
    ],
)
def test_what_is_wrong_with_a_body_is_one_word(body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as error:
        parse_json(body)

    assert reason_of(error) == reason


@pytest.mark.parametrize(
    "body",
    [nested(MAX_DEPTH), b'["' + b"[" * 100 + b'"]', b"[" + b"{}," * 100 + b"1]"],
    ids=["as deep as allowed", "brackets in a text", "many objects side by side"],
)
def test_bodies_of_sensible_depth_are_parsed(body: bytes) -> None:
    assert parse_json(body) == json.loads(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(value=json_values, is_ascii=st.booleans())
def test_every_value_that_python_writes_is_read_back(value: object, *, is_ascii: bool) -> None:
    body = json.dumps(value, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")

    assert parse_json(body) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_decode_error(body: bytes) -> None:
    reason = None
    try:
        parse_json(body)
    except DecodeError as error:
        reason = error.reason

    assert reason in {None, "empty_body", "truncated", "too_deep", "number_too_long", "invalid_json"}


@pytest.mark.parametrize(
    ("body", "values"),
    [
        pytest.param(b'{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}], id="a value a line"),
        pytest.param(b"\xef\xbb\xbf[1, 2]\r\n\r\n \n[3]", [[1, 2], [3]], id="blank lines and a byte order mark"),
        pytest.param(b'1\n"x"\nnull', [1, "x", None], id="scalars"),
        pytest.param(b"Infinity\n-Infinity\n", [math.inf, -math.inf], id="infinities"),
    ],
)
def test_lines_are_values(body: bytes, values: object) -> None:
    assert parse_lines(body) == values


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "empty_body", id="nothing"),
        pytest.param(b"\n \r\n", "empty_body", id="blank lines"),
        pytest.param(b'{"a": 1}\n{"a": ', "truncated", id="the last line is cut"),
        pytest.param(b'{"a": \n{"a": 1}', "invalid_json", id="the first line is cut"),
        pytest.param(b"1\n2,3\n", "invalid_json", id="two values in a line"),
        pytest.param(b"1\n" + nested(100_000) + b"\n", "too_deep", id="a deep line"),
    ],
)
def test_what_is_wrong_with_lines_is_one_word(body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as error:
        parse_lines(body)

    assert reason_of(error) == reason


def test_lines_beyond_the_limit_are_counted_and_not_looked_at() -> None:
    values = parse_lines(b"7\n" * MAX_ROWS + b"{\n8\n9")

    assert len(values) == MAX_ROWS + 3
    assert set(map(str, values)) == {"7"}


@pytest.mark.parametrize(
    "value",
    [{"a": [1, 2.5, "x", True, None], "b": {"c": [[], {}]}}, [[1, 2], [3, 4]], 7, "text"],
    ids=["an object", "lists", "a number", "a text"],
)
def test_msgpack_is_read_as_json_would_have_it(value: object) -> None:
    assert parse_msgpack(msgspec.msgpack.encode(value)) == value


def test_what_only_msgpack_knows_becomes_what_json_has() -> None:
    value = {
        1: "number as key",
        "raw": b"\xff\xfe\x00",
        "said": [b"text as bytes"],
        "at": datetime(2026, 1, 2, tzinfo=UTC),
        "own": msgspec.msgpack.Ext(5, b"x"),
        "map": {b"k": 1},
    }

    assert parse_msgpack(msgspec.msgpack.encode(value)) == {
        "1": "number as key",
        "raw": {"bytes": 3},
        "said": [{"bytes": 13}],
        "at": "2026-01-02 00:00:00+00:00",
        "own": None,
        "map": {"k": 1},
    }


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "empty_body", id="nothing"),
        pytest.param(b"\x92\x01", "truncated", id="half a list"),
        pytest.param(b"\xdd\x7f\xff\xff\xff", "truncated", id="a list of two thousand million elements"),
        pytest.param(b"\xc1", "invalid_body", id="a byte that means nothing"),
        pytest.param(b"\x91" * 50 + b"\x01", "too_deep", id="50 levels"),
        pytest.param(b"\x91" * 60_000, "too_deep", id="60,000 levels"),
        pytest.param(b"\xdc\xff\xff" + b"\x90" * 0xFFFF, "too_large", id="65,535 empty lists"),
        pytest.param(b"\xdd\x00\x03\xff\xff" + b"\x80" * 0x3FFFF, "too_large", id="262,143 empty objects"),
    ],
)
def test_what_is_wrong_with_msgpack_is_one_word(body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as error:
        parse_msgpack(body)

    assert reason_of(error) == reason


def test_as_many_lists_as_are_allowed_are_read() -> None:
    rows: list[list[int]] = [[] for _ in range(MAX_NESTED - 2)]

    assert parse_msgpack(msgspec.msgpack.encode(rows)) == rows


def test_rows_that_are_only_counted_are_the_last_one() -> None:
    assert counted([1, 2], 3) == [1, 2, 2, 2, 2]
    assert counted([], 3) == []
    assert len(counted([1], 10**9)) == MAX_ROWS + 1
    assert len(counted([[0] * 256], 10**9)) == 513


def from_json(value: object) -> object:
    return parse_json(json.dumps(value).encode())


def from_msgpack(value: object) -> object:
    return parse_msgpack(msgspec.msgpack.encode(value))


@pytest.mark.parametrize("parse", [from_json, from_msgpack])
def test_columns_are_as_many_as_a_model_has(parse: Callable[[object], object]) -> None:
    columns = {f"c{at}": [1] for at in range(MAX_KEYS)}

    assert parse({"inputs": columns}) == {"inputs": columns}
    with pytest.raises(DecodeError, match="too_complex"):
        parse({"inputs": {**columns, "c": [1]}})
