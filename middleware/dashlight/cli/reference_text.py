"""A reference in words, for the terminal."""

from collections.abc import Mapping
from datetime import UTC, datetime

from dashlight.records import Kind
from dashlight.window.columns import ColumnReference, Reference, Season
from dashlight.window.layout import NULL, STRUCTURAL_BINS
from dashlight.window.reference.seasons import DAY_HARMONIC

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
    lines = [head] + [_line(column) for column in reference.columns]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    table = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join([f"{name}: {summary(reference)}", "", *table])


def season_words(season: Season) -> str:
    """Which pattern *season* follows, in words."""
    daily = season.harmonics % DAY_HARMONIC == 0
    if daily.all():
        return "follows the hour of the day"
    return "follows the hour of the week" if daily.any() else "follows the day of the week"


def _line(column: ColumnReference) -> tuple[str, ...]:
    missing = column.counts[NULL] / max(column.rows, 1)
    return (column.role, column.name, column.kind, f"{missing:.1%}", _values(column), _variation(column))


def _values(column: ColumnReference) -> str:
    if column.kind == "numeric":
        return f"{column.low:g} to {column.high:g} in {len(column.edges) + 1} bins"
    if column.kind in _WORDS_OF_KIND and column.categories:
        return _WORDS_OF_KIND[column.kind]
    if column.kind == "text":
        return "free text" if column.counts[STRUCTURAL_BINS:].any() else "none"
    shares = (column.counts[STRUCTURAL_BINS:] / max(column.rows, 1)).tolist()
    by_share = sorted(zip(column.categories, shares, strict=False), key=lambda pair: (-pair[1], pair[0]))
    shown = [f"{category[:_CATEGORY_CHARACTERS]} {share:.0%}" for category, share in by_share[:_CATEGORIES_SHOWN]]
    more = len(column.categories) + len(column.known) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _variation(column: ColumnReference) -> str:
    if not column.variation:
        return "unknown: not in time order"
    known = [str(part.block_rows) for part in column.variation if part.blocks >= LEAST_BLOCKS]
    words = f"{', '.join(known)} rows" if known else "unknown: too few rows"
    return f"{words}, {season_words(column.season)}" if column.season else words
