"""A file of parts comes back as it was, or not at all."""

from __future__ import annotations

import struct
import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.errors import StateError
from dashlight.store.frozen import FORMAT, MOST_PARTS, Part, sealed, unsealed

buffers = st.binary(max_size=200)
parts = st.lists(
    st.tuples(st.text(max_size=20), st.integers(0, 9), buffers, st.lists(buffers, max_size=3)), max_size=4
).map(
    lambda found: [
        Part(name, number, body, [memoryview(each) for each in arrays]) for name, number, body, arrays in found
    ]
)


def blob_of(held: list[Part]) -> bytes:
    return b"".join(sealed(held))


def told(held: list[Part]) -> list[tuple[str, int, bytes, list[bytes]]]:
    return [(part.name, part.version, bytes(part.body), list(map(bytes, part.arrays))) for part in held]


def packed(body: bytes, *, table_bytes: int, number: int = FORMAT) -> bytes:
    """A file in the layout that is written down, typed out here on purpose."""
    return struct.pack("<4sHxxII", b"DLst", number, table_bytes, zlib.crc32(body)) + body


def refusal(blob: bytes) -> StateError:
    with pytest.raises(StateError) as caught:
        unsealed(blob)
    return caught.value


@given(parts)
def test_parts_come_back_as_they_were(held: list[Part]) -> None:
    assert told(unsealed(bytearray(blob_of(held)))) == told(unsealed(memoryview(blob_of(held)))) == told(held)


def test_the_layout_is_the_one_that_is_written_down() -> None:
    table = msgspec.msgpack.encode([("counts", 2, 3, [5])])

    found = blob_of([Part("counts", 2, b"abc", [memoryview(b"array")])])

    start = 16 + len(table) + 3
    assert found == packed(table + b"abc" + bytes(-start % 64) + b"array", table_bytes=len(table))


@given(parts)
def test_arrays_lie_where_numpy_may_read_them(held: list[Part]) -> None:
    whole = bytearray(blob_of(held))
    begin = np.frombuffer(whole, np.uint8).ctypes.data

    for part in unsealed(whole):
        for array in part.arrays:
            assert not array.readonly
            assert not len(array) or (np.frombuffer(array, np.uint8).ctypes.data - begin) % 64 == 0


@given(parts, st.data())
def test_a_changed_file_is_refused(held: list[Part], data: st.DataObject) -> None:
    blob = bytearray(blob_of(held))
    place = data.draw(st.integers(0, len(blob) - 1))
    blob[place] ^= data.draw(st.integers(1, 255))
    # Two bytes between format and table mean nothing.
    if place not in {6, 7}:
        assert refusal(bytes(blob)).kind in {"corrupt", "other_version"}


def test_every_length_that_a_half_written_file_may_have_is_refused() -> None:
    blob = blob_of([Part("counts", 2, b"abc", [memoryview(b"array")])])

    assert {refusal(blob[:length]).kind for length in range(len(blob))} == {"corrupt"}
    assert refusal(blob + b"\0").kind == "corrupt"


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(blob: bytes) -> None:
    assert refusal(blob).kind == "corrupt"


@pytest.mark.parametrize(("number", "is_newer"), [(1, False), (2, False), (FORMAT + 1, True), (65535, True)])
def test_another_format_is_told_from_damage_and_newer_from_older(number: int, *, is_newer: bool) -> None:
    # All that is known of a format to come is that its number stands where it always stood.
    error = refusal(struct.pack("<4sH", b"DLst", number) + b"x")

    assert (error.kind, error.is_newer) == ("other_version", is_newer)
    assert str(error) == f"a state of format {number}: this Dashlight reads {FORMAT}"


def encoded(*entries: object) -> bytes:
    return msgspec.msgpack.encode(list(entries))


@pytest.mark.parametrize(
    ("table", "rest"),
    [
        (b"", b""),
        (b"\xc1", b""),
        (b"\xdd\xff\xff\xff\xff", b""),
        (b"\x91" * 100_000, b""),
        (encoded(("a", 1, 3)), b"abc"),
        (encoded(("a", -1, 3, [])), b"abc"),
        (encoded(("a", 1, -3, [])), b"abc"),
        (encoded(("a", 1, 2**40, [])), b"abc"),
        (encoded(("a", 1, 2**62, [])), b"abc"),
        (encoded(("a", 1, 3, [2**40])), b"abc"),
        (encoded(("a", 1, 3, ["x"])), b"abc"),
        (encoded(("a" * 257, 1, 3, [])), b"abc"),
        (encoded((b"\xff", 1, 3, [])), b"abc"),
        (b"\x91\x94\xa1\xff\x01\x03\x90", b"abc"),
        (encoded(*[("a", 1, 0, [])] * (MOST_PARTS + 1)), b""),
        (encoded(("a", 1, 3, []), ("b", 1, 3, [])), b"abc"),
    ],
    ids=[
        "none", "no MessagePack", "four billion", "deep", "short", "version", "below zero", "long", "too long", "array",
        "no length", "long name", "name of bytes", "name of no text", "many", "more than there is",
    ],
)  # fmt: skip
def test_absurd_tables_are_damage(table: bytes, rest: bytes) -> None:
    assert refusal(packed(table + rest, table_bytes=len(table))).kind == "corrupt"


def test_a_table_that_ends_beyond_the_file_is_damage() -> None:
    table = encoded()

    assert refusal(packed(table, table_bytes=2**32 - 1)).kind == "corrupt"
