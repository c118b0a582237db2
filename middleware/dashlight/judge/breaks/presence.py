"""A column that is gone, and one that is new. Pure."""

from collections.abc import Sequence

from dashlight.judge.breaks.sight import Finding, Sight
from dashlight.judge.words import percent, printable, span
from dashlight.window.profile import NULL_TYPE
from dashlight.window.recent.values import ABSENT, RecentValues, UnknownColumn

GONE_SHARE = 0.98
FEWEST_ROWS_BEFORE = 64
"""Rows without a column before it came: with fewer, it may always have been there."""
NEW_PANES = 8640
"""After so many panes, a day at ten seconds each, a new column is no news."""


def gone(sight: Sight, absent_seconds: float, renamed: Sequence[str]) -> Finding | None:
    """Whether the column is missing in nearly all rows, and *renamed*, new columns that may be it by another name."""
    absent, missing = sight.share_of_type(ABSENT), sight.share_of_type(ABSENT, NULL_TYPE)
    before = sight.profile.types[NULL_TYPE]
    share = sight.nearly_all("gone", GONE_SHARE)
    if missing < share or before > 0.5:
        return None
    if absent >= share:
        since = f", last seen {span(absent_seconds)} ago" if absent_seconds > 0 else ""
        what = f"{sight.name} is gone: it is no longer sent{since}"
        new = f"; new since then: {', '.join(map(printable, renamed))}" if renamed else ""
        look = f"{new}; look at what builds the request, was the column renamed?"
    else:
        what = f"{sight.name} is null in {percent(missing)} of rows ({percent(before)} in the reference)"
        look = f"; look at the source that fills {sight.name}"
    return Finding("gone", what + look, f"missing {sight.name}", before, missing, sight.nats(missing, before))


def new_columns(recent: RecentValues) -> list[UnknownColumn]:
    """Columns that the reference does not know, that came after FEWEST_ROWS_BEFORE rows without them, and stay."""
    return [
        seen
        for seen in recent.common_unknown
        if seen.first_rows >= FEWEST_ROWS_BEFORE
        and seen.last_pane >= recent.pane - 1
        and seen.last_pane - seen.first_pane < NEW_PANES
    ]


def new(seen: UnknownColumn) -> Finding:
    """What to say of a column that is new."""
    name = printable(seen.name)
    what = f"{name} is a new column, which the reference does not hold; look at what builds the request"
    return Finding(
        "new", f"{what}: the model may ignore it, or expect it under another name", f"{name} sent", 0.0, 1.0, 0.0
    )
