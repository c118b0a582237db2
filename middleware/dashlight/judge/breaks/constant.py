"""A column that is stuck at one value. Pure."""

from itertools import takewhile

from dashlight.judge.breaks.sight import Finding, Sight, nats, upper_share
from dashlight.judge.words import percent, printable
from dashlight.window.disclosure import value_words
from dashlight.window.recent.stand_ins import FILLS
from dashlight.window.values import number_text

MOST_BEFORE = 0.3
FEWEST_ROWS = 128
"""The last so many must be one value, nothing excepted, ..."""
_RARE_BEFORE = 0.01
"""... and of a value that hardly occurred in the reference: what only became frequent is not stuck."""
FEWEST_AT_ONCE, _FEWEST_OTHERS = 64, 16
"""Fewer will do where so many came before them of which hardly any was that value: then it did not become frequent first."""
RUNS_LONGER, RUN_ROWS = 3, 50
"""A stuck source is told from a quiet one by a run this many times the longest of the reference, and so many rows more."""


def constant(sight: Sight) -> Finding | None:
    """Whether the last values, nothing excepted, are one that in the reference was one of many."""
    values = _values(sight)
    if not values or len(values) < 0.5 * sight.rows:
        return None
    last = values[-1]
    run = sum(1 for _ in takewhile(lambda value: value == last, reversed(values)))
    text = last if isinstance(last, str) else str(number_text(last))
    before = sight.reference_share(text)
    if before > MOST_BEFORE or run < (len(values) if before > _RARE_BEFORE else 0):
        return None
    others = values[: len(values) - run]
    began_at_once = sum(value == last for value in others) < len(others) // _FEWEST_OTHERS
    if run < (FEWEST_AT_ONCE if began_at_once else FEWEST_ROWS):
        return None
    shown = printable(value_words(sight.column, text)) if text else "empty"
    default = " (a default fill?)" if text in FILLS else ""
    what = f"{sight.name} is stuck at {shown}{default} in 100 % of the last rows ({percent(before)} in the reference)"
    sure = nats(1.0, upper_share(before, sight.reference_rows), sight.effective_rows * run / len(values))
    certainty = max(sure, _nats_of_run(sight, run))
    look = f"; look at the source that writes {sight.name}: it may no longer be updated"
    return Finding("constant", what + look, f"{sight.name} = {shown}", before, 1.0, certainty)


def _values(sight: Sight) -> list[float] | list[str]:
    if sight.column.kind == "numeric":
        numbers: list[float] = sight.numbers.tolist()
        return numbers
    return [text for text in sight.texts.tolist() if text is not None]


def _nats_of_run(sight: Sight, rows: int) -> float:
    """Certainty that so many rows of one value are no natural run: each repeats the one before."""
    profile = sight.profile
    if rows * sight.stride < RUNS_LONGER * profile.longest_run + RUN_ROWS:
        return 0.0
    # Memory is in the repeats themselves, so that rows count in full; a shuffled reference knows of none.
    known = min(rows - 1.0, sight.effective_rows) if not sight.column.variation else rows - 1.0
    return nats(1.0, upper_share(profile.repeat_share, max(profile.rows, 1)), known)
