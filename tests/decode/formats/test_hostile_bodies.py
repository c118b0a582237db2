"""Bodies that are not JSON, as attackers and broken clients send them: bounded memory, bounded work, one error."""

import base64
import gzip
import io
import json
import random
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Mapping

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import ipc, parquet

from dashlight.decode.batch import Decoder
from dashlight.decode.exchange import decode_exchange
from dashlight.decode.formats.content import content_of
from dashlight.decode.rows.reasons import Reason
from dashlight.errors import DecodeError
from dashlight.records import Exchange

Make = Callable[..., Exchange]

KEPT = 1 << 18
MAX_BYTES = 20_000_000
REASONS = frozenset(Reason.__args__)  # type: ignore[attr-defined]
CSV = {"content-type": "text/csv"}
LINES = {"content-type": "application/jsonlines"}
LIBSVM = {"content-type": "text/libsvm"}
NPY = {"content-type": "application/x-npy"}
NPZ = {"content-type": "application/x-npz"}
MSGPACK = {"content-type": "application/msgpack"}
PARTS = {"content-type": "multipart/form-data; boundary=b"}
ARROW = {"content-type": "application/vnd.apache.arrow.stream"}
PARQUET = {"content-type": "application/vnd.apache.parquet"}
PNG = {"content-type": "image/png"}
JSON = {"content-type": "application/json"}


def npy_header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def npz(array: object) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.asarray(array))
    return buffer.getvalue()


def arrow(**columns: object) -> bytes:
    buffer, table = pa.BufferOutputStream(), pa.table(columns)
    with ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    written: bytes = buffer.getvalue().to_pybytes()
    return written


def parquet_of(**columns: object) -> bytes:
    buffer = pa.BufferOutputStream()
    # Without the schema of Arrow a column of categories is one of texts again.
    parquet.write_table(pa.table(columns), buffer, store_schema=False)
    written: bytes = buffer.getvalue().to_pybytes()
    return written


def png(width: int, height: int, data: bytes = b"") -> bytes:
    chunk = struct.pack(">I", len(data)) + b"IDAT" + data + b"\0\0\0\0"
    return (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0) + b"\0\0\0\0" + chunk
    )


def tensors(*entries: tuple[str, int, list[int]], tail: bytes = b"") -> tuple[bytes, dict[str, str]]:
    inputs = [
        {"name": f"x{at}", "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": size}}
        for at, (datatype, size, shape) in enumerate(entries)
    ]
    head = json.dumps({"inputs": inputs}).encode()
    return (head + tail, {"inference-header-content-length": str(len(head))})


SHARED = pa.DictionaryArray.from_arrays(pa.array(np.zeros(10**5, np.int8)), pa.array(["x" * 10**5]))
"""A text of 100 KB in 100,000 rows."""

BOMBS = [
    pytest.param(b"," * 1_000_000, CSV, id="a million commas"),
    pytest.param(b"," * KEPT, CSV, id="commas up to the cap"),
    pytest.param(b"1\n" * (KEPT // 2), CSV, id="a number a line"),
    pytest.param(b"a,b\n" + b"1,x\n" * (KEPT // 4), CSV, id="two values a line"),
    pytest.param(b'"' * KEPT, CSV, id="quotation marks"),
    pytest.param(b'a,b\n1,"' + b"x\n" * (KEPT // 2), CSV, id="a quotation mark without its end"),
    pytest.param(gzip.compress(b"x,\n" * (KEPT * 2 // 3)), {**CSV, "content-encoding": "gzip"}, id="CSV of 512 KiB"),
    pytest.param(b"[]\n" * (KEPT // 3), LINES, id="empty lists by lines"),
    pytest.param(b"NaN\n" * (KEPT // 4), LINES, id="lines that msgspec refuses"),
    pytest.param(b"1 256:1\n" * (KEPT // 8), LIBSVM, id="sparse rows"),
    pytest.param(b"1 " + b" ".join(b"%d:1" % at for at in range(30_000)), LIBSVM, id="a wide sparse row"),
    pytest.param(npy_header("{'descr': '<f4', 'shape': (1000000000000,)}"), NPY, id="an array of 10**12"),
    pytest.param(npy_header("{'descr': '<f4', 'shape': (1000000000000, 0)}"), NPY, id="10**12 rows of nothing"),
    pytest.param(
        gzip.compress(npy_header("{'descr': '|i1', 'shape': (520000, 1)}") + b"\1" * 520_000),
        {**NPY, "content-encoding": "gzip"},
        id="half a million rows",
    ),
    pytest.param(npz(np.zeros(8 << 20, np.int8)), NPZ, id="an archive of 8 MB in 8 KB"),
    pytest.param(b"\xdd\x7f\xff\xff\xff", MSGPACK, id="a list of 2**31 in msgpack"),
    pytest.param(b"\xdd\x00\x03\xff\xf0" + b"\x80" * 0x3FFF0, MSGPACK, id="objects of a byte"),
    pytest.param(b"\xdd\x00\x03\xff\xf0" + b"\x01" * 0x3FFF0, MSGPACK, id="numbers of a byte"),
    pytest.param(b"\x91" * 60_000, MSGPACK, id="60,000 levels of msgpack"),
    pytest.param(
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * KEPT, PARTS, id="a form without end"
    ),
    pytest.param(b"\r\n--b" * (KEPT // 5), PARTS, id="boundaries"),
    pytest.param(png(2**31, 2**31), PNG, id="an image of 2**62 pixels"),
    pytest.param(png(8, 8, zlib.compress(bytes(50 << 20))), PNG, id="a small image of 50 MB"),
    pytest.param(b"\xff\xd8" + b"\xff\xe0\0\2" * (KEPT // 4), {"content-type": "image/jpeg"}, id="a JPEG of segments"),
    pytest.param(json.dumps(["/9j/" + "A" * 40] * 5000).encode(), JSON, id="5,000 texts that begin like images"),
    pytest.param(arrow(a=pa.nulls(10**9)), ARROW, id="10**9 nulls"),
    pytest.param(
        arrow(a=SHARED),
        ARROW,
        id="a text that stands for 10 GB",
    ),
    pytest.param(parquet_of(a=np.zeros(2 * 10**6, np.int64)), PARQUET, id="2,000,000 equal numbers"),
    pytest.param(parquet_of(a=SHARED), PARQUET, id="10 GB of Parquet"),
    pytest.param(*tensors(("FP32", 8, [10**12]), tail=bytes(8)), id="a tensor of 10**12"),
    pytest.param(*tensors(("BOOL", KEPT - 200, [KEPT - 200]), tail=bytes(KEPT - 200)), id="a truth value a byte"),
    pytest.param(*tensors(("BYTES", KEPT - 200, [KEPT // 4]), tail=bytes(KEPT - 200)), id="65,000 empty texts"),
    pytest.param(*tensors(*([("FP32", 0, [1])] * 3000)), id="3,000 tensors"),
]


@pytest.mark.parametrize(("body", "headers"), BOMBS)
def test_no_bomb_takes_much_memory_or_raises(exchange: Make, body: bytes, headers: Mapping[str, str]) -> None:
    path = "/v2/models/m/infer" if "inference-header-content-length" in headers else "/predict"
    bombs = (
        exchange(body, {"y": 1}, path=path, headers=headers),
        exchange({"x": 1}, body, path="/predict", answer_headers=headers),
    )
    # Modules that load with the first body of their kind.
    decode_exchange(bombs[0])

    for bomb in bombs:
        arrow_before = pa.total_allocated_bytes()
        tracemalloc.start()
        reason = decode_exchange(bomb).undecodable
        Decoder(model="", version="").decode([bomb])
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert reason != "unforeseen"
        assert peak_bytes < MAX_BYTES
        assert pa.total_allocated_bytes() - arrow_before < 1 << 20


FRAME = {"age": [31, None, 55], "city": ["Oslo", "Bergen", None], "v": [[0.5, 1.0], [2.0], None]}
V2_BODY, V2_HEADERS = tensors(
    ("FP32", 16, [2, 2]), ("BYTES", 12, [2]), tail=struct.pack("<4f", 5.1, 3.5, 1.4, 0.2) + b"\1\0\0\0a\3\0\0\0bcd"
)
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="image"; filename="p.png"\r\nContent-Type: image/png\r\n\r\n'
    + png(4, 4, zlib.compress(bytes(4 * 13)))
    + b'\r\n--b\r\nContent-Disposition: form-data; name="t"\r\n\r\n[0.7, {"a": 1}]\r\n--b--\r\n'
)
SAMPLES: list[tuple[bytes, dict[str, str]]] = [
    (b"a,b,c\n1,x,2.5\n,y,nan\n", CSV),
    (b"0.7,12.5,9\n2.0,1.0,3\n", CSV),
    (b'{"a": 1}\n{"a": NaN, "b": [1]}\n', LINES),
    (b"1 1:0.5 3:2\n-1 2:1e-3\n", LIBSVM),
    (npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }") + struct.pack("<4d", 1, 2, 3, 4), NPY),
    (
        npy_header("{'descr': [('a', '<U2'), ('b', '|b1')], 'fortran_order': True, 'shape': (1,), }") + b"a\0\0\0" * 3,
        NPY,
    ),
    (npz([[1, 2], [3, 4]]), NPZ),
    (msgspec.msgpack.encode({"a": 1, "b": [0.5, None, "x"], "c": b"\xff", "d": {"e": True}}), MSGPACK),
    (FORM, PARTS),
    (arrow(**FRAME), ARROW),
    (parquet_of(**FRAME), PARQUET),
    (V2_BODY, V2_HEADERS),
    (png(4, 4, zlib.compress(bytes(4 * 13))), PNG),
    (b"\xff\xd8\xff\xe0\0\4ab\xff\xc0\0\x11\x08\0\x10\0\x20", {"content-type": "image/jpeg"}),
    (b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x01\x02\x03\x04", {}),
    (json.dumps({"image": base64.b64encode(png(4, 4)).decode(), "k": 1}).encode(), JSON),
    (zlib.compress(b'{"a": 1}'), {**JSON, "content-encoding": "deflate"}),
    (gzip.compress(b"1,2\n3,4"), {**CSV, "content-encoding": "gzip"}),
    (gzip.compress(b'{"a": 1}'), {}),
    (b"\x80\x04\x95\x05\0\0\0\0\0\0\0]\x94K\1a.", {}),
]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[bytes, dict[str, str]]:
    body, headers = draw(st.sampled_from(SAMPLES))
    changed = bytearray(body)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(changed) - 1)))
        how = draw(st.sampled_from(["flip", "cut", "drop", "insert", "repeat", "ones"]))
        if how == "flip" and changed:
            changed[at] = draw(st.integers(0, 255))
        elif how == "cut":
            del changed[at:]
        elif how == "drop":
            del changed[at : at + draw(st.integers(1, 8))]
        elif how == "insert":
            changed[at:at] = draw(st.binary(max_size=8))
        elif how == "ones":
            changed[at : at + 4] = b"\xff" * 4
        else:
            changed *= 2
    if draw(st.integers(0, 9)) == 0:
        headers = draw(st.sampled_from([headers for _, headers in SAMPLES]))
    return (bytes(changed), headers)


@settings(max_examples=600, deadline=None)
@given(sample=mutated(), is_truncated=st.booleans())
def test_any_mutation_is_read_or_one_error(sample: tuple[bytes, dict[str, str]], *, is_truncated: bool) -> None:
    body, headers = sample
    reason = None
    try:
        content_of(
            body, [(name.encode(), value.encode()) for name, value in headers.items()], is_truncated=is_truncated
        )
    except DecodeError as error:
        reason = error.reason

    assert reason in REASONS - {"unforeseen"} | {None}


@settings(max_examples=150, deadline=None)
@given(mutated(), mutated(), st.sampled_from(["/predict", "/v2/models/m/infer", "/invocations"]))
def test_no_exchange_raises_and_every_row_has_its_columns(
    exchange: Make, asked: tuple[bytes, dict[str, str]], answered: tuple[bytes, dict[str, str]], path: str
) -> None:
    made = exchange(asked[0], answered[0], path=path, headers=asked[1], answer_headers=answered[1])

    decoded = decode_exchange(made)

    assert decoded.undecodable != "unforeseen"
    for sheet in (decoded.features, decoded.outputs):
        if sheet is not None:
            assert all(len(row) == len(sheet.names) for row in sheet.values)


def test_bytes_at_random_are_read_or_one_error(exchange: Make) -> None:
    rng = random.Random(7)
    for _, headers in SAMPLES:
        for _ in range(20):
            decoded = decode_exchange(exchange(rng.randbytes(rng.randrange(300)), {"y": 1}, headers=headers))
            assert decoded.undecodable != "unforeseen"


def a_form(*files: bytes) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
    return b"".join(head + file + b"\r\n" for file in files) + b"--b--\r\n"


def small_png() -> bytes:
    return png(48, 48, zlib.compress((b"\4" + bytes(range(144))) * 48))


TOO_COMPLEX = [
    pytest.param(
        a_form(*[npz(np.zeros(200_000, np.int8))] * 20), PARTS, id="archives in a form, each within the limit"
    ),
    pytest.param(
        gzip.compress(b"[" + b"[]," * 170_000 + b"1]"), {**JSON, "content-encoding": "gzip"}, id="534 bytes of lists"
    ),
    pytest.param(gzip.compress(b"[" + b"[]," * 170_000 + b"1]"), JSON, id="the same, not said to be compressed"),
    pytest.param(b"[" + b"[[]]," * 40_000 + b"1]", JSON, id="lists in lists"),
    pytest.param(a_form(b"[" + b"[[]]," * 40_000 + b"1]"), PARTS, id="lists in lists in a form"),
    pytest.param(b"[NaN," + b"[1]," * 50_000 + b"1]", JSON, id="lists behind a NaN"),
    pytest.param(arrow(**{f"c{at}": pa.nulls(9000) for at in range(14)}), ARROW, id="columns of nulls"),
    pytest.param(
        parquet_of(**{f"c{at}": np.zeros(9000, np.int64) for at in range(14)}), PARQUET, id="columns of noughts"
    ),
    pytest.param(
        gzip.compress(arrow(a=np.zeros(200_000, np.int8))),
        {**ARROW, "content-encoding": "gzip"},
        id="a compressed table",
    ),
    pytest.param(arrow(a=[b"\xff"] * 9000, b=[b"\xff"] * 9000), ARROW, id="cells of bytes"),
    pytest.param(*tensors(("BYTES", 5 * 20_000, [20_000]), tail=b"\1\0\0\0\xff" * 20_000), id="elements of bytes"),
    pytest.param(
        json.dumps({"context": {"a": [1] * 250}, "examples": [{}] * 600}).encode(),
        JSON,
        id="a context for many examples",
    ),
]


@pytest.mark.parametrize(("body", "headers"), TOO_COMPLEX)
def test_more_work_than_a_body_of_its_size_asks_for_is_refused(
    exchange: Make, body: bytes, headers: Mapping[str, str]
) -> None:
    path = "/v2/models/m/infer" if "inference-header-content-length" in headers else "/v1/models/m:classify"
    bomb = exchange(body, {"y": 1}, path=path, headers=headers)

    decoded = decode_exchange(bomb)

    assert decoded.undecodable == "too_complex"
    assert "over_limit" in decoded.flags
    assert Decoder(model="", version="").decode([bomb]).undecodable == [(0, "too_complex")]


def light_of(cells: list[object]) -> list[bool]:
    return ["brightness" in cell for cell in cells if isinstance(cell, dict)]


def test_of_many_images_the_first_are_looked_into() -> None:
    images = [base64.b64encode(small_png()).decode()] * 100
    body = json.dumps(images).encode()

    in_json = content_of(body, [(b"content-type", b"application/json")], is_truncated=False).value
    in_msgpack = content_of(
        msgspec.msgpack.encode([small_png()] * 100), [(b"content-type", b"application/msgpack")], is_truncated=False
    ).value
    in_a_form = content_of(
        a_form(*[small_png()] * 100), [(b"content-type", PARTS["content-type"].encode())], is_truncated=False
    ).value
    head, headers = tensors(("BYTES", 100 * (4 + len(small_png())), [100]))
    in_tensors = content_of(
        head + (struct.pack("<I", len(small_png())) + small_png()) * 100,
        [(name.encode(), value.encode()) for name, value in headers.items()],
        is_truncated=False,
    ).value

    assert isinstance(in_a_form, dict)
    assert isinstance(in_tensors, dict)
    for found in (in_json, in_msgpack, in_a_form["a"], in_tensors["inputs"][0]["data"]):
        assert isinstance(found, list)
        light = light_of(found)
        assert len(light) == 100
        assert light == sorted(light, reverse=True)
        assert 1 <= sum(light) < 20


def test_events_of_a_stream_are_not_searched_for_the_light_of_images(exchange: Make) -> None:
    event = b'data: {"a": "' + base64.b64encode(small_png()) + b'"}\n\n'

    decoded = decode_exchange(exchange({"x": 1}, event * 3, answer_headers={"content-type": "text/event-stream"}))

    assert decoded.outputs is not None
    assert not any("brightness" in str(row) for row in decoded.outputs.values)
