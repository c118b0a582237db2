"""What a payload calls its predictions: the ids of its rows, by which their labels may come, and whom they are about."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from dashlight.decode.rows.columns import Sheet
from dashlight.records import Cell

LONGEST_ID: Final = 256
"""Characters; a longer one is no id that anybody would send twice."""
_LARGEST: Final = 10**30
_WHOLE: Final = float(1 << 53)
"""From here on a float no longer tells one whole number from the next."""

_ONE_EACH: Final = (
    "predictionid", "inferenceid", "transactionid", "eventid", "orderid", "applicationid", "claimid", "loanid", "invoiceid",
    "paymentid", "bookingid", "ticketid", "caseid", "impressionid", "messageid", "sampleid", "exampleid", "recordid", "rowid",
    "instanceid", "customid", "id", "uuid", "guid", "requestid",
)  # fmt: skip
"""Names of ids of which each prediction has one, the most telling first, without marks between their words. Not among them is
whom or what a prediction is about, `customer_id`: that comes again."""
_RANKS: Final = {name: rank for rank, name in enumerate(_ONE_EACH)}
_BARE: Final = frozenset({"id", "uuid", "guid"})
"""Below another name they are that thing's: `customer.id`."""


def id_column(sheet: Sheet) -> Sequence[Cell] | None:
    """The ids of the rows of *sheet*, one each, as they came; None where no name says that there are any."""
    found = min(
        ((rank, name) for name in (*sheet.ids, *sheet.names) if (rank := _rank(name)) is not None), default=None
    )
    # Not its row_ids: they tell the rows of one exchange apart, and an index of a frame begins at 0 in each.
    return None if found is None else column_called(found[1], sheet)


def column_called(name: str, sheet: Sheet) -> Sequence[Cell] | None:
    """The column *name* of *sheet*, also where it was left out as an id; None where there is none."""
    if not name:
        return None
    if name in sheet.ids:
        return sheet.ids[name]
    if name not in sheet.names:
        return None
    place = sheet.names.index(name)
    return [row[place] for row in sheet.values]


def id_text(cell: Cell) -> str:
    """*cell* as whoever sends labels writes it: a text, or a whole number; empty where it is no id."""
    if type(cell) is str:
        return cell if len(cell) <= LONGEST_ID else ""
    if type(cell) is float and cell.is_integer() and -_WHOLE < cell < _WHOLE:
        cell = int(cell)
    return str(cell) if type(cell) is int and -_LARGEST < cell < _LARGEST else ""


@lru_cache(maxsize=1024)
def _rank(name: str) -> int | None:
    """How well *name* tells the id of a row, 0 the best; None where it does not."""
    *above, last = (_plain(part) for part in name.split("."))
    if above and last in _BARE:
        last = above[-1] + "id"
    return _RANKS.get(last)


def _plain(part: str) -> str:
    return part.replace("_", "").replace("-", "").lower()
