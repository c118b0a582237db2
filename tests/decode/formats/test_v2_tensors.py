import json
import struct
import tracemalloc

import numpy as np
import pytest

from dashlight.decode.formats.v2_tensors import with_tensors
from dashlight.errors import DecodeError

GIF = b"GIF89a\x05\x00\x04\x00\xff\xff"


def tensor(name: str, datatype: str, size: object, shape: object = (1,)) -> dict[str, object]:
    return {"name": name, "shape": shape, "datatype": datatype, "parameters": {"binary_data_size": size}}


def body_of(value: object, tail: bytes = b"") -> tuple[bytes, str]:
    head = json.dumps(value).encode()
    return (head + tail, str(len(head)))


def read(*tensors: dict[str, object], tail: bytes) -> list[object]:
    value = with_tensors(*body_of({"id": "7", "inputs": list(tensors)}, tail))
    assert isinstance(value, dict)
    return [entry.get("data") for entry in value["inputs"]]


def texts(*elements: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(element)) + element for element in elements)


@pytest.mark.parametrize(
    ("datatype", "tail", "cells"),
    [
        ("BOOL", b"\0\1\2", [False, True, True]),
        ("INT8", b"\xff\x7f", [-1, 127]),
        ("UINT8", b"\xff\x7f", [255, 127]),
        ("INT16", struct.pack("<2h", -2, 3), [-2, 3]),
        ("UINT16", struct.pack("<H", 65535), [65535]),
        ("INT32", struct.pack("<i", -(2**31)), [-(2**31)]),
        ("UINT32", struct.pack("<I", 2**32 - 1), [2**32 - 1]),
        ("INT64", struct.pack("<q", 2**53 + 1), [2**53 + 1]),
        ("UINT64", struct.pack("<Q", 2**64 - 1), [2**64 - 1]),
        ("FP16", struct.pack("<2e", 0.5, -2.0), [0.5, -2.0]),
        # The upper halves of 1.0 and of -3.140625 as 32-bit floats.
        ("BF16", b"\x80\x3f\x49\xc0", [1.0, -3.140625]),
        ("FP32", struct.pack("<f", 0.25), [0.25]),
        ("FP64", struct.pack("<d", 0.1), [0.1]),
        ("BYTES", texts(b"cat", b"", "\u00e9".encode()), ["cat", "", "\u00e9"]),
        ("BYTES", texts(b"cat", b"", b"\xff\xfe", GIF),
         [{"bytes": 3}, {"bytes": 0}, {"bytes": 2}, {"format": "gif", "bytes": 12, "width": 5, "height": 4}]),
        ("FP8", b"abc", [{"bytes": 3}]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_every_datatype_is_read(datatype: str, tail: bytes, cells: list[object]) -> None:
    assert read(tensor("x", datatype, len(tail)), tail=tail) == [cells]


def test_tensors_stand_in_the_order_of_the_head_whatever_their_types() -> None:
    plain: dict[str, object] = {"name": "j", "shape": [1], "datatype": "FP32", "data": [9.5]}
    tail = struct.pack("<2f", 1, 2) + struct.pack("<f", 3) + texts(b"u") + struct.pack("<f", 4) + b"\1\2\3" + b"\7"

    found = read(
        tensor("a", "FP32", 8),
        plain,
        tensor("b", "FP32", 4),
        tensor("c", "BYTES", 5),
        tensor("d", "FP32", 4),
        tensor("cut", "FP32", 3),
        tensor("e", "INT8", 1),
        {"name": "bare"},
        tail=tail,
    )

    assert found == [[1, 2], [9.5], [3], ["u"], [4], [], [7], None]


def test_answers_are_read_alike() -> None:
    value = with_tensors(*body_of({"outputs": [tensor("y", "INT64", 8)]}, struct.pack("<q", 5)))

    assert isinstance(value, dict)
    assert value["outputs"][0]["data"] == [5]


def test_a_body_without_json_is_one_cell() -> None:
    assert with_tensors(b"\0\1\2\3", "0") == {"bytes": 4}


@pytest.mark.parametrize(
    ("body", "length", "reason"),
    [
        pytest.param(b"{}", "x", "unknown_layout", id="no number"),
        pytest.param(b"{}", "-1", "unknown_layout", id="a negative number"),
        pytest.param(b"{}", "9" * 5000, "unknown_layout", id="a number of 5,000 digits"),
        pytest.param(b"{}", "3", "truncated", id="more than there is"),
        pytest.param(b"{x", "2", "invalid_json", id="no JSON"),
        pytest.param(*body_of({"inputs": [tensor("x", "FP32", 8)]}, b"1234"), "truncated", id="too few bytes"),
        pytest.param(*body_of({"inputs": [tensor("x", "FP32", 10**12)]}), "truncated", id="10**12 bytes"),
        pytest.param(*body_of({"inputs": [tensor("x", "FP32", -4)]}), "unknown_layout", id="a negative size"),
        pytest.param(*body_of({"inputs": [tensor("x", "FP32", "4")]}), "unknown_layout", id="a size as text"),
        pytest.param(
            *body_of({"inputs": [tensor("x", "BYTES", 8)]}, b"\xff\xff\xff\x7fabcd"), "unknown_layout", id="a long text"
        ),
    ],
)
def test_what_is_wrong_with_a_binary_body_is_one_word(body: bytes, length: str, reason: str) -> None:
    tracemalloc.start()
    with pytest.raises(DecodeError) as error:
        with_tensors(body, length)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert error.value.reason == reason
    assert peak_bytes < 1 << 20


def test_bodies_without_tensors_stay_as_they_are() -> None:
    assert with_tensors(b"[1]", "3") == [1]
    assert with_tensors(b'{"inputs": 5, "outputs": [1]}', "29") == {"inputs": 5, "outputs": [1]}


def test_many_tensors_of_one_type_are_one_look_at_the_bytes() -> None:
    numbers = np.arange(35, dtype=np.float32)

    found = read(*(tensor(f"x{at}", "FP32", 4) for at in range(35)), tail=numbers.tobytes())

    assert found == [[float(at)] for at in range(35)]
