import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.errors import ReferenceDataError
from dashlight.window.columns import ColumnReference, Reference, Writing
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump, load, with_version

Columns = Callable[..., ColumnReference]
NOT_OURS = "is not a Dashlight reference"


@pytest.fixture
def reference() -> Reference:
    rng = np.random.default_rng(10)
    return build_reference_from_columns(
        {
            "temp": rng.normal(size=900),
            "never": [None] * 900,
            "carrier": rng.choice([f"c{place}" for place in range(50)], 900).tolist(),
            "late": (rng.random(900) < 0.2).tolist(),
            "endless": [math.inf] * 900,
        },
        {"late": "output"},
        rng=rng,
        created_at=1_700_000_000.25,
        model='the "late" one ö 1',
    )


def same(one: object, other: object) -> bool:
    """Whether two values, of arrays and NaN too, are the same to the last digit."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if is_dataclass(one) and is_dataclass(other):
        return all(same(getattr(one, of.name), getattr(other, of.name)) for of in fields(one))
    return one == other


def test_a_reference_comes_back_as_it_was(reference: Reference) -> None:
    back = load(dump(reference))

    assert same(back, reference)
    assert math.isnan(back.columns[0].variation[2].events[0])
    assert back.columns[1].low == -math.inf


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=200, max_size=230),
    st.floats(0, 1e11),
)
def test_any_numbers_come_back_as_they_were(values: list[float], created_at: float) -> None:
    made = build_reference_from_columns({"x": values}, {}, rng=np.random.default_rng(0), created_at=created_at)

    assert same(load(dump(made)), made)


@given(st.lists(st.text(), min_size=200, max_size=230), st.text())
def test_any_texts_come_back_as_they_were(texts: list[str], name: str) -> None:
    made = build_reference_from_columns({name: texts}, {}, rng=np.random.default_rng(0), created_at=0.0)

    assert same(load(dump(made)), made)


def test_the_file_is_plain_json_with_a_line_for_each_thing_said(reference: Reference) -> None:
    file = dump(reference).decode()

    content = json.loads(file)
    assert (content["format"], content["version"], content["model"]) == (
        "dashlight.reference",
        1,
        'the "late" one ö 1',
    )
    assert [column["name"] for column in content["columns"]] == ["temp", "never", "endless", "carrier", "late"]
    assert '\n   "role": "output",\n' in file
    assert "NaN" not in file
    assert "Infinity" not in file


def test_a_file_that_was_only_laid_out_anew_is_still_good(reference: Reference) -> None:
    compact = msgspec.json.encode(msgspec.json.decode(dump(reference)))

    assert same(load(compact), reference)


def test_a_reference_without_columns_comes_back(reference: Reference) -> None:
    empty = with_version(replace(reference, columns=(), sample=None, pairs=None, directions=()))

    assert same(load(dump(empty)), empty)


def test_the_version_is_the_beginning_of_the_checksum(reference: Reference) -> None:
    content = json.loads(dump(reference))

    assert content["checksum"] == "sha256:" + content["checksum"].removeprefix("sha256:")
    assert content["checksum"].removeprefix("sha256:").startswith(reference.version)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        pytest.param(b"", "ends in the middle", id="empty"),
        pytest.param(b"hour,distance\n5,1400\n", "is not JSON", id="a table"),
        pytest.param(b"\xff\xfe{}", "is not JSON", id="bytes"),
        pytest.param(b'{"format": "dashlight.reference", "vers', "ends in the middle", id="cut short"),
        pytest.param(b'{"a": 1}', NOT_OURS, id="foreign object"),
        pytest.param(b"[1, 2]", NOT_OURS, id="foreign list"),
        pytest.param(b"[" * 100_000, NOT_OURS, id="brackets without end"),
        pytest.param(b'{"a": ' * 100_000, NOT_OURS, id="braces without end"),
        pytest.param(b'{"format": "dashlight.reference"}', "was edited or damaged", id="nothing but the format"),
    ],
)
def test_what_is_no_reference_is_refused_in_one_sentence(file: bytes, sentence: str) -> None:
    with pytest.raises(ReferenceDataError, match=sentence):
        load(file)


def test_a_file_of_a_newer_version_says_so(reference: Reference) -> None:
    newer = dump(reference).replace(b'"version": 1', b'"version": 2')

    with pytest.raises(ReferenceDataError, match="made by a newer Dashlight: its version is 2, this one reads 1"):
        load(newer)


@pytest.mark.parametrize(
    ("was", "is_now"),
    [
        pytest.param(b'"carrier"', b'"Carrier"', id="a name"),
        pytest.param(b'"rows": 900', b'"rows": 901', id="a number"),
        pytest.param(b'"created_at": 1700000000.25', b'"created_at": 1800000000.25', id="the moment"),
        pytest.param(b'"checksum": "sha256:', b'"checksum": "sha256:0', id="the checksum"),
    ],
)
def test_an_edited_file_is_refused(reference: Reference, was: bytes, is_now: bytes) -> None:
    edited = dump(reference).replace(was, is_now)

    assert edited != dump(reference)
    with pytest.raises(ReferenceDataError, match="edited or damaged"):
        load(edited)


def resealed(reference: Reference, **changes: object) -> bytes:
    """The file of *reference* with *changes* to its first column, and a checksum that fits."""
    content: dict[str, Any] = json.loads(dump(reference))
    for key, value in changes.items():
        content["columns"][0][key] = value
    return sealed(content)


def sealed(content: dict[str, Any]) -> bytes:
    """The file of *content*, with a checksum that fits."""
    del content["checksum"]
    canonical = msgspec.json.encode(content, order="sorted")
    content["checksum"] = "sha256:" + hashlib.sha256(canonical).hexdigest()
    return json.dumps(content).encode()


def test_a_sealed_file_is_good(reference: Reference) -> None:
    assert same(load(resealed(reference)), reference)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"counts": [900] + [-1] * 35}, "version 1: Expected `int` >= 0", id="a count below zero"),
        pytest.param({"counts": [1.5] * 36}, "version 1: Expected `int`", id="half a row"),
        pytest.param({"counts": [900]}, "'temp' what cannot be: 1 counts instead of 36", id="too few counts"),
        pytest.param({"counts": [2**63] + [0] * 35}, r"Expected `int` <= 9223372036854775807", id="too many rows"),
        pytest.param({"kind": "picture"}, "Invalid enum value 'picture'", id="unknown kind"),
        pytest.param({"edges": [3.0, 1.0]}, "do not ascend", id="edges that descend"),
        pytest.param({"note": "hello"}, "unknown field `note`", id="a thing that nobody knows"),
        pytest.param({"name": None}, "Expected `str`, got `null`", id="no name"),
    ],
)
def test_a_sealed_file_that_cannot_be_true_is_refused(
    reference: Reference, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ReferenceDataError, match=sentence):
        load(resealed(reference, **changes))


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary() | any_json.map(lambda content: json.dumps(content).encode()))
def test_nothing_but_a_reference_error_leaves_the_loader(file: bytes) -> None:
    with pytest.raises(ReferenceDataError):
        load(file)


@given(st.dictionaries(st.text(), any_json, max_size=5))
def test_nothing_but_a_reference_error_leaves_the_loader_for_what_claims_to_be_ours(content: dict[str, object]) -> None:
    with pytest.raises(ReferenceDataError):
        load(json.dumps(content | {"format": "dashlight.reference"}).encode())


def test_how_a_column_is_written_comes_back(reference: Reference) -> None:
    first, *others = reference.columns
    writing = Writing("number", decimal=",", dates="dmy", has_currency=True, has_percent=True, nulls=("", "n/a"))
    told = with_version(replace(reference, columns=(replace(first, writing=writing), *others)))

    back = load(dump(told))

    assert back.columns[0].writing == writing
    assert back.columns[1].writing is None
    assert back.version == told.version != reference.version


def test_a_file_that_says_nothing_of_the_writing_is_read(reference: Reference) -> None:
    content: dict[str, Any] = json.loads(dump(reference))
    for column in content["columns"]:
        del column["writing"]

    assert [column.writing for column in load(sealed(content)).columns] == [None] * len(reference.columns)


def test_a_file_without_a_sample_of_rows_is_read_and_stays_what_it_was(reference: Reference) -> None:
    before = with_version(replace(reference, sample=None))
    file = dump(before)

    back = load(file)

    assert b'"sample"' not in file
    assert back.sample is None
    assert dump(back) == file
