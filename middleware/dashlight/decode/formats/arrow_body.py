"""Tables in Arrow's stream and file formats and in Parquet; needs the extra `parquet`.

Nothing is read before it is known how much it expands to: neither format bounds that itself.
"""

import re
import struct
from collections.abc import Iterator
from typing import Any, Final

from dashlight.decode.formats.arrow_cells import cells_of, check_type
from dashlight.decode.formats.arrow_package import arrow_module, ipc_module, parquet_module
from dashlight.decode.formats.bodies import counted
from dashlight.decode.formats.compression import EXPANDED_BYTES
from dashlight.decode.formats.parquet_pages import check_pages
from dashlight.decode.rows.budget import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, BodyBudget, check_cells
from dashlight.decode.rows.reasons import undecodable
from dashlight.errors import DecodeError, MissingExtraError

ARROW_FILE_MAGIC: Final = b"ARROW1"
ARROW_STREAM_MAGIC: Final = b"\xff\xff\xff\xff"
PARQUET_MAGIC: Final = b"PAR1"
MAX_BATCHES: Final = 64
"""Record batches, or row groups, of one body."""

_STREAM_IN_FILE = 8
_BYTES_PER_VALUE = 4
"""Of a body, as the budget of cells counts them."""
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_OLDEST = (14, 0, 1)
"""Before it, pyarrow unpickled what a schema told it to: CVE-2023-47248."""


def read_arrow(body: bytes, budget: BodyBudget | None = None) -> object:
    """The rows of the tables in *body*, an object each. A file is read as the stream that it holds.

    Raises:
        DecodeError: truncated, invalid_body, too_large, too_complex, unknown_layout or missing_extra.
    """
    budget = budget or BodyBudget(len(body), most_bytes=EXPANDED_BYTES)
    arrow = usable(arrow_module())
    start = _STREAM_IN_FILE if body.startswith(ARROW_FILE_MAGIC) else 0
    try:
        batches = _stream(arrow, usable(ipc_module()), arrow.py_buffer(body)[start:], budget)
        return _rows(arrow, batches, budget, len(body))
    except DecodeError:
        raise
    except Exception as error:  # pyarrow raises errors of its own, of Python's and of the operating system's
        raise _broken(error) from None


def read_parquet(body: bytes, budget: BodyBudget | None = None) -> object:
    """The rows of the file in *body*, an object each.

    Raises:
        DecodeError: as read_arrow does.
    """
    budget = budget or BodyBudget(len(body), most_bytes=EXPANDED_BYTES)
    arrow, parquet = usable(arrow_module()), usable(parquet_module())
    if not body.endswith(PARQUET_MAGIC):
        raise undecodable("truncated", "a Parquet file without its end")
    try:
        return _rows(arrow, _groups(arrow, parquet, body, budget), budget, len(body))
    except DecodeError:
        raise
    except Exception as error:  # as above
        raise _broken(error) from None


def usable(module: Any | None) -> Any:
    """*module*, of pyarrow; DecodeError missing_extra where it is None or too old to be trusted with a request."""
    if module is None:
        raise undecodable("missing_extra", str(MissingExtraError("pyarrow", "parquet")))
    version = getattr(module, "__version__", "")
    if version and tuple(map(int, re.findall(r"[0-9]+", version)[:3])) < _OLDEST:
        raise undecodable("missing_extra", "pyarrow is older than 14.0.1: pip install 'dashlight[parquet]'")
    return module


def _broken(error: Exception) -> DecodeError:
    # Its words may repeat what it read.
    return undecodable("truncated" if "read" in str(error)[:40] else "invalid_body", type(error).__name__)


def _rows(arrow: Any, batches: Iterator[Any], budget: BodyBudget, size_bytes: int) -> list[object]:
    """An object for each row of *batches*; those beyond the limits are counted only."""
    rows: list[object] = []
    beyond = 0
    for batch in batches:
        names: list[str] = batch.schema.names[: MAX_COLUMNS + 1]
        room = min(MAX_ROWS, MAX_CELLS // max(1, len(names))) - len(rows)
        kept = batch.slice(0, max(0, room))
        # Runs of equal values and columns of nulls take hardly a byte.
        check_cells((len(rows) + len(kept)) * len(names), given=size_bytes // _BYTES_PER_VALUE)
        # Of what is looked at: offsets that go backwards, texts that are none.
        kept.validate(full=True)
        columns = [cells_of(arrow, kept.column(at), budget) for at in range(len(names))]
        rows.extend(dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
        beyond += batch.num_rows - len(kept)
    return counted(rows, beyond)


def _stream(arrow: Any, ipc: Any, body: Any, budget: BodyBudget) -> Iterator[Any]:
    expanded = 0
    for count, message in enumerate(_messages(ipc, body)):
        expanded += _expanded_bytes(message.metadata.to_pybytes(), message.body)
        if expanded > EXPANDED_BYTES or count > 2 * MAX_BATCHES:
            raise undecodable("too_large", "a table beyond the limits")
    # What is not compressed is no more than what was sent.
    budget.take_bytes(max(0, expanded - int(body.size)))
    reader = ipc.open_stream(body, options=ipc.IpcReadOptions(use_threads=False))
    for field in reader.schema:
        check_type(arrow, field.type)
    yield from reader


def _messages(ipc: Any, body: Any) -> Iterator[Any]:
    reader = ipc.MessageReader.open_stream(body)
    while True:
        try:
            message = reader.read_next_message()
        except StopIteration:
            return
        yield message


def _expanded_bytes(metadata: bytes, body: Any) -> int:
    """What the buffers of a message take once they are expanded.

    A compressed buffer begins with that: https://arrow.apache.org/docs/format/Columnar.html#recordbatch-body-structure
    """
    message = _table(metadata, 0)
    kind = metadata[_field(metadata, message, 1)]
    header = _field(metadata, message, 2)
    if kind not in {_DICTIONARY_BATCH, _RECORD_BATCH}:
        return 0
    batch = _table(metadata, header)
    if kind == _DICTIONARY_BATCH:
        batch = _table(metadata, _field(metadata, batch, 1))
    if not _field(metadata, batch, 3):
        return int(body.size)
    at = _field(metadata, batch, 2)
    at += struct.unpack_from("<I", metadata, at)[0]
    (count,) = struct.unpack_from("<I", metadata, at)
    content = memoryview(body)
    expanded = 0
    for index in range(min(count, MAX_CELLS)):
        offset, length = struct.unpack_from("<qq", metadata, at + 4 + 16 * index)
        if length >= 8:
            (declared,) = struct.unpack_from("<q", content, offset)
            expanded += max(declared, length if declared < 0 else 0)
    return expanded


def _table(metadata: bytes, at: int) -> int:
    """Where the table begins to which *at* points, as Flatbuffers lays it out."""
    return at + int(struct.unpack_from("<I", metadata, at)[0])


def _field(metadata: bytes, table: int, index: int) -> int:
    """Where the field *index* of *table* stands; 0 where it is left out."""
    names = table - int(struct.unpack_from("<i", metadata, table)[0])
    (length,) = struct.unpack_from("<H", metadata, names)
    if 4 + 2 * index >= length:
        return 0
    offset = int(struct.unpack_from("<H", metadata, names + 4 + 2 * index)[0])
    return table + offset if offset else 0


def _groups(arrow: Any, parquet: Any, body: bytes, budget: BodyBudget) -> Iterator[Any]:
    # Both limits are of what Thrift may allocate for the footer.
    opened = parquet.ParquetFile(
        arrow.BufferReader(body), thrift_string_size_limit=len(body), thrift_container_size_limit=len(body)
    )
    metadata = opened.metadata
    names = opened.schema_arrow.names
    if metadata.num_row_groups > MAX_BATCHES or metadata.num_columns > MAX_COLUMNS:
        raise undecodable("too_large", "more row groups or columns than are read")
    for field in opened.schema_arrow:
        check_type(arrow, field.type)
    chunks = [
        metadata.row_group(group).column(at)
        for group in range(metadata.num_row_groups)
        for at in range(metadata.num_columns)
    ]
    expanded = check_pages(
        body,
        [
            (min(chunk.dictionary_page_offset or chunk.data_page_offset, chunk.data_page_offset), chunk.num_values)
            for chunk in chunks
        ],
        limit_bytes=EXPANDED_BYTES,
    )
    budget.take_bytes(max(0, expanded - len(body)))
    # Texts stay indices: one that stands in a thousand rows is not written out a thousand times.
    texts = [
        name
        for name, field in zip(names, opened.schema_arrow, strict=True)
        if arrow.types.is_string(field.type) or arrow.types.is_binary(field.type)
    ]
    opened = parquet.ParquetFile(arrow.BufferReader(body), read_dictionary=texts)
    yield from opened.iter_batches(batch_size=MAX_ROWS, use_threads=False)
