import struct
from datetime import UTC, datetime

import msgspec
import pytest

from dashlight.decode.formats.bodies import parse_msgpack
from dashlight.decode.formats.msgpack_keys import MAX_KEYS, check_packed_keys
from dashlight.decode.rows.budget import MAX_CELLS
from dashlight.errors import DecodeError

EVERY_WIDTH: list[object] = [
    None, True, 1, -1, 200, -100, 60_000, -30_000, 1 << 31, -(1 << 30), 1 << 40, -(1 << 40), 1.5, "a", "b" * 40,
    "c" * 300, "d" * 70_000, b"\xff", b"\xff" * 300, b"\xff" * 70_000, [1] * 20, [[]] * 3, {"a": {}},
    datetime(2024, 1, 1, tzinfo=UTC), datetime(2500, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 0, 0, 0, 5, tzinfo=UTC),
    msgspec.msgpack.Ext(5, b"1"), msgspec.msgpack.Ext(5, b"12"), msgspec.msgpack.Ext(5, b"1234"),
    msgspec.msgpack.Ext(5, b"1" * 16), msgspec.msgpack.Ext(5, b"1" * 17), msgspec.msgpack.Ext(5, b"1" * 300),
]  # fmt: skip
PAIR = b"\x92\x01\x02"


def large(key: bytes, count: int = 1000) -> bytes:
    return b"\xde" + struct.pack(">H", count) + b"".join(msgspec.msgpack.encode(str(at)) + b"\1" for at in range(count - 1)) + key + b"\1"  # fmt: skip


@pytest.mark.parametrize("at", range(len(EVERY_WIDTH)))
def test_what_stands_before_a_large_object_is_passed_over_whatever_it_is(at: int) -> None:
    before = msgspec.msgpack.encode(EVERY_WIDTH[at])

    check_packed_keys(b"\x92" + before + large(msgspec.msgpack.encode("a")))
    with pytest.raises(DecodeError, match="too_complex"):
        check_packed_keys(b"\x92" + before + large(PAIR))


@pytest.mark.parametrize("key", [PAIR, b"\x90", b"\xdc\0\1\1", b"\xdd\0\0\0\1\1"], ids=["short", "empty", "16", "32"])
def test_a_large_object_has_no_lists_as_keys(key: bytes) -> None:
    with pytest.raises(DecodeError) as error:
        parse_msgpack(large(key))

    assert error.value.reason == "too_complex"


def test_a_list_is_the_key_of_a_small_object() -> None:
    assert parse_msgpack(b"\x81" + PAIR + b"\3") == {"(1, 2)": 3}
    assert parse_msgpack(b"\xde\0\2" + PAIR + b"\3\xa1a\4") == {"(1, 2)": 3, "a": 4}


def test_lists_are_values_of_a_large_object() -> None:
    body = msgspec.msgpack.encode({str(at): [at, {"a": at}] for at in range(1000)})

    assert parse_msgpack(body) == {str(at): [at, {"a": at}] for at in range(1000)}


def test_an_object_of_thirty_two_bits_is_looked_at_too() -> None:
    with pytest.raises(DecodeError, match="too_complex"):
        check_packed_keys(b"\xdf\0\0\4\0" + PAIR + b"\1" * 3000)


def test_more_values_than_a_table_has_are_not_walked_through() -> None:
    with pytest.raises(DecodeError, match="too_complex"):
        check_packed_keys(b"\xdd\0\4\0\0\xde\1\0" + b"\1" * (MAX_CELLS + 10))


def test_a_cut_body_is_left_to_whoever_reads_it() -> None:
    check_packed_keys(large(b"\xa1a")[:-300])


def test_keys_that_are_numbers_are_as_many_as_honest_rows_have() -> None:
    row = dict.fromkeys(range(1000), 1.5)

    assert parse_msgpack(msgspec.msgpack.encode([row] * 4)) == [{str(at): 1.5 for at in range(1000)}] * 4
    assert parse_msgpack(msgspec.msgpack.encode([{0: 1, 1: 2}] * 10_000)) == [{"0": 1, "1": 2}] * 10_000
    for many in ([row] * 5, [{0: 1, 1: 2, 2: 3, 3: 4}] * 9_000):
        with pytest.raises(DecodeError, match="too_complex"):
            parse_msgpack(msgspec.msgpack.encode(many))


def test_a_row_has_some_thousand_names_and_not_more_than_all_rows_together() -> None:
    row = {str(at): 1 for at in range(MAX_KEYS)}

    assert parse_msgpack(msgspec.msgpack.encode(row)) == row
    with pytest.raises(DecodeError, match="too_complex"):
        parse_msgpack(msgspec.msgpack.encode({**row, "a": 1}))
