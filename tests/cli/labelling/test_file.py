"""Files of labels as people have them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from dashlight.cli.labelling.columns import LabelColumns
from dashlight.cli.labelling.file import label_file
from dashlight.errors import ReferenceDataError

BIG = 2**53 + 1


USUAL = LabelColumns()


def entries(path: Path | str, columns: LabelColumns = USUAL, given: bytes = b"") -> list[Mapping[str, object] | None]:
    with label_file(str(path), columns, io.BytesIO(given)) as file:
        rows = list(file.rows())
        assert [share for _, share in rows] == sorted(share for _, share in rows)
        assert all(0 <= share <= 1 for _, share in rows)
        return [columns.entry(row) for row, _ in rows]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes | str], Path]:
    """Writes a file: (name, content)."""

    def write(name: str, content: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


TABLE = "prediction_id,label\na,1\nb,\n\nc,cat\n"
EXPECTED = [{"label": "1", "prediction_id": "a"}, None, {"label": "cat", "prediction_id": "c"}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", TABLE.encode()),
        ("t.csv", TABLE.replace("\n", "\r\n").encode("utf-8-sig")),
        ("t.csv", TABLE.replace(",", ";").encode()),
        ("t.tsv", TABLE.replace(",", "\t").encode()),
        ("t.txt", ("sep=;\n" + TABLE.replace(",", ";")).encode()),
        ("t.csv", TABLE.encode("utf-16")),
        ("t.csv.gz", gzip.compress(TABLE.encode())),
        ("t.csv", b'"prediction_id","label"\n"a","1"\n"b",""\n"c","cat"\n'),
        ("t.json", json.dumps([{"id": "a", "label": "1"}, {"id": "b"}, {"id": "c", "value": "cat"}]).encode()),
        ("t.json", json.dumps({"labels": [{"id": "a", "label": "1"}, {"id": "b"}, {"id": "c", "label": "cat"}]}).encode()),
        ("t.jsonl", b'{"id": "a", "label": "1"}\n\n{"id": "b", "label": null}\n{"id": "c", "label": "cat"}'),
        ("t.ndjson", b'{"id": "a", "label": "1"}\r\n{"id": "b"}\r\n{"id": "c", "label": "cat"}\r\n'),
        ("t.json", b'{"id": "a", "label": "1"}\n{"id": "b"}\n{"id": "c", "label": "cat"}'),
        ("t.jsonl.gz", gzip.compress(b'{"id": "a", "label": "1"}\n{"id": "b"}\n{"id": "c", "label": "cat"}')),
    ],
    ids=[
        *("csv", "by Excel", "semicolons", "tabs", "sep=;", "UTF-16", "gzip", "quoted", "list", "labels", "lines"),
        *("lines of Windows", "lines called json", "packed lines"),
    ],
)  # fmt: skip
def test_the_same_labels_are_read_from_every_format(
    name: str, content: bytes, write: Callable[[str, bytes], Path]
) -> None:
    assert entries(write(name, content)) == EXPECTED


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_typed_columns_keep_what_they_are(kind: str, tmp_path: Path) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    table = pa.table(
        {
            "id": pa.array([BIG, 2, None], pa.int64()),
            "label": pa.array([1.0, float("nan"), None], pa.float64()),
            "at": pa.array([moment, moment, None], pa.timestamp("us", "UTC")),
            "truth": pa.array([True, False, None]),
            "name": pa.array(["cat", "dog", None]),
            "list": pa.array([[1], [2], None]),
        }
    )
    path = tmp_path / f"t.{kind}"
    if kind == "parquet":
        parquet.write_table(table, path)
    else:
        feather.write_feather(table, str(path))

    assert entries(path)[0] == {"prediction_id": BIG, "label": 1.0, "at": 1_767_225_600.0}
    assert entries(path)[1:] == [None, None]
    assert [each and each["label"] for each in entries(path, LabelColumns(label="truth"))] == [True, False, None]
    assert [each and each["label"] for each in entries(path, LabelColumns(label="name"))] == ["cat", "dog", None]


def test_ids_that_became_floats_are_whole_again(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"id": [17.0, 18.0], "label": [1, 0]}), path)

    assert [each and each["prediction_id"] for each in entries(path)] == [17, 18]


def test_columns_are_what_the_operator_calls_them(write: Callable[[str, str], Path]) -> None:
    path = write("t.csv", "request,outcome,settled,row,step\na,1,2026-01-01,2,3\n")

    assert entries(path, LabelColumns("request", "outcome", "settled")) == [
        {"prediction_id": "a", "label": "1", "at": "2026-01-01", "row": "2", "step": "3"}
    ]


def test_where_there_is_no_id_an_entity_stands_for_it(write: Callable[[str, str], Path]) -> None:
    path = write("t.csv", "user_id,label,at\n42,1,2026-01-01\n")

    assert entries(path, LabelColumns(entity="user_id", within="7d")) == [
        {"entity": "42", "within": "7d", "label": "1", "at": "2026-01-01"}
    ]


def test_a_file_may_say_entities_and_batches_itself(write: Callable[[str, str], Path]) -> None:
    path = write("t.jsonl", '{"entity": "u", "within": "7d", "label": 1}\n{"id": "a", "labels": [1, null]}\n')

    assert entries(path) == [
        {"entity": "u", "within": "7d", "label": 1},
        {"labels": [1, None], "prediction_id": "a"},
    ]


@pytest.mark.parametrize(
    "given", [TABLE.encode(), b' [{"id": "a", "label": "1"}, {"id": "b"}, {"id": "c", "label": "cat"}]']
)
def test_standard_input_is_a_table_or_json(given: bytes) -> None:
    assert entries("-", given=given) == EXPECTED


@pytest.mark.parametrize(
    ("name", "content", "columns", "sentence"),
    [
        ("t.csv", "", USUAL, "holds no rows"),
        ("t.json", "[]", USUAL, "holds no rows"),
        ("t.jsonl", "", USUAL, "holds no rows"),
        ("t.csv", "a,b\n1,2", USUAL, "has no column prediction_id or id: name it with --id"),
        ("t.csv", "id,b\n1,2", USUAL, "has no column label or value: name it with --label; it has id, b"),
        ("t.csv", "id,label\n1,2", LabelColumns(identifier="x"), "has no column 'x': it has id, label"),
        ("t.csv", "id,label\n1,2", LabelColumns(label="y"), "has no column 'y'"),
        ("t.csv", "id,label\n1,2", LabelColumns(at="z"), "has no column 'z'"),
        ("t.csv", "id,label\n1,2", LabelColumns(entity="u", within="1d"), "has no column 'u'"),
        ("t.jsonl", '{"a": 1}', USUAL, "has no column prediction_id or id"),
        ("t.csv", "id,label\n1,2\n3", USUAL, "does not fit its header at line 3: found 1 fields, expected 2"),
        ("t.jsonl", '{"id": 1, "label": 1}\n{', USUAL, "is no JSON at line 2"),
        ("t.json", "{", USUAL, "is no JSON at line 1"),
        ("t.json", "[1]", USUAL, "holds no object at its entry 1"),
        ("t.csv", "id,id,label\n1,2,3", USUAL, "has two columns of the name 'id'"),
        ("t.pkl", "x", USUAL, "has an unknown format: expected .csv, .tsv, .txt, .json, .jsonl"),
        ("t", "x", USUAL, "has an unknown format"),
        ("t.parquet", "PAR1", USUAL, "is a damaged Parquet file"),
        ("t.parquet", "id,label", USUAL, "is not a Parquet file"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_in_one_sentence(
    name: str, content: str, columns: LabelColumns, sentence: str, write: Callable[[str, str], Path]
) -> None:
    with pytest.raises(ReferenceDataError) as caught:
        entries(write(name, content), columns)

    assert str(caught.value).startswith(sentence) or (name == "t.parquet" and "arquet" in str(caught.value))


@pytest.mark.parametrize("given", ["https://host/labels.csv", "s3://bucket/labels.csv"])
def test_what_lies_elsewhere_has_to_be_downloaded_first(given: str) -> None:
    with pytest.raises(ReferenceDataError, match="is a URL: only local files are read, so download it first"):
        entries(given)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        entries(tmp_path / "none.csv")


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()

    entries(write("t.csv.gz", gzip.compress(TABLE.encode())))

    assert list((tmp_path / "temporary").iterdir()) == []
