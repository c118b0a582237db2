"""A reference in words, for the terminal."""

from collections.abc import Mapping
from datetime import UTC, datetime

from dashlight.cli.performance_text import performance_words
from dashlight.judge.words import printable, told_apart
from dashlight.privacy.hashing import is_hash
from dashlight.records import Kind
from dashlight.window.columns import ColumnReference, Reference, Season
from dashlight.window.inspection.left_out import WHY
from dashlight.window.layout import NULL, STRUCTURAL_BINS
from dashlight.window.reference.seasons.waves import DAY_HARMONIC

LEAST_BLOCKS = 12
"""With fewer blocks of one length, the spread between them says little."""

_CATEGORIES_SHOWN = 4
_WORDS_OF_KIND: Mapping[Kind, str] = {"image": "images", "ranking": "lists of items", "forecast": "lists of steps"}
_CATEGORY_CHARACTERS = 20


def summary(reference: Reference) -> str:
    """A one-line summary of *reference*."""
    order = "in time order" if reference.ordered else "in no order"
    made = datetime.fromtimestamp(reference.created_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    model = f" of {reference.model}" if reference.model else ""
    worth = f" worth (by {reference.cluster})" if reference.cluster else ""
    return (
        f"{reference.rows} rows{worth} {order}, {len(reference.columns)} columns{model}, "
        f"version {reference.version}, {'learned' if reference.source == 'learned' else 'made'} {made}"
    )


def shown(reference: Reference, name: str) -> str:
    """A table of the columns of *reference*, which the file *name* holds."""
    head = ("role", "column", "kind", "missing", "values", "variation between blocks of")
    lines = [head] + [(*column_words(column), _variation(column)) for column in reference.columns]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    table = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    left_out = [f"left out: {printable(each.name)!r} {WHY[each.why]}" for each in reference.left_out]
    known = performance_words(reference)
    return "\n".join([f"{name}: {summary(reference)}", "", *table, "", *known, *([""] if left_out else []), *left_out])


def season_words(season: Season) -> str:
    """Which pattern *season* follows, in words."""
    daily = season.harmonics % DAY_HARMONIC == 0
    if daily.all():
        return "follows the hour of the day"
    return "follows the hour of the week" if daily.any() else "follows the day of the week"


def column_words(column: ColumnReference) -> tuple[str, ...]:
    """Role, name, kind, share of missing rows, and range or most frequent values of *column*."""
    missing = column.counts[NULL] / max(column.rows, 1)
    return (column.role, printable(column.name), column.kind, f"{missing:.1%}", printable(_values(column)))


def _share(share: float) -> str:
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def _values(column: ColumnReference) -> str:
    if column.kind == "numeric" and column.low == column.high:
        return f"always {column.low:g}"
    if column.kind == "numeric":
        ends = " to ".join(dict.fromkeys(told_apart(column.low, column.high)))
        return f"{ends} in {len(column.edges) + 1} bins" if len(column.edges) else ends
    if column.kind in _WORDS_OF_KIND and column.categories:
        return _WORDS_OF_KIND[column.kind]
    if column.kind == "text":
        return "free text" if column.counts[STRUCTURAL_BINS:].any() else "none"
    shares = (column.counts[STRUCTURAL_BINS:] / max(column.rows, 1)).tolist()
    held = [f"#{place + 1}" if is_hash(text) else text for place, text in enumerate(column.categories)]
    by_share = sorted(zip(held, shares, strict=False), key=lambda pair: (-pair[1], pair[0]))
    shown = [f"{category[:_CATEGORY_CHARACTERS]} {_share(share)}" for category, share in by_share[:_CATEGORIES_SHOWN]]
    more = len(column.categories) + len(column.known) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _variation(column: ColumnReference) -> str:
    if not column.variation:
        return "unknown: not in time order"
    known = [str(part.block_rows) for part in column.variation if part.blocks >= LEAST_BLOCKS]
    words = f"{', '.join(known)} rows" if known else "unknown: too few rows"
    return f"{words}, {season_words(column.season)}" if column.season else words
