"""A slice in the words that stand behind the sentence of an alert."""

from collections.abc import Callable, Collection, Sequence
from math import isfinite, isnan

from dashlight.judge.columns.causes import bin_label, range_words
from dashlight.judge.slices.conditions import ORDERED_BINS
from dashlight.judge.words import percent, printable
from dashlight.records import Slice
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import BINS, STRUCTURAL_BINS

_BINS_LISTED = 3


def bin_words(columns: Sequence[ColumnReference]) -> Callable[[int, Collection[int]], str]:
    """The words for bins of *columns* in which a slice tells its conditions, as each column's values may be told."""

    def words(place: int, bins: Collection[int]) -> str:
        return condition_words(columns[place], bins)

    return words


def condition_words(column: ColumnReference, bins: Collection[int]) -> str:
    """What a row in *bins* of *column* is: `UA`, `UA or AA`, `not UA`, `19 to 23`, `above 1,400`, `missing`."""
    held = {bin_ for bin_ in bins if 0 <= bin_ < BINS}
    if column.kind == "numeric" and (within := [bin_ for bin_ in ORDERED_BINS if bin_ in held]):
        others = [bin_label(column, bin_) for bin_ in sorted(held.difference(within))]
        return " or ".join([range_words(column, within), *others])
    lacked = [bin_ for bin_ in range(BINS) if column.counts[bin_] and bin_ not in held]
    labels = [bin_label(column, bin_) for bin_ in sorted(held)]
    if len(labels) > 1 and len(lacked) == 1 and column.kind != "numeric":
        return f"not {bin_label(column, lacked[0])}"
    more = len(labels) - _BINS_LISTED
    return " or ".join(labels[:_BINS_LISTED]) + (f" or {more} more" if more > 0 else "")


def condition_name(column: ColumnReference, bins: Collection[int], words: str) -> str:
    """A condition with its column: `carrier=UA`, `hour 19 to 23`, `hour missing`."""
    is_one_value = column.kind != "numeric" and len(bins) == 1 and min(bins) >= STRUCTURAL_BINS
    return f"{printable(column.name)}{'=' if is_one_value else ' '}{words}"


def found_words(names: Sequence[str], found: Slice, *, rest_rose: bool, rest_fell: bool) -> str:
    """Of a slice whose conditions are *names*."""
    here = f"; it is {' and '.join(names)} ({percent(found.share)} of the rows): {percent(found.rate)} there"
    if isnan(found.usual_rate):
        return f"{here}, {percent(found.rest_rate)} in the rest; what is usual there is not known"
    rest = "rose as well" if rest_rose else "fell" if rest_fell else "is as before"
    rates = f"{percent(found.rest_rate)}, usually {percent(found.rest_usual_rate)}"
    part = f"{percent(found.explained)} ({percent(found.explained_low).removesuffix(' %')} to {percent(found.explained_high)})"
    return f"{here}, usually {percent(found.usual_rate)}; the rest {rest} ({rates}); that explains {part} of it"


def everywhere_words(found: Slice) -> str:
    """Where the rest of the best slice rose as well, and no slice was confirmed."""
    return f"; it is everywhere: {percent(found.rest_rate)} of the rows hurt, usually {percent(found.rest_usual_rate)}"


def none_words(found: Slice, usual: float, looked_at: str) -> str:
    """Where no slice was confirmed; *usual* is the rate of all rows from which a slice of 5 % would have had to rise."""
    if not isfinite(found.detectable_lift):
        return f"; no slice found{looked_at}: {found.rows:,} rows are too few to find one of 5 %"
    lift = f"from {percent(usual)} to {percent(usual + found.detectable_lift)}"
    return f"; no slice found{looked_at}; one of 5 % would have needed a lift {lift}"


def too_few_words(rows: int, hurting: int) -> str:
    """Where there were too few rows, or too few that hurt, to search."""
    return f"; too few rows to search a slice ({rows:,}, of which {hurting:,} count)"


def looked_at_words(paired: int, columns: int) -> str:
    """What to say where not all columns were looked at in pairs; else nothing."""
    return f" (of {columns:,} columns {paired:,} were looked at in pairs)" if paired < columns else ""
