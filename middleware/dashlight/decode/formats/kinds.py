"""What kind of body it is: by what the sender says and by the first bytes, which win."""

import re
from typing import Final, Literal, TypeAlias

from dashlight.decode.formats.arrow_body import ARROW_FILE_MAGIC, ARROW_STREAM_MAGIC, PARQUET_MAGIC
from dashlight.decode.formats.attachments import attached
from dashlight.decode.formats.compression import GZIP_MAGIC, ZSTD_MAGIC
from dashlight.decode.formats.npy_body import NPY_MAGIC, ZIP_MAGIC

Kind: TypeAlias = Literal[
    "json", "lines", "csv", "libsvm", "form", "multipart", "text", "npy", "npz", "arrow", "parquet", "msgpack",
    "file", "pickle", "gzip", "zstd", "events", "unsaid", "binary", "",
]  # fmt: skip
"""`unsaid`: the type says nothing; `binary`: bytes that nobody knows; empty: a type that is not read."""

FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"

_TYPES: Final[dict[str, Kind]] = {
    "": "unsaid",
    "application/octet-stream": "unsaid",
    "binary/octet-stream": "unsaid",
    FORM: "form",
    MULTIPART: "multipart",
    "text/plain": "text",
    "application/jsonlines": "lines",
    "application/jsonl": "lines",
    "application/json-lines": "lines",
    "application/ndjson": "lines",
    "text/jsonl": "lines",
    "text/event-stream": "events",
    "text/csv": "csv",
    "application/csv": "csv",
    "text/tab-separated-values": "csv",
    "text/tsv": "csv",
    "text/libsvm": "libsvm",
    "application/npy": "npy",
    "application/npz": "npz",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/vnd.apache.arrow.file": "arrow",
    "application/vnd.apache.parquet": "parquet",
    "application/parquet": "parquet",
    "application/msgpack": "msgpack",
    "application/vnd.msgpack": "msgpack",
    "application/pdf": "file",
    "application/pickle": "pickle",
    "application/python-pickle": "pickle",
}
_SUFFIXES: Final[dict[str, Kind]] = {"json": "json", "msgpack": "msgpack", "pickle": "pickle"}
_MAGIC: Final[tuple[tuple[bytes, Kind], ...]] = (
    (NPY_MAGIC, "npy"),
    (ZIP_MAGIC, "npz"),
    (PARQUET_MAGIC, "parquet"),
    (ARROW_STREAM_MAGIC, "arrow"),
    (ARROW_FILE_MAGIC, "arrow"),
    (GZIP_MAGIC, "gzip"),
    (ZSTD_MAGIC, "zstd"),
    (b"\x80\x02", "pickle"),
    (b"\x80\x03", "pickle"),
    (b"\x80\x04", "pickle"),
    (b"\x80\x05", "pickle"),
)
_JSON = re.compile(r"(?:application|text)/(?:x-)?json")
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_TOLD_BY_BYTES = frozenset({"unsaid", "form", "text", "json", "lines", "csv", "libsvm", "", "file"})
"""Kinds whose bodies do not begin with the magic bytes of others, unless the sender is wrong."""


def kind_of(body: bytes, media_type: str) -> tuple[Kind, bool]:
    """The kind of *body*, and whether its bytes told it and not its type.

    Text of a type that says nothing is `unsaid`: its beginning tells whether it is JSON.
    """
    said = _said(media_type)
    if said not in _TOLD_BY_BYTES:
        return (said, False)
    found: Kind | None = next((kind for magic, kind in _MAGIC if body.startswith(magic)), None)
    if found is not None:
        return (found, True)
    if said == "file":
        return (said, False)
    if attached(body[:32]) is not None:
        return ("file", True)
    if said and b"\0" in body[:256] and not body.startswith(_BYTE_ORDER_MARKS):
        return ("binary", True)
    return (said, False)


def _said(media_type: str) -> Kind:
    if _JSON.fullmatch(media_type):
        return "json"
    family, _, name = media_type.partition("/")
    if family in {"image", "audio", "video"}:
        return "file"
    found = _TYPES.get(media_type) or _TYPES.get(f"{family}/{name.removeprefix('x-')}")
    return found or _SUFFIXES.get(name.rpartition("+")[2] if "+" in name else "", "")
