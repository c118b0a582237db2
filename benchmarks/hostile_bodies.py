"""Bodies of every format that are as expensive as somebody can make them, at any size."""

from __future__ import annotations

import base64
import gzip
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from benchmarks.decoding_parts import Parts
from benchmarks.hostile_binary import MERSENNE, arrow_bytes, keys_with_one_hash, npy, npz, parquet_noughts, png
from benchmarks.hostile_pieces import ANSWER, HostileKind, answered, asked, filled, listed
from benchmarks.hostile_rows import ROWS


def _gzipped(body: bytes) -> bytes:
    # The same bytes at any time.
    return gzip.compress(body, mtime=0)


def _under(key: str, piece: bytes, path: str) -> HostileKind:
    return lambda size: asked(filled(size, b'{"%b":[' % key.encode(), piece + b",", b"]}"), path=path)


def _text(piece: str, *, before: str = '{"text":"', after: str = '"}', path: str = "/predict") -> HostileKind:
    raw = piece.encode()
    return lambda size: asked(before.encode() + raw * (size // len(raw)) + after.encode(), path=path)


def _typed(media_type: str, head: bytes, piece: bytes, tail: bytes = b"") -> HostileKind:
    return lambda size: asked(filled(size, head, piece, tail), media_type)


def _numbered(make: Callable[[int], str], *, before: str = "[", after: str = "]") -> Callable[[int], bytes]:
    """Items that are all different, up to a size."""

    def body(size: int) -> bytes:
        items: list[str] = []
        room = size - len(before) - len(after)
        while room > 0:
            items.append(make(len(items)))
            room -= len(items[-1]) + 1
        return (before + ",".join(items[:-1] or items) + after).encode()

    return body


def _form_of(part: bytes) -> HostileKind:
    whole = b'\r\n--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n' + part
    return lambda size: asked(whole[2:] + whole * min(250, size // len(whole)) + b"\r\n--b--\r\n", _MULTIPART)


def _packed(pack: Callable[[bytes], bytes], encoding: str, piece: bytes) -> HostileKind:
    """Twice as large when it is unpacked."""
    return lambda size: asked(pack(filled(2 * size, b"[", piece + b",", b"]")), content_encoding=encoding)


def _binary_tensors(size: int) -> Parts:
    entry = {"name": "x", "datatype": "BYTES", "shape": [size // 4], "parameters": {"binary_data_size": size}}
    head = json.dumps({"inputs": [entry]}).encode()
    headers = {"inference-header-content-length": str(len(head))}
    return Parts("/v2/models/m/infer", head + bytes(size), ANSWER, headers=headers)


def _colliding_ids(size: int) -> Parts:
    rows = _numbered(lambda at: f'{{"id":{at * MERSENNE},"x":1}}')(size)
    told = _numbered(lambda at: f'{{"id":{at * MERSENNE},"y":1}}')(size)
    # The same rows the other way round.
    return Parts("/predict", rows, json.dumps(json.loads(told)[::-1]).encode())


def _colliding_embeddings(size: int) -> Parts:
    entries = _numbered(lambda at: f'{{"index":{at * MERSENNE},"embedding":[1]}}', before='{"data":[', after="]}")(size)
    return answered(entries, path="/v1/embeddings", request=b'{"input": "x", "model": "m"}')


def _problems(size: int) -> Parts:
    loc = ",".join(['"a"'] * (size // 8))
    answer = f'{{"error":{{"detail":[{{"loc":["body",{loc}],"msg":"m","type":"t"}}],"x":[{loc}]}}}}'
    return answered(answer.encode())


def _columns(value: str, *, before: str = "{", after: str = "}") -> HostileKind:
    """An object of as many keys as there is room for."""
    return lambda size: asked(_numbered(lambda at: f'"{at:x}":{value}', before=before, after=after)(size))


def _packed_columns(width: int, key: Callable[[int], object]) -> HostileKind:
    """Rows of *width* keys each."""

    def body(size: int) -> Parts:
        row = msgspec.msgpack.encode({key(at): 1 for at in range(width)})
        count = max(1, (size - 5) // len(row))
        return asked(b"\xdd" + struct.pack(">I", count) + row * count, "application/msgpack")

    return body


def _compressed(size: int) -> Parts:
    """As small as it can be for what it expands to, which is *size*."""
    return asked(_gzipped(filled(size, b"[", b"[],", b"]")), content_encoding="gzip")


_MULTIPART: Final = "multipart/form-data; boundary=b"
_LINES: Final = "application/jsonlines"
_FORM: Final = "application/x-www-form-urlencoded"
_IMAGE: Final = base64.b64encode(png(127))
_V2: Final = "/v2/models/m/infer"
_TF: Final = "/v1/models/m:predict"
_CHAT: Final = "/v1/chat/completions"
_QUESTION: Final = b'{"messages":[{"role":"user","content":"a"}]}'

HOSTILE: Final[Mapping[str, HostileKind]] = {
    **ROWS,
    "JSON: empty lists": listed(b"[]"),
    "JSON: empty objects": listed(b"{}"),
    "JSON: numbers": listed(b"1"),
    "JSON: numbers with long exponents": listed(b"1e304"),
    "JSON: numbers halfway between floats": listed(b"1e23"),
    "JSON: numbers halfway, with a sign": listed(b"8E+23"),
    "JSON: numbers with long negative exponents": listed(b"24703282292062327208e-343"),
    "JSON: short lists": listed(b"[1]"),
    "JSON: short objects": listed(b'{"a":1}'),
    "JSON: objects in objects": listed(b'{"a":{"b":{}}}'),
    "JSON: columns of thirty levels": listed(b"[" * 30 + b"]" * 30),
    "JSON: NaN, then lists": lambda size: asked(filled(size, b"[NaN,", b"[],", b"]")),
    "JSON: NaN, then numbers": lambda size: asked(filled(size, b"[NaN,", b"1,", b"]")),
    "JSON: NaN, then half characters": lambda size: asked(filled(size, b"[NaN,", b'"\\ud800",', b"]")),
    "JSON: numbers of 4,000 digits": listed(b"7" * 4000),
    "JSON: a number of many digits": lambda size: asked(b'{"a":' + b"7" * (size - 6) + b"}"),
    "JSON: a fraction of many digits": lambda size: asked(b'{"a":0.' + b"7" * (size - 8) + b"}"),
    "JSON: a text of a fraction": lambda size: asked(b'{"a":"0.' + b"7" * (size - 10) + b'"}'),
    "JSON: a row of many keys": lambda size: asked(_numbered(lambda at: f'"{at:x}":0', before="{", after="}")(size)),
    "JSON: columns of two cells": _columns("[1,1]"),
    "JSON: columns under a key": _columns("[1]", before='{"inputs":{', after="}}"),
    "JSON: columns of vectors under a key": lambda size: asked(filled(size, b'{"inputs":{"a":[', b"[1],", b"]}}")),
    "JSON: a data frame of a column": lambda size: asked(filled(size, b'{"columns":["a"],"data":[', b"[1],", b"]}")),
    "JSON: rows of other keys each": lambda size: asked(_numbered(lambda at: f'{{"{at:x}":0}}')(size)),
    "JSON: rows of credentials": listed(b'{"password":{"a":[{}]}}'),
    "JSON: names that are long": lambda size: asked(
        _numbered(lambda at: f'"{at:x}{"aB_" * 60}":0', before="{", after="}")(size)
    ),
    "JSON: ids with one hash": _colliding_ids,
    "JSON: images": _under("instances", b'"' + _IMAGE + b'"', "/predict"),
    "JSON: texts like images": _under("instances", b'"/9j/' + b"A" * 40 + b'"', "/predict"),
    "JSON: spaces in base64": _text(" ", before='{"instances":[{"b64":"a', after='!"}]}', path=_TF),
    "JSON: spaces between base64": _text("A ", before='{"a":"iVBORw0KGgo', after='"}'),
    "JSON: blobs that are images": _under("instances", b'{"b64":"' + base64.b64encode(png(1)) + b'"}', "/predict"),
    "JSON: boxes": lambda size: answered(filled(size, b"[", b'{"label":"a","score":1,"box":[1,1,2,2]},', b"]")),
    "JSON: boxes in a row": lambda size: answered(
        filled(size, b'{"objects":[', b'{"label":"a","score":1,"box":[1,1,2,2]},', b"]}")
    ),
    "JSON: boxes beside each other": lambda size: answered(filled(size, b'{"boxes":[', b"[1,1,2,2],", b"]}")),
    "JSON: boxes of corners": lambda size: answered(filled(size, b"[", b'{"bbox":{"x":1,"y":1,"w":2,"h":2}},', b"]")),
    "JSON: boxes of rows": lambda size: answered(filled(size, b"[", b'[{"box":[1,1,2,2]}],', b"]")),
    "JSON: rows of credentials in an answer": lambda size: answered(filled(size, b"[", b'[{"pwd":{}}],', b"]")),
    "JSON: credentials in an answer": lambda size: answered(filled(size, b"[", b'{"pwd":{}},', b"]")),
    "JSON: credentials in a cell of each row": lambda size: asked(filled(size, b"[", b'{"a":[{"pwd":{}}]},', b"]")),
    "JSON: objects in an answer": lambda size: answered(filled(size, b"[", b'{"a":{"b":{}}},', b"]")),
    "blobs that are images for TensorFlow": _under("instances", b'{"b64":"' + base64.b64encode(png(1)) + b'"}', _TF),
    "JSON: blobs": _under("instances", b'{"b64":"AA=="}', _TF),
    "JSON: a text of escapes": _text("\\u0416"),
    "JSON: a text of Han": _text("\u5f88"),
    "JSON: an error that repeats the request": _problems,
    "JSON, UTF-16": lambda size: asked(filled(size // 2, b"[", b"[],", b"]").decode().encode("utf-16")),
    "V2: nested data": lambda size: asked(
        filled(size, b'{"inputs":[{"name":"x","shape":[9],"datatype":"FP32","data":[', b"[],", b"]}]}"), path=_V2
    ),
    "V2: objects in data": lambda size: answered(
        filled(
            size,
            b'{"outputs":[{"name":"x","shape":[9],"datatype":"BYTES","data":[',
            b'[["$",["a",{"b":"c"}]]],',
            b"]}]}",
        ),
        path=_V2,
        request=b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}',
    ),
    "V2: tensors": _under("inputs", b'{"name":"x","shape":[1],"datatype":"FP32","data":[1]}', _V2),
    "V2: numbers": lambda size: asked(
        filled(size, b'{"inputs":[{"name":"x","shape":[9,9],"datatype":"FP32","data":[', b"0.1,", b"]}]}"), path=_V2
    ),
    "V2: classifications": lambda size: answered(
        filled(size, b'{"outputs":[{"name":"x","shape":[9],"datatype":"BYTES","data":[', b'"1:1",', b"]}]}"),
        path=_V2,
        request=b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}',
    ),
    "V2: empty texts": _binary_tensors,
    "Seldon: a tensor": lambda size: asked(
        filled(size, b'{"data":{"tensor":{"shape":[1,1],"values":[', b"1,", b"]}}}"), path="/api/v1.0/predictions"
    ),
    "SageMaker: sparse rows": lambda size: asked(
        filled(size, b'{"instances":[', b'{"features":{"keys":[1],"shape":[4096],"values":[1]}},', b"]}"),
        path="/invocations",
    ),
    "TensorFlow: examples": lambda size: asked(
        filled(size, b'{"context":{"a":[' + b"1," * 99 + b'1]},"examples":[', b"{},", b"]}"),
        path="/v1/models/m:classify",
    ),
    "chat: messages": _under("messages", b'{"role":"user","content":[{}]}', _CHAT),
    "chat: texts": lambda size: asked(
        filled(size, b'{"messages":[{"role":"user","content":[', b'{"text":"a"},', b"]}]}"), path=_CHAT
    ),
    "chat: choices": lambda size: answered(
        filled(size, b'{"choices":[', b'{"message":{"content":"a"}},', b"]}"), path=_CHAT, request=_QUESTION
    ),
    "embeddings: indices with one hash": _colliding_embeddings,
    "events": lambda size: answered(
        filled(size, b"", b"data:{}\n\n", b""), "text/event-stream", path=_CHAT, request=_QUESTION
    ),
    "events: images": lambda size: answered(
        filled(size, b"", b'data:{"a":"' + _IMAGE + b'"}\n\n', b""), "text/event-stream", path=_CHAT, request=_QUESTION
    ),
    "events: broken JSON": lambda size: answered(filled(size, b"", b"data:{NaN\n\n", b""), "text/event-stream"),
    "events: line ends": lambda size: answered(filled(size, b"data: 1", b"\r\n", b""), "text/event-stream"),
    "events: names of fields": lambda size: answered(filled(size, b"data:", b"a:", b""), "text/event-stream"),
    "lines: JSON": _typed(_LINES, b"", b"{}\n"),
    "lines: numbers": _typed(_LINES, b"", b"1\n"),
    "CSV: digits and a letter": lambda size: asked(b"a,b\n" + b"7" * (size - 5) + b"x", "text/csv"),
    "CSV: digits": lambda size: asked(b"a,b\n." + b"7" * (size - 5), "text/csv"),
    "CSV: short lines": _typed("text/csv", b"", b"a\n"),
    "CSV: commas": _typed("text/csv", b"", b",,,,,,,,,,,,,,,\n"),
    "CSV: one line": _typed("text/csv", b"", b"1,"),
    "CSV: numbers": _typed("text/csv", b"", b"1,2,3,4,5,6,7,8\n"),
    "CSV: numbers halfway between floats": _typed("text/csv", b"", b"1e23,2e23\n"),
    "CSV: quotation marks": _typed("text/csv", b"", b'"a""b",\n'),
    "CSV: names": lambda size: asked(_numbered(lambda _: "a", before="", after="\n1")(size), "text/csv"),
    "libsvm: sparse rows": _typed("text/libsvm", b"1 256:1\n", b"1 1:1\n"),
    "libsvm: a row": lambda size: asked(b"1 " + b"1:1 " * (size // 4), "text/libsvm"),
    "libsvm: digits": lambda size: asked(b"1 1:" + b"7" * size, "text/libsvm"),
    "libsvm: an answer of sparse rows": lambda size: answered(
        filled(size, b"1 256:1\n", b"1 1:1\n", b""), "text/libsvm"
    ),
    "npy: a shape of digits": lambda size: asked(
        npy("{'descr': '<f8', 'shape': (" + "1" * min(size, 16_000) + "x), }", b""), "application/x-npy"
    ),
    "npy: fields": lambda size: asked(
        npy("{'descr': [" + "('a', '<f8'), " * min(250, size // 14) + "!]}", b""), "application/x-npy"
    ),
    "npy: numbers of a byte": lambda size: asked(
        npy(f"{{'descr': '|i1', 'fortran_order': False, 'shape': ({size // 16}, 16), }}", bytes(size)),
        "application/x-npy",
    ),
    "npy: texts": lambda size: asked(
        npy(f"{{'descr': '|S1', 'fortran_order': False, 'shape': ({size // 16}, 16), }}", bytes(size)),
        "application/x-npy",
    ),
    "npz": lambda size: asked(npz(size), "application/x-npz"),
    "msgpack: numbers": lambda size: asked(b"\xdd" + struct.pack(">I", size) + b"\1" * size, "application/msgpack"),
    "msgpack: rows": lambda size: asked(msgspec.msgpack.encode([{"a": 1}] * (size // 4)), "application/msgpack"),
    "msgpack: a row of numbers as keys": lambda size: asked(
        msgspec.msgpack.encode(dict.fromkeys(range(size // 4 - 600), 1)), "application/msgpack"
    ),
    "msgpack: rows of numbers as keys": _packed_columns(15, int),
    "msgpack: rows of many numbers as keys": _packed_columns(255, int),
    "msgpack: rows of many names": _packed_columns(1 << 12, "{:x}".format),
    "msgpack: keys with one hash": lambda size: asked(keys_with_one_hash(size), "application/msgpack"),
    "msgpack: bytes": lambda size: asked(msgspec.msgpack.encode([b"\xff"] * (size // 3)), "application/msgpack"),
    "Arrow": lambda size: asked(arrow_bytes(size), "application/vnd.apache.arrow.stream"),
    "Parquet": lambda size: asked(parquet_noughts(size), "application/vnd.apache.parquet"),
    "form: percent signs": _typed(_FORM, b"a=", b"%41"),
    "form: letters and no letters": _typed(_FORM, b"a=", b"a\xe9"),
    "form: plus signs": _typed(_FORM, b"a=", b"++"),
    "form: names": lambda size: asked(b"&".join([b"a=" + b"1" * (size // 999)] * 999), _FORM),
    "multipart: boundaries": _typed(_MULTIPART, b"", b"\r\n--b"),
    "multipart: almost boundaries": _typed(
        "multipart/form-data; boundary=" + "-" * 199 + "b", b"--", b"\r\n" + b"-" * 190
    ),
    "multipart: archives": _form_of(npz(1 << 18)),
    "multipart: an endless name": lambda size: asked(
        b'--b\r\nContent-Disposition: form-data; name="' + b"a\\" * 2000 + b"\r\n\r\n" + b"x" * size, _MULTIPART
    ),
    "CSV: numbers with long exponents": _typed("text/csv", b"", b"1e304,2.5e290\n"),
    "text": lambda size: answered(b"a " * (size // 2), "text/plain"),
    "gzip: empty lists": _compressed,
    "gzip: numbers": _packed(_gzipped, "gzip", b"1.5"),
    "deflate: empty lists": _packed(zlib.compress, "deflate", b"[]"),
    "gzip: members": lambda size: asked(
        _gzipped(b"[") + _gzipped(b"1,") * min(60, size // 22) + _gzipped(b"1]"), content_encoding="gzip"
    ),
    "PNG": lambda size: asked(png(127) + bytes(size), "image/png"),
    "JPEG: segments": _typed("image/jpeg", b"\xff\xd8", b"\xff\xe0\0\2"),
}
"""By title. What is not stopped by a limit costs a time that grows with its size, and no more."""
