"""The same values, however a format or a program wrote them, are the same; and no text says what nobody can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from dashlight import DriftDetector
from dashlight.cli.reference_text import shown
from dashlight.judge.columns.causes import bin_label
from dashlight.window.layout import STRUCTURAL_BINS

RNG = np.random.default_rng(41)
LEVELS = np.array([0.1, 0.2, 0.3, 0.7])
NOISY = np.array([0.1, 0.1 + 0.1, 0.1 + 0.2, 0.1 + 0.2 + 0.4])
PRICES = np.round(RNG.gamma(3, 10, 300), 2)


def summaries(reference: Any, live: Sequence[Any], **options: Any) -> list[str]:
    """What fires while *live* is compared with *reference*, 100 rows a pane."""
    detector = DriftDetector({"x": reference}, **options)
    panes = (live[start : start + 100] for start in range(0, len(live), 100))
    return [
        alert.summary
        for number, pane in enumerate(panes)
        for alert in detector.update({"x": pane}, at=10.0 * number)
        if alert.state == "firing"
    ]


def drawn(values: Any, rows: int) -> Any:
    return RNG.choice(values, rows)


def single(numbers: Any) -> Any:
    return np.asarray(numbers).astype(np.float32).astype(np.float64)


WRITINGS: dict[str, tuple[Any, Any]] = {
    "what arithmetic leaves, in the traffic": (drawn(LEVELS, 4000), drawn(NOISY, 3000)),
    "what arithmetic leaves, in the reference": (drawn(NOISY, 4000), drawn(LEVELS, 3000)),
    "few levels of 32 bits in the reference": (drawn(LEVELS, 4000).astype(np.float32), drawn(LEVELS, 3000)),
    "few levels of 32 bits in the traffic": (drawn(LEVELS, 4000), single(drawn(LEVELS, 3000))),
    "prices of 32 bits in the reference": (single(drawn(PRICES, 6000)), drawn(PRICES, 3000)),
    "prices of 32 bits in the traffic": (drawn(PRICES, 6000), single(drawn(PRICES, 3000))),
    "measures of 32 bits in the reference": (single(RNG.normal(5000, 900, 6000)), RNG.normal(5000, 900, 3000)),
    "measures of 32 bits in the traffic": (RNG.normal(5000, 900, 6000), single(RNG.normal(5000, 900, 3000))),
    "prices rounded once more": (drawn(np.arange(50) / 50, 8000) * 47 - 8, np.round(drawn(np.arange(50) / 50, 3000) * 47 - 8, 10)),
    "whole numbers as floats": (RNG.integers(0, 7, 4000), RNG.integers(0, 7, 3000).astype(float)),
    "whole numbers as texts in the reference": ([str(each) for each in RNG.integers(0, 7, 4000)], RNG.integers(0, 7, 3000)),
    "texts with a decimal in the reference": ([f"{each}.0" for each in RNG.integers(0, 7, 4000)], RNG.integers(0, 7, 3000)),
    "texts with a decimal in the traffic": ([str(each) for each in RNG.integers(0, 7, 4000)], [f"{each}.0" for each in RNG.integers(0, 7, 3000)]),
    "numbers beyond 53 bits": ([2**53 + 1 + int(each) for each in RNG.integers(0, 5, 4000)], [2**53 + 1 + int(each) for each in RNG.integers(0, 5, 3000)]),
    "negative zero": (drawn([0.0, 1.0, 2.0], 4000), drawn([-0.0, 1.0, 2.0], 3000)),
    "truth values": (drawn([True, False], 4000), drawn([True, False], 3000).tolist()),
}  # fmt: skip


@pytest.mark.parametrize("what", list(WRITINGS))
def test_values_that_are_written_otherwise_are_the_same(what: str) -> None:
    reference, live = WRITINGS[what]

    assert summaries(reference, live) == []


@pytest.mark.parametrize(
    "live",
    [single(drawn(LEVELS[1:], 3000)), drawn(NOISY[1:], 3000), single(drawn(PRICES, 3000) * 1.2)],
    ids=["levels of 32 bits", "with what arithmetic leaves", "prices of 32 bits"],
)
def test_a_change_is_found_however_it_is_written(live: Any) -> None:
    reference = drawn(PRICES, 4000) if live.max() > 1 else drawn(LEVELS, 4000)

    assert summaries(reference, live)


def test_codes_of_32_bits_are_the_same_categories() -> None:
    assert summaries(drawn(LEVELS, 4000), single(drawn(LEVELS, 3000)), kinds={"x": "categorical"}) == []


AWKWARD = {
    "mostly zero": np.where(RNG.random(4000) < 0.6, 0.0, RNG.exponential(1, 4000)),
    "ages": np.where(RNG.random(4000) < 0.1, 0, RNG.integers(18, 90, 4000)),
    "one value": np.full(4000, 7.0),
    "two": drawn([7, 8], 4000),
    "close": 7 + RNG.random(4000) * 1e-6,
    "levels": drawn(LEVELS, 4000),
    "": RNG.normal(0, 1, 4000),
    "words": drawn(["a", "", " "], 4000),
}


def test_no_bin_is_told_by_what_nobody_can_read() -> None:
    reference = DriftDetector(AWKWARD).reference
    labels = {
        column.name: [bin_label(column, STRUCTURAL_BINS + place) for place in range(len(column.edges) + 1)]
        for column in reference.columns
        if column.kind == "numeric"
    }

    assert labels["mostly zero"][:1] == ["0"]
    assert labels["mostly zero"][1].startswith("over 0 to ")
    assert labels["ages"][:2] == ["0", "18 to 19"]
    assert labels["one value"] == ["7"]
    assert labels["two"] == ["7", "8"]
    assert labels["levels"] == ["0.1", "0.2", "0.3", "0.7"]
    for label in (label for each in labels.values() for label in each):
        first, _, last = label.removeprefix("over ").partition(" to ")
        assert first != last
        assert "e-3" not in label


def test_a_reference_is_shown_without_an_empty_name_or_a_range_of_one() -> None:
    text = shown(DriftDetector(AWKWARD, kinds={"": "numeric"}).reference, "r.json")

    assert 'feature  ""' in text
    assert "7 to 7 " not in text
    assert " 7  " in text


def test_a_column_without_a_name_is_told_in_quotes() -> None:
    detector = DriftDetector({"": RNG.normal(0, 1, 4000), "b": RNG.normal(0, 1, 4000)}, kinds={"": "numeric"})
    found = [
        alert.summary
        for pane in range(30)
        for alert in detector.update({"": RNG.normal(2, 1, 100), "b": RNG.normal(0, 1, 100)}, at=10.0 * pane)
    ]

    assert any('""' in summary for summary in found)
    assert not any("share of  " in summary or "of  " in summary for summary in found)
