"""The search of the guilty slice, from the sample to the verdict."""

from collections.abc import Collection, Sequence

from dashlight.judge.slices.candidates import Search
from dashlight.judge.slices.figures import CONFIRMED_P
from dashlight.judge.slices.halves import halves_of
from dashlight.judge.slices.rows import BinWords, HurtRows
from dashlight.judge.slices.verdict import SliceVerdict
from dashlight.judge.slices.words import too_few_words
from dashlight.records import Slice
from dashlight.window.columns import ColumnReference
from dashlight.window.reference.steps import Steps

LEAST_ROWS = 200
"""Of the sample: with fewer nothing could be confirmed."""
LEAST_HURT = 8
"""Rows of each half that hurt, likewise."""


def search_slice(
    now: HurtRows,
    usual: HurtRows | None,
    columns: Sequence[ColumnReference],
    *,
    leave_out: Collection[int] = (),
    words: BinWords,
) -> Steps[Slice]:
    """The smallest slice that explains most of why more rows of *now* hurt than is *usual*, in steps of a few milliseconds.

    One half of the rows is searched (`Search`). The one slice that came of it is tested on the other half, at p <= 1e-4
    (`rose_more`). Where that confirms it, a third condition that the first half had chosen is tested on the other half, among
    the slice's own rows, at the same level: a test that is done only where the one before it succeeded needs no level of its
    own (fixed sequence; Maurer, Hothorn and Lehmacher, 1995). Figures are those of the half that was not searched. Rows are taken
    to be independent: of rows that come in clusters p is too small.

    Args:
        now: Rows since the change, drawn uniformly, in any order; up to 4,000 are what it is made for.
        usual: Rows of before, by the same measure of hurt; None where nobody knows. Then a slice that always hurts more may be
            named, and the summary says that what is usual is not known.
        columns: Of the rows' codes, in their order.
        leave_out: Places of columns of which no condition is made: see `no_explanation` for drift. Where rows hurt because they
            failed or were refused, leave out the outputs.
        words: See `BinWords`; `bin_words(columns)` says what may be told of each column.

    Returns:
        The verdict, all but its exemplars. *summary* begins with `; ` and stands behind the sentence of an alert.
    """
    if now.row_count < LEAST_ROWS:
        return _too_few(now, int((now.hurt > 0).sum()))
    searching, confirming = halves_of(now, usual)
    yield
    if min(searching.hurts.sum(), confirming.hurts.sum()) < LEAST_HURT:
        return _too_few(now, int(searching.hurts.sum() + confirming.hurts.sum()))
    search = Search(searching, columns, [place for place in range(len(columns)) if place not in set(leave_out)])
    searched = yield from search.best()
    verdict = SliceVerdict(searching, confirming, searched, columns, words)
    if searched.best is None:
        return verdict.without()
    p = verdict.p_of(searched.best.conditions)
    yield
    if p > CONFIRMED_P or (found := verdict.found(searched.best.conditions, p)) is None:
        return verdict.without()
    if len(searched.best.conditions) < 2:
        return found
    third = yield from search.third(searched.best)
    if third is None or verdict.p_of(third.conditions, within=searched.best.conditions) > CONFIRMED_P:
        return found
    smaller = verdict.found(third.conditions, verdict.p_of(third.conditions))
    return found if smaller is None else smaller


def _too_few(now: HurtRows, hurting: int) -> Slice:
    return Slice("too_few", rows=now.row_count, summary=too_few_words(now.row_count, hurting))
