"""Which segments a reference has: the values of its columns that an operator named, in words that may be told. Pure."""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.columns.causes import bin_label, is_whole
from dashlight.judge.words import listed, number, printable
from dashlight.window.columns import ColumnReference, Reference
from dashlight.window.disclosure import told_number
from dashlight.window.layout import ABOVE, BELOW, BINS, STRUCTURAL_BINS, UNSEEN
from dashlight.window.parts.segments import MOST_SEGMENT_COLUMNS, NO_SEGMENT, Segmentation, SegmentColumn

MOST_GROUPS = 8
"""Segments of a numeric column."""
OTHER = "other"
"""The segment of the categories of a column that have no bin of their own."""
_DIGITS = (6, 9, 12, 17)


def segmentation_of(reference: Reference, names: Sequence[str]) -> Segmentation:
    """The segments that the features *names* have over the bins of *reference*, in the order of *names*.

    Categorical and boolean: one of each category with a bin, and OTHER of the rest and of what the reference never saw.
    Numeric: at most MOST_GROUPS of neighbouring bins, of about equal mass in the reference. Rows whose value is missing or of
    the wrong type are in no segment. A column with one segment alone has none: that would be all rows over again.
    """
    places = {column.name: place for place, column in enumerate(reference.columns) if column.role == "feature"}
    wanted = list(dict.fromkeys(names))
    found = {name: _groups(reference.columns[places[name]]) for name in wanted if name in places}
    known = [name for name, (_, values) in found.items() if len(values) > 1]
    columns: list[SegmentColumn] = []
    first = 0
    features = list(places.values())
    for name in known[:MOST_SEGMENT_COLUMNS]:
        groups, values = found[name]
        columns.append(SegmentColumn(name, features.index(places[name]), groups, _told_apart(values), first))
        first += len(values)
    return Segmentation(
        reference=reference.version,
        columns=tuple(columns),
        missing=tuple(name for name in wanted if name not in known),
        left_out=tuple(known[MOST_SEGMENT_COLUMNS:]),
    )


def segments_missed(segmentation: Segmentation) -> str:
    """What of DASHLIGHT_SEGMENTS is not watched, in a sentence; empty where all is."""
    told: list[str] = []
    if segmentation.missing:
        told.append(f"no feature of the reference whose values can be segments: {listed(segmentation.missing)}")
    if segmentation.left_out:
        told.append(f"more than {MOST_SEGMENT_COLUMNS} columns, so without: {listed(segmentation.left_out)}")
    return f"DASHLIGHT_SEGMENTS: {'; '.join(told)}" if told else ""


def _groups(column: ColumnReference) -> tuple[NDArray[np.uint8], list[str]]:
    """The segment of each bin of *column*, and what they are called; none where its values can be none."""
    if column.kind == "numeric" and column.counts[STRUCTURAL_BINS:].any():
        return _numeric(column)
    if column.kind in {"categorical", "boolean"} and column.categories:
        return _worded(column)
    return np.full(BINS, NO_SEGMENT, np.uint8), []


def _worded(column: ColumnReference) -> tuple[NDArray[np.uint8], list[str]]:
    groups = np.full(BINS, NO_SEGMENT, np.uint8)
    values = [bin_label(column, STRUCTURAL_BINS + place) for place in range(len(column.categories))]
    groups[STRUCTURAL_BINS : STRUCTURAL_BINS + len(values)] = np.arange(len(values))
    if column.kind == "categorical":
        groups[[UNSEEN, *range(STRUCTURAL_BINS + len(values), BINS)]] = len(values)
        values.append(OTHER)
    return groups, values


def _numeric(column: ColumnReference) -> tuple[NDArray[np.uint8], list[str]]:
    bins = len(column.edges) + 1
    counts = column.counts[STRUCTURAL_BINS : STRUCTURAL_BINS + bins].astype(np.float64)
    # A bin goes where its middle lies among groups of equal mass.
    middles = np.minimum((np.cumsum(counts) - counts / 2) / counts.sum() * MOST_GROUPS, MOST_GROUPS - 1)
    of_bins: NDArray[np.intp] = np.unique(middles.astype(np.intp), return_inverse=True)[1]
    groups = np.full(BINS, NO_SEGMENT, np.uint8)
    groups[STRUCTURAL_BINS : STRUCTURAL_BINS + bins] = of_bins
    groups[BELOW], groups[ABOVE] = of_bins[0], of_bins[-1]
    groups[STRUCTURAL_BINS + bins :] = of_bins[-1]
    return groups, _interval_words(column, column.edges[np.flatnonzero(np.diff(of_bins))])


def _interval_words(column: ColumnReference, borders: NDArray[np.float64]) -> list[str]:
    """The intervals between *borders*, ascending: `below 19`, `19 to 23`, `from 23 on`."""
    if not len(borders):
        return [""]  # all numbers alike
    begins: list[float] = borders.tolist()
    ends = begins[1:]
    if is_whole(column):
        begins = [float(ceil(begin)) for begin in begins]
        ends = [begin - 1 for begin in begins[1:]]
    told = _numbers_told([*begins, *ends])
    words = [f"below {told[0]}"]
    for begin, end in zip(told, told[len(begins) :], strict=False):
        words.append(begin if begin == end else f"{begin} to {end}")
    return [*words, f"from {told[len(begins) - 1]} on"]


def _numbers_told(values: Sequence[float]) -> list[str]:
    """*values* as they may be told, with as many digits as it takes to tell one from the other."""
    rounded = [told_number(value) for value in values]
    texts = [number(value) for value in rounded]
    for digits in _DIGITS:
        if len(set(texts)) == len(set(rounded)):
            break
        texts = [f"{value:.{digits}g}" for value in rounded]
    return texts


def _told_apart(values: Sequence[str]) -> tuple[str, ...]:
    """*values*, of which two may be alike where they are shortened, or called as we call the rest: each by another word."""
    told: list[str] = []
    taken = {OTHER} if values[-1] == OTHER else set[str]()
    for place, value in enumerate(values):
        words = printable(value)
        while words in taken and not (place == len(values) - 1 and words == OTHER):
            words = f"{words} (#{place + 1})"
        taken.add(words)
        told.append(words)
    return tuple(told)
