import gzip
import json
import math
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.bodies import EXPANDED_BYTES, MAX_DEPTH, expand, parse_json
from dashlight.errors import DecodeError

BODY = b'{"a": 1.0, "b": "z"}'


def reason_of(error: pytest.ExceptionInfo[DecodeError]) -> str:
    return error.value.reason


def raw_deflate(body: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(body) + deflater.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        pytest.param(BODY, "", id="no encoding"),
        pytest.param(BODY, "identity", id="identity"),
        pytest.param(gzip.compress(BODY), "gzip", id="gzip"),
        pytest.param(gzip.compress(BODY), " GZip ", id="gzip, spelt oddly"),
        pytest.param(gzip.compress(BODY), "x-gzip", id="the old name of gzip"),
        pytest.param(zlib.compress(BODY), "deflate", id="deflate with its wrapper"),
        pytest.param(raw_deflate(BODY), "deflate", id="deflate without its wrapper"),
    ],
)
def test_a_content_encoding_is_undone(body: bytes, encoding: str) -> None:
    assert expand(body, encoding) == BODY


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip, br", "rot13"])
def test_an_encoding_that_is_not_read_is_named(encoding: str) -> None:
    with pytest.raises(DecodeError) as error:
        expand(BODY, encoding)

    assert reason_of(error) == "unsupported_encoding"
    assert encoding in str(error.value)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_that_is_not_what_its_encoding_says_is_invalid(encoding: str) -> None:
    with pytest.raises(DecodeError) as error:
        expand(b"\x00\x01\x02 nothing of the kind", encoding)

    assert reason_of(error) == "invalid_encoding"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(BODY)[:-9], "gzip"), (zlib.compress(BODY)[:-5], "deflate")],
    ids=["gzip", "deflate"],
)
def test_a_compressed_body_that_is_cut_is_truncated(body: bytes, encoding: str) -> None:
    with pytest.raises(DecodeError) as error:
        expand(body, encoding)

    assert reason_of(error) == "truncated"


def test_a_bomb_of_8_mb_is_given_up_at_the_limit() -> None:
    bomb = gzip.compress(b"0" * (8 << 20))
    tracemalloc.start()

    with pytest.raises(DecodeError) as error:
        expand(bomb, "gzip")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert reason_of(error) == "too_large"
    assert peak_bytes < 4 * EXPANDED_BYTES


def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert len(expand(gzip.compress(b" " * 100), "gzip", limit_bytes=100)) == 100


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
