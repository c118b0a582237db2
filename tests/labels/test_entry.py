"""What one entry of a body of labels means."""

from __future__ import annotations

from typing import Any

import pytest

from dashlight.errors import DecodeError
from dashlight.labels.entry import MOST_CHARACTERS, MOST_LABELS, labels_of
from dashlight.labels.label import Label

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("entry", "label"),
    [
        ({"prediction_id": "a", "label": 1}, Label("a", 1)),
        ({"id": "a", "value": "cat"}, Label("a", "cat")),
        ({"id": " a ", "label": True}, Label("a", True)),
        ({"id": 17, "label": 0.5}, Label("17", 0.5)),
        ({"id": "a", "label": 0}, Label("a", 0)),
        ({"id": "a", "label": False}, Label("a", False)),
        ({"prediction_id": "", "id": "a", "label": "", "value": "1"}, Label("a", "1")),
        ({"id": "a", "label": 1, "row": 3.0}, Label("a:3", 1)),
        ({"id": "a", "label": 1, "row": "3.0", "step": " 2"}, Label("a:3@2", 1)),
        ({"id": "a", "label": 1, "row": 3}, Label("a:3", 1)),
        ({"id": "a", "label": 1, "row": "3", "step": "2"}, Label("a:3@2", 1)),
        ({"id": "a", "label": 1, "row": 0}, Label("a:0", 1)),
        ({"id": "a", "label": 1, "step": 1}, Label("a@1", 1)),
        ({"id": "a", "label": 1, "at": 1_780_000_000}, Label("a", 1, 1_780_000_000.0)),
        ({"id": "a", "label": 1, "at": "1780000000.5"}, Label("a", 1, 1_780_000_000.5)),
        ({"id": "a", "label": 1, "at": "2026-01-01"}, Label("a", 1, 1_767_225_600.0)),
        ({"id": "a", "label": 1, "at": "2026-01-01T01:00:00+01:00"}, Label("a", 1, 1_767_225_600.0)),
        ({"id": "a", "label": 1, "at": "2026-01-01 00:00:00"}, Label("a", 1, 1_767_225_600.0)),
        ({"id": "a", "label": 1, "at": NOW + 3600}, Label("a", 1, NOW)),
        ({"entity": "u", "label": 1, "within": "7d"}, Label("", 1, None, "u", 604_800.0)),
        ({"entity": 42, "label": 1, "within": 60}, Label("", 1, None, "42", 60.0)),
        ({"id": "a", "entity": "u", "label": 1, "within": "x"}, Label("a", 1)),
        ({"id": "a", "label": 1, "amount": [1, {}]}, Label("a", 1)),
    ],
    ids=str,
)
def test_an_entry_is_a_label(entry: dict[str, Any], label: Label) -> None:
    assert labels_of(entry, now=NOW) == [label]


def test_a_whole_batch_is_one_label_a_row_and_null_is_none_yet() -> None:
    found = labels_of({"prediction_id": "a", "labels": [1, None, "x"], "at": 5}, now=NOW)

    assert found == [Label("a:0", 1, 5.0), Label("a:2", "x", 5.0)]


def test_a_step_of_a_batch_of_forecasts_is_labelled_in_every_row() -> None:
    found = labels_of({"prediction_id": "a", "labels": [1, 2], "step": 3}, now=NOW)

    assert [each.id for each in found] == ["a:0@3", "a:1@3"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({}, "no_id"),
        ({"label": 1}, "no_id"),
        ({"id": "  ", "label": 1}, "no_id"),
        ({"id": True, "label": 1}, "id"),
        ({"id": 1.5, "label": 1}, "id"),
        ({"id": ["a"], "label": 1}, "id"),
        ({"id": 2**70, "label": 1}, "id"),
        ({"id": "x" * (MOST_CHARACTERS + 1), "label": 1}, "id"),
        ({"id": "a"}, "no_label"),
        ({"id": "a", "label": None}, "no_label"),
        ({"id": "a", "label": ""}, "no_label"),
        ({"id": "a", "label": [1]}, "label"),
        ({"id": "a", "label": {"a": 1}}, "label"),
        ({"id": "a", "label": float("nan")}, "label"),
        ({"id": "a", "label": float("inf")}, "label"),
        ({"id": "a", "label": 10**400}, "label"),
        ({"id": "a", "label": "x" * (MOST_CHARACTERS + 1)}, "label"),
        ({"id": "a", "label": 1, "at": "yesterday"}, "at"),
        ({"id": "a", "label": 1, "at": "nan"}, "at"),
        ({"id": "a", "label": 1, "at": -1}, "at"),
        ({"id": "a", "label": 1, "at": True}, "at"),
        ({"id": "a", "label": 1, "at": 10**400}, "at"),
        ({"id": "a", "label": 1, "at": "0001-01-01T00:00:00+23:00"}, "at"),
        ({"id": "a", "label": 1, "at": 1_790_000_000_000}, "at"),
        ({"id": "a", "label": 1, "at": "1" * 41}, "at"),
        ({"id": "a", "label": 1, "row": -1}, "row"),
        ({"id": "a", "label": 1, "row": 1.5}, "row"),
        ({"id": "a", "label": 1, "row": True}, "row"),
        ({"id": "a", "label": 1, "row": "²"}, "row"),
        ({"id": "a", "label": 1, "row": 2**31}, "row"),
        ({"id": "a", "label": 1, "step": 0}, "step"),
        ({"id": "a", "labels": 1}, "labels"),
        ({"id": "a", "labels": [1], "row": 1}, "labels"),
        ({"entity": "u", "labels": [1], "within": "7d"}, "labels"),
        ({"id": "a", "labels": [1, [2]]}, "label"),
        ({"id": "a", "labels": [1] * (MOST_LABELS + 1)}, "too_many"),
        ({"entity": "u", "label": 1}, "within"),
        ({"entity": "u", "label": 1, "within": "soon"}, "within"),
        ({"entity": "u", "label": 1, "within": 0}, "within"),
        ({"entity": "u", "label": 1, "within": float("nan")}, "within"),
        ({"entity": "u", "label": 1, "within": True}, "within"),
        ({"entity": "u", "label": 1, "within": "1" * 50}, "within"),
        ({"entity": "u", "label": 1, "within": "7d", "row": 1}, "row"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_label_says_what_was_expected(entry: dict[str, Any], reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        labels_of(entry, now=NOW)

    assert caught.value.reason == reason


def test_a_moment_in_milliseconds_says_that_seconds_are_expected() -> None:
    with pytest.raises(DecodeError, match="numbers are seconds since the epoch"):
        labels_of({"id": "a", "label": 1, "at": 1_789_999_999_000}, now=NOW)
