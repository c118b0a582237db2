import io
import struct
import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.decode.formats.npy_body import MAX_HEADER_BYTES, read_npy, read_npz
from dashlight.decode.rows.budget import MAX_ROWS
from dashlight.errors import DecodeError


def saved(array: NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=array.dtype.hasobject)
    return buffer.getvalue()


def archive(*unnamed: NDArray[np.generic], is_packed: bool = False, **named: NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    (np.savez_compressed if is_packed else np.savez)(buffer, *unnamed, **named)  # type: ignore[arg-type]
    return buffer.getvalue()


def headed(header: str, body: bytes = b"", version: int = 1) -> bytes:
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode("latin-1") + body


@pytest.mark.parametrize(
    ("array", "value"),
    [
        pytest.param(np.array([[5.1, 3.5], [6.7, 3.1]]), [[5.1, 3.5], [6.7, 3.1]], id="floats"),
        pytest.param(np.array([[1, 2], [3, 4]], ">i4"), [[1, 2], [3, 4]], id="the other byte order"),
        pytest.param(np.asfortranarray(np.array([[1, 2, 3], [4, 5, 6]])), [[1, 2, 3], [4, 5, 6]], id="by columns"),
        pytest.param(np.array([True, False]), [True, False], id="truth values"),
        pytest.param(np.array([0.5, 1.5], np.float16), [0.5, 1.5], id="halves"),
        pytest.param(np.array([0.5], np.longdouble), [0.5], id="long floats"),
        pytest.param(np.array(7), 7, id="a scalar"),
        pytest.param(np.zeros((0, 4)), [], id="no rows"),
        pytest.param(np.arange(8).reshape(2, 2, 2), [[0, 1, 2, 3], [4, 5, 6, 7]], id="three dimensions"),
        pytest.param(np.array(["caf\u00e9", "b"]), ["caf\u00e9", "b"], id="texts"),
        pytest.param(np.array([b"caf\xc3\xa9"]), ["caf\u00e9"], id="texts as bytes"),
        pytest.param(np.array(["2026-01-02"], "M8[D]"), ["2026-01-02"], id="days"),
        pytest.param(
            np.array([(1, 0.5, b"x")], [("a", "<i4"), ("b", "<f8"), ("c", "S1")]),
            [{"a": 1, "b": 0.5, "c": "x"}],
            id="fields",
        ),
    ],
)
def test_an_array_is_read_as_numpy_wrote_it(array: NDArray[np.generic], value: object) -> None:
    assert read_npy(saved(array)) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(saved(np.array([{"a": 1}], object)), "opaque_body", id="objects"),
        pytest.param(saved(np.array([1j])), "opaque_body", id="complex numbers"),
        pytest.param(saved(np.zeros(5))[:-1], "truncated", id="a byte too few"),
        pytest.param(saved(np.zeros(5))[:60], "truncated", id="half a header"),
        pytest.param(b"\x93NUM", "truncated", id="half a magic"),
        pytest.param(b"no array at all", "invalid_body", id="text"),
        pytest.param(headed("{'descr': '<f4', 'shape': (1000000000000,)}"), "truncated", id="10**12 elements"),
        pytest.param(headed("{'descr': '<f4', 'fortran_order': False}"), "invalid_body", id="no shape"),
        pytest.param(headed("{'descr': '<f3', 'shape': (1,)}", b"abc"), "invalid_body", id="no such type"),
        pytest.param(headed("{'descr': '<U1', 'shape': (1,)}", b"\xff" * 4), "invalid_body", id="no character"),
        pytest.param(
            headed("{'descr': '<U2', 'shape': (1,)}", b"\0\0\0\x61" * 2),
            "invalid_body",
            id="no characters that NumPy takes for some",
        ),
        pytest.param(
            headed("{'descr': [('a', '<U2'), ('b', '|b1')], 'shape': (1,)}", b"\0\0\0\x61" * 2 + b"\1"),
            "invalid_body",
            id="no characters in a record",
        ),
        pytest.param(headed("(" * 5000), "opaque_body", id="brackets"),
        pytest.param(headed("x" * (MAX_HEADER_BYTES + 1), version=2), "invalid_body", id="a long header"),
        pytest.param(b"\x93NUMPY\x03\x00" + struct.pack("<I", 1 << 31), "invalid_body", id="a header of 2 GiB"),
    ],
)
def test_what_is_wrong_with_an_array_is_one_word(body: bytes, reason: str) -> None:
    tracemalloc.start()

    with pytest.raises(DecodeError) as error:
        read_npy(body)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert error.value.reason == reason
    assert peak_bytes < 4 << 20


@pytest.mark.parametrize("header", ["{'descr': '<f4', 'shape': (10**12, 0)}", "{'descr': '<U0', 'shape': (99999,)}"])
def test_an_array_of_no_bytes_has_no_rows(header: str) -> None:
    assert read_npy(headed(header.replace("10**12", "1000000000000"))) == []


def test_half_a_character_is_marked() -> None:
    body = headed("{'descr': '<U1', 'shape': (1,)}", struct.pack("<I", 0xD800))
    record = headed("{'descr': [('a', '<U1')], 'shape': (1,)}", struct.pack("<I", 0xD800))

    assert read_npy(body) == ["\N{REPLACEMENT CHARACTER}"]
    assert read_npy(record) == [{"a": "\N{REPLACEMENT CHARACTER}"}]


def test_rows_beyond_the_limit_are_counted_only() -> None:
    rows = read_npy(saved(np.ones((MAX_ROWS + 7, 1), np.int8)))

    assert isinstance(rows, list)
    assert len(rows) == MAX_ROWS + 7
    assert rows[-1] is rows[-2]


@pytest.mark.parametrize("is_packed", [False, True], ids=["stored", "deflated"])
def test_arrays_of_one_length_stand_side_by_side(*, is_packed: bool) -> None:
    x, y = np.array([[1, 2], [3, 4]]), np.array(["a", "b"])

    assert read_npz(archive(x, is_packed=is_packed)) == [[1, 2], [3, 4]]
    assert read_npz(archive(x=x, y=y, is_packed=is_packed)) == [{"x": [1, 2], "y": "a"}, {"x": [3, 4], "y": "b"}]
    assert read_npz(archive(x=x, k=np.array(7), is_packed=is_packed)) == {"x": [[1, 2], [3, 4]], "k": 7}


PLAIN = archive(x=np.zeros(3))
ENTRY = PLAIN.rfind(b"PK\x01\x02")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(archive(x=np.zeros(8 << 20, np.int8), is_packed=True), "too_large", id="8 MB in 8 KB"),
        pytest.param(archive(x=np.array([{}], object)), "opaque_body", id="objects"),
        pytest.param(archive(), "invalid_body", id="empty"),
        pytest.param(PLAIN[:-30], "truncated", id="cut"),
        pytest.param(PLAIN[:-5], "invalid_body", id="cut in the end"),
        pytest.param(PLAIN.replace(b"x.npy", b"x.txt"), "opaque_body", id="another file"),
        pytest.param(PLAIN[:ENTRY] + b"PK\x00\x00" + PLAIN[ENTRY + 4 :], "invalid_body", id="no directory"),
        pytest.param(PLAIN[: ENTRY + 10] + b"\x0c\0" + PLAIN[ENTRY + 12 :], "unsupported_encoding", id="bzip2"),
        pytest.param(
            PLAIN[: ENTRY + 10].replace(b"\x93NUMPY", b"\xff" * 6) + b"\x08\0" + PLAIN[ENTRY + 12 :],
            "invalid_body",
            id="no deflate",
        ),
    ],
)
def test_what_is_wrong_with_an_archive_is_one_word(body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as error:
        read_npz(body)

    assert error.value.reason == reason


@pytest.mark.parametrize(
    "shape", ["1" * 60 + "x", "1," * 17, "1" * 19, "1 1", "L", "x", "1" * 600], ids=lambda shape: f"{shape[:5]}..."
)
def test_a_shape_that_is_none_is_refused_at_once(shape: str) -> None:
    with pytest.raises(DecodeError) as error:
        read_npy(headed(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}"))

    assert error.value.reason == "invalid_body"


def test_texts_and_moments_of_any_shape_are_written() -> None:
    texts = np.array([[b"a", b"\xc3\xa9"], [b"", b"\xff"]])
    days = np.arange(np.datetime64("2000-01-01"), np.datetime64("2000-01-01") + 9000)

    assert read_npy(saved(texts)) == [["a", "\u00e9"], ["", "\N{REPLACEMENT CHARACTER}"]]
    assert read_npy(saved(np.array(b"a"))) == "a"
    assert read_npy(saved(np.array(days[0]))) == "2000-01-01"
    assert read_npy(saved(days)) == days.astype(str).tolist()
    assert read_npy(saved(days.reshape(4500, 2))) == days.reshape(4500, 2).astype(str).tolist()


def test_an_archive_that_expands_beyond_a_hundred_times_its_size_is_too_complex() -> None:
    with pytest.raises(DecodeError) as error:
        read_npz(archive(x=np.zeros((9000, 10), np.int8), is_packed=True))

    assert error.value.reason == "too_complex"
