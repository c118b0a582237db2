import struct
import tracemalloc
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from dashlight.decode.formats.arrow_body import MAX_BATCHES, read_arrow, read_parquet, usable
from dashlight.decode.rows.budget import MAX_COLUMNS, MAX_ROWS
from dashlight.errors import DecodeError


def stream(table: Any, compression: str | None = None, rows: int | None = None) -> bytes:
    buffer = pa.BufferOutputStream()
    with ipc.new_stream(buffer, table.schema, options=ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=rows)
    written: bytes = buffer.getvalue().to_pybytes()
    return written


def arrow_file(table: Any) -> bytes:
    buffer = pa.BufferOutputStream()
    with ipc.new_file(buffer, table.schema) as writer:
        writer.write_table(table)
    written: bytes = buffer.getvalue().to_pybytes()
    return written


def parquet_file(table: Any, **options: object) -> bytes:
    buffer = pa.BufferOutputStream()
    parquet.write_table(table, buffer, **options)
    written: bytes = buffer.getvalue().to_pybytes()
    return written


PEOPLE = pa.table({"age": [31, None, 55], "city": ["Oslo", "Bergen", None], "score": [0.5, 1.5, 2.5]})
ROWS = [
    {"age": 31, "city": "Oslo", "score": 0.5},
    {"age": None, "city": "Bergen", "score": 1.5},
    {"age": 55, "city": None, "score": 2.5},
]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(stream(PEOPLE), id="a stream"),
        pytest.param(stream(PEOPLE, rows=1), id="a stream of three batches"),
        pytest.param(stream(PEOPLE, "zstd"), id="a stream with zstd inside"),
        pytest.param(stream(PEOPLE, "lz4"), id="a stream with lz4 inside"),
        pytest.param(arrow_file(PEOPLE), id="a file"),
    ],
)
def test_the_rows_of_arrow_are_objects(body: bytes) -> None:
    assert read_arrow(body) == ROWS


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd"},
        {"compression": "none", "use_dictionary": False},
        {"data_page_version": "2.0"},
        {"row_group_size": 2},
    ],
    ids=str,
)
def test_the_rows_of_parquet_are_objects(options: Mapping[str, object]) -> None:
    assert read_parquet(parquet_file(PEOPLE, **options)) == ROWS


COLUMNS = [
    pytest.param(pa.array([1, 2**62], pa.int64()), [1, 2**62], id="large ints"),
    pytest.param(pa.array([1, None], pa.uint8()), [1, None], id="small ints with null"),
    pytest.param(pa.array([0.5, None], pa.float32()), [0.5, None], id="floats with null"),
    pytest.param(pa.array([True, None]), [True, None], id="truth values"),
    pytest.param(pa.nulls(2), [None, None], id="nulls"),
    pytest.param(pa.array(["a", None], pa.large_string()), ["a", None], id="long texts"),
    pytest.param(pa.array([b"caf\xc3\xa9"[:3], b"\xff\x00"]), [{"bytes": 3}, {"bytes": 2}], id="bytes"),
    pytest.param(pa.array([date(2026, 1, 2), None]), ["2026-01-02", None], id="days"),
    pytest.param(pa.array([datetime(2026, 1, 2, 3, tzinfo=UTC)]), ["2026-01-02 03:00:00.000000Z"], id="moments"),
    pytest.param(pa.array([timedelta(seconds=2)], pa.duration("s")), ["2"], id="spans"),
    pytest.param(pa.array([Decimal("1.50"), None]), [1.5, None], id="decimals"),
    pytest.param(pa.array(["x", "y", None, "x"]).dictionary_encode(), ["x", "y", None, "x"], id="categories"),
    pytest.param(pa.array([{"a": 1, "b": "u"}, None]), [{"a": 1, "b": "u"}, None], id="objects"),
    pytest.param(pa.array([[1.0, 2.0], None, []]), [[1.0, 2.0], None, []], id="vectors"),
    pytest.param(
        pa.array([[1, 2], [3, None]], pa.list_(pa.int32(), 2)), [[1, 2], [3, None]], id="vectors of one length"
    ),
    pytest.param(pa.array([[], []], pa.list_(pa.int32(), 0)), [[], []], id="vectors of nothing"),
]


@pytest.mark.parametrize(("column", "values"), COLUMNS)
def test_a_column_is_read_whatever_its_type(column: Any, values: list[object]) -> None:
    rows = read_arrow(stream(pa.table({"c": column})))

    assert rows == [{"c": value} for value in values]


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(pa.FixedSizeListArray.from_arrays(pa.nulls(10**9), 10**8), id="10**9 nulls in vectors"),
        pytest.param(pa.RunEndEncodedArray.from_arrays(pa.array([10**9], pa.int32()), pa.array([1])), id="one run"),
        pytest.param(pa.array([[["a"]]]), id="lists of lists"),
        pytest.param(pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())), id="maps"),
    ],
)
def test_a_type_by_which_few_bytes_stand_for_many_is_refused(column: Any) -> None:
    with pytest.raises(DecodeError) as error:
        read_arrow(stream(pa.table({"c": column})))

    assert error.value.reason == "unknown_layout"


def test_rows_beyond_the_limit_are_counted_only() -> None:
    ints = read_arrow(stream(pa.table({"a": np.zeros(MAX_ROWS + 5, np.int8)})))
    nulls = read_arrow(stream(pa.table({"a": pa.nulls(10**9)})))
    batches = read_arrow(stream(pa.table({"a": np.zeros(MAX_ROWS + 5, np.int8)}), rows=6000))

    for rows in (ints, batches):
        assert isinstance(rows, list)
        assert len(rows) == MAX_ROWS + 5
        assert rows[-1] is rows[-2]
    assert isinstance(nulls, list)
    assert len({id(row) for row in nulls}) == MAX_ROWS


def test_a_text_that_many_rows_share_takes_its_memory_once() -> None:
    codes = pa.array(np.zeros(5000, np.int8))
    shared = pa.table({"a": pa.DictionaryArray.from_arrays(codes, pa.array(["x" * 100_000]))})
    before = pa.total_allocated_bytes()

    for rows in (read_arrow(stream(shared)), read_parquet(parquet_file(shared, store_schema=False))):
        assert isinstance(rows, list)
        assert len({id(row["a"]) for row in rows}) == 1
    assert pa.total_allocated_bytes() - before < 1 << 20


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(stream(pa.table({"a": np.zeros(8 << 20, np.int8)}), "lz4"), "too_large", id="8 MB in 34 KB"),
        pytest.param(stream(pa.table({"a": range(300)}), rows=1), "too_large", id="300 batches"),
        pytest.param(stream(pa.table({"a": np.zeros(1 << 20, np.int8)})), "too_large", id="1 MB"),
        pytest.param(stream(pa.table({"a": [[0] * 200_000]}), "zstd"), "too_large", id="a long vector"),
        pytest.param(
            stream(pa.table({"a": pa.array([[0] * 140_000], pa.list_(pa.int8()))})), "too_large", id="a longer vector"
        ),
        pytest.param(b"\xff\xff\xff\xff" + b"\x10\0\0\0" + b"\xff" * 40, "invalid_body", id="no message"),
        pytest.param(b"", "truncated", id="nothing"),
    ],
)
def test_what_is_wrong_with_arrow_is_one_word(body: bytes, reason: str) -> None:
    tracemalloc.start()
    with pytest.raises(DecodeError) as error:
        read_arrow(body)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert error.value.reason == reason
    assert peak_bytes < 4 << 20


def test_without_a_trustworthy_pyarrow_it_is_said_what_to_install() -> None:
    for module in (None, SimpleNamespace(__version__="14.0.0"), SimpleNamespace(__version__="9.0.0")):
        with pytest.raises(DecodeError) as error:
            usable(module)
        assert error.value.reason == "missing_extra"
        assert "pip install 'dashlight[parquet]'" in str(error.value)
    assert usable(pa) is pa


def test_objects_within_objects_are_refused_where_they_are_deep() -> None:
    kind = pa.int8()
    for _ in range(12):
        kind = pa.struct([("a", kind)])

    with pytest.raises(DecodeError) as error:
        read_arrow(stream(pa.table({"c": pa.nulls(1, kind)})))

    assert error.value.reason == "unknown_layout"


def test_arrow_that_is_cut_anywhere_is_rows_or_a_reason() -> None:
    whole = stream(PEOPLE)
    reasons = set()
    for length in range(len(whole)):
        try:
            read_arrow(whole[:length])
        except DecodeError as error:
            reasons.add(error.reason)

    assert reasons <= {"truncated", "invalid_body"}


def test_offsets_that_go_backwards_are_refused() -> None:
    offsets = pa.py_buffer(struct.pack("<3i", 0, 5, 1))
    texts = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"hello")])

    with pytest.raises(DecodeError) as error:
        read_arrow(stream(pa.table({"a": texts})))

    assert error.value.reason == "invalid_body"


MANY = {f"c{at}": [1] for at in range(MAX_COLUMNS + 1)}
WHOLE = parquet_file(PEOPLE)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(parquet_file(pa.table({"a": np.zeros(10**6, np.int64)}), use_dictionary=False, compression="zstd"),
                     "too_large", id="8 MB in 5 KB"),
        pytest.param(parquet_file(pa.table({"a": range(100)}), row_group_size=1), "too_large", id="100 row groups"),
        pytest.param(parquet_file(pa.table(MANY)), "too_large", id="many columns"),
        pytest.param(parquet_file(pa.table({"a": range(50)}), use_dictionary=False,
                                  column_encoding="DELTA_BINARY_PACKED"), "unknown_layout", id="differences"),
        pytest.param(parquet_file(pa.table({"a": [[["x"]]]})), "unknown_layout", id="lists of lists"),
        pytest.param(WHOLE[:-1], "truncated", id="cut"),
        pytest.param(b"PAR1" * 3, "invalid_body", id="magic alone"),
        pytest.param(WHOLE[:4] + b"\xff" * 100 + WHOLE[104:], "invalid_body", id="broken pages"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_parquet_is_one_word(body: bytes, reason: str) -> None:
    before = pa.total_allocated_bytes()

    with pytest.raises(DecodeError) as error:
        read_parquet(body)

    assert error.value.reason == reason
    assert pa.total_allocated_bytes() - before < 1 << 20
    assert MAX_BATCHES < 100
