"""What an alarm means, in words and shares that an engineer can check against the data. Pure."""

from collections.abc import Sequence
from math import ceil
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.words import number, percent, printable, told_apart
from dashlight.records import BinShare, Cause
from dashlight.window.columns import ColumnReference, unseen_is_other
from dashlight.window.disclosure import category_words, told_number
from dashlight.window.events import EVENT_BINS, EVENT_COUNT, FUNCTIONAL_NAMES, event_counts
from dashlight.window.layout import ABOVE, BELOW, BINS, NULL, STRUCTURAL_BINS, TYPE_ERROR
from dashlight.window.profile import PRECISIONS

Counts: TypeAlias = NDArray[np.integer]

CATEGORIES_NAMED = 5
_MIDDLE = (0.1, 0.9)
_QUARTILES = (0.25, 0.5, 0.75)
_NEARLY_ALONE = 0.99
"""Part of the rows of a bin that one value has, from which on the bin is that value's."""


def explain(column: ColumnReference, detector: int, current: Counts) -> tuple[str, Cause]:
    """One sentence on what *detector* sees in the *current* counts, shape (BINS,), and the bins behind it.

    *detector* is an event's number, or EVENT_COUNT plus a functional's. A functional is told by quantiles, together
    with the event that moved furthest.
    """
    if detector < EVENT_COUNT:
        cause = _cause(column, detector, current)
        return _moved(cause), cause
    cause = _cause(column, _furthest_event(column, current), current)
    return f"{_order_moved(column, FUNCTIONAL_NAMES[detector - EVENT_COUNT], current)}; {_moved(cause)}", cause


def bin_label(column: ColumnReference, bin_: int) -> str:
    """What bin number *bin_* of *column* holds, in words."""
    if bin_ == NULL:
        return "missing"
    if bin_ == TYPE_ERROR:
        return "wrong type"
    if column.kind == "text":
        return "any text"
    if column.kind != "numeric":
        return _category(column, bin_)
    if bin_ == BELOW:
        return f"< {_told(column.low)}"
    if bin_ == ABOVE:
        return f"> {_told(column.high)}"
    first = bin_ - STRUCTURAL_BINS
    return _interval(column, first, first + 1).removeprefix("from ").removeprefix("= ")


def event_words(column: ColumnReference, event: int) -> str:
    """Event number *event* of *column* in words that follow "share of"."""
    name, (first, stop) = printable(column.name), EVENT_BINS[event]
    if first == NULL:
        return f"missing {name}"
    if first == TYPE_ERROR:
        return f"{name} of a wrong type"
    if column.kind == "numeric":
        if first == BELOW:
            return f"{name} below the reference's range (< {_told(column.low)})"
        if first == ABOVE:
            return f"{name} above the reference's range (> {_told(column.high)})"
        return f"{name} {_interval(column, first - STRUCTURAL_BINS, stop - STRUCTURAL_BINS)}"
    if first <= ABOVE:
        return f"a value of {name} never seen in the reference"
    labels = [bin_label(column, bin_) for bin_ in range(first, stop) if _holds_category(column, bin_)]
    if len(labels) == 1:
        return f"{name} = {labels[0]}"
    more = len(labels) - CATEGORIES_NAMED
    return f"{name} in ({', '.join(labels[:CATEGORIES_NAMED])}{f' and {more} more' if more > 0 else ''})"


def quantile(column: ColumnReference, counts: Counts, share: float) -> float:
    """About the value below which *share* of the values of a numeric column lie: even inside a bin.

    -inf or inf where that is out of the reference's range; NaN where *counts* hold no value.
    """
    values = np.asarray(counts[BELOW:], np.float64)
    ordered = np.concatenate([values[:1], values[2:], values[1:2]])  # below, the value bins, above
    reached = np.cumsum(ordered)
    wanted = share * float(reached[-1])
    if wanted == 0:
        return float("nan")
    place = int(np.searchsorted(reached, wanted))
    if place in {0, len(ordered) - 1}:
        return float("inf") if place else float("-inf")
    within = 1 - (float(reached[place]) - wanted) / float(ordered[place])
    low, high = _ends(column, place - 1, place)
    value = low + within * (high - low)
    return float(round(value)) if is_whole(column) else value


def _cause(column: ColumnReference, event: int, current: Counts) -> Cause:
    before, after = _event_shares(column, current)
    shares = [counts / max(counts.sum(), 1) for counts in (column.counts, current)]
    bins = [
        BinShare(bin_label(column, bin_), float(shares[0][bin_]), float(shares[1][bin_]))
        for bin_ in range(BINS)
        if shares[0][bin_] or shares[1][bin_]
    ]
    return Cause(event_words(column, event), float(before[event]), float(after[event]), tuple(bins))


def _event_shares(column: ColumnReference, current: Counts) -> NDArray[np.float64]:
    """Shares of all events in the reference and in *current*, shape (2, EVENT_COUNT)."""
    counts = np.stack([column.counts, current]).astype(np.float64)[:, np.newaxis]
    held = event_counts(counts, unseen_is_other([column]))[:, 0]
    shares: NDArray[np.float64] = held / np.maximum(counts.sum(-1), 1)
    return shares


def _furthest_event(column: ColumnReference, current: Counts) -> int:
    angles = np.arcsin(np.sqrt(np.clip(_event_shares(column, current), 0.0, 1.0)))
    return int(np.abs(angles[1] - angles[0]).argmax())


def _moved(cause: Cause) -> str:
    direction = "rose" if cause.current >= cause.reference else "fell"
    return f"share of {cause.event} {direction} from {percent(cause.reference)} to {percent(cause.current)}"


def _order_moved(column: ColumnReference, functional: str, current: Counts) -> str:
    name = printable(column.name)

    def places(counts: Counts, shares: Sequence[float]) -> list[str]:
        return [_quantile_words(column, quantile(column, counts, share)) for share in shares]

    if functional in {"higher", "lower"}:
        direction = "rose" if functional == "higher" else "fell"
        before, after = places(column.counts, [0.5]), places(current, [0.5])
        return f"mean rank of {name} {direction}: median {before[0]} -> {after[0]}"
    if functional in {"wider", "narrower"}:
        direction = "spread" if functional == "wider" else "drew together"
        before, after = places(column.counts, _MIDDLE), places(current, _MIDDLE)
        return f"{name} {direction}: its middle 80 % was {' to '.join(before)}, is {' to '.join(after)}"
    before, after = places(column.counts, _QUARTILES), places(current, _QUARTILES)
    return f"shape of {name} changed: quartiles {', '.join(before)} -> {', '.join(after)}"


def _quantile_words(column: ColumnReference, value: float) -> str:
    if value == float("-inf"):
        return f"below {_told(column.low)}"
    return f"above {_told(column.high)}" if value == float("inf") else _told(value)


def _interval(column: ColumnReference, first: int, stop: int) -> str:
    """Value bins *first* to before *stop* of a numeric column, as `= 5` or `from 36 to 41`."""
    low, high = _ends(column, first, min(stop, len(column.edges) + 1))
    if low == high:
        return f"= {_told(low)}"
    if first > 0 and not is_whole(column):
        before = _ends(column, first - 1, first)
        if before[0] == before[1]:  # next to a value with a bin of its own
            return f"over {_told(before[0])} to {_told(high)}"
    texts = told_apart(told_number(low), told_number(high))
    return f"from {texts[0]} to {texts[1]}"


def _ends(column: ColumnReference, first: int, stop: int) -> tuple[float, float]:
    """The least and the largest number that value bins *first* to before *stop* hold, as far as the reference tells.

    The values themselves where the reference knows them all; of whole numbers whole ones; else the ends of the bins.
    """
    borders = _borders(column)
    low, high = float(borders[first]), float(borders[stop])
    profile, is_last = column.profile, stop == len(borders) - 1
    held = [] if profile is None else [v for v in profile.values if low <= v < high or (is_last and v == high)]
    if held:  # of the rows that were kept: the ends of the range are known of all
        return low if first == 0 else held[0], high if is_last else held[-1]
    if is_whole(column):
        return float(ceil(low)), high if is_last else float(ceil(high) - 1)
    if stop == first + 1 and profile is not None:
        share = float(column.counts[STRUCTURAL_BINS + first]) / max(column.rows, 1)
        for text, of_values in profile.frequent:
            value = float(text)
            if (low <= value < high or (is_last and value == high)) and of_values >= _NEARLY_ALONE * share:
                return value, value
    return low, high


def _told(value: float) -> str:
    return number(told_number(value))


def _borders(column: ColumnReference) -> NDArray[np.float64]:
    return np.concatenate([[column.low], column.edges, [column.high]])


def is_whole(column: ColumnReference) -> bool:
    """Whether its values are whole numbers: by the reference's profile, or by edges halfway between whole numbers."""
    if column.profile is not None and column.profile.precisions:
        return column.profile.precisions[PRECISIONS.index(0)] == 1.0
    ends = np.array([column.low, column.high])
    are_halves = bool((column.edges * 2 % 1 == 0).all() and (column.edges % 1 == 0.5).any())
    return are_halves and bool((ends % 1 == 0).all())


def _category(column: ColumnReference, bin_: int) -> str:
    if bin_ == ABOVE:
        return "never seen"
    place = bin_ - STRUCTURAL_BINS
    return printable(category_words(column, place)) if place < len(column.categories) else "other categories"


def _holds_category(column: ColumnReference, bin_: int) -> bool:
    return bin_ - STRUCTURAL_BINS < len(column.categories) or (bin_ == BINS - 1 and bool(column.known))
