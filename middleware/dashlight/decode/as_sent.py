"""The features and outputs of one exchange of a batch as they were sent, for whoever shows them.

The columns of a batch no longer tell 5 from 5.0. What was read of an exchange does, and so do its bytes where its plan says.
"""

from collections.abc import Iterable

import msgspec

from dashlight.decode.batch import DecodedBatch
from dashlight.decode.compiled.plan import Plan
from dashlight.decode.exchange import Decoded, columns_of, read_exchange, shown_outputs
from dashlight.decode.rows.columns import Row, Sheet
from dashlight.decode.rows.selection import Selection
from dashlight.records import Exchange


class Values(msgspec.Struct, frozen=True, gc=False):
    """Both sides of one exchange; None where a side could not be read."""

    features: Row | Sheet | None
    outputs: Row | Sheet | None


def readings_of(batch: DecodedBatch, places: Iterable[int]) -> dict[int, Plan | Decoded]:
    """By place, how those at *places* were read: what `values_as_sent` takes; without those of which no row was read."""
    wanted = set(places)
    found: dict[int, Plan | Decoded] = {
        place: planned.plan for planned in batch.planned for place in wanted.intersection(planned.places)
    }
    found.update((place, batch.read[place]) for place in wanted.intersection(batch.read))
    return found


def values_as_sent(
    exchange: Exchange, reading: Plan | Decoded | None, *, selection: Selection, model: str = "", version: str = ""
) -> Values:
    """The values of *exchange* in the columns of *selection*.

    *reading* is how it was read in its batch, see `readings_of`; None: it is read anew, *model* and *version* being what they
    are where nothing says it.
    """
    if isinstance(reading, Plan):
        try:
            features = reading.features_as_sent.row(exchange.request_body)
            answered = reading.outputs_as_sent.row(exchange.response_body)
        except (ValueError, LookupError, TypeError):
            reading = None
        else:
            if not reading.may_return_inputs and str not in map(type, answered.cells.values()):
                return Values(features, answered)
            asked = sheet_of(features) if reading.may_return_inputs else None
            return Values(features, shown_outputs(asked, sheet_of(answered), selection))
    if reading is None:
        reading = read_exchange(exchange, model=model, version=version, selection=selection)
    decoded = columns_of(reading, selection)
    return Values(decoded.features, decoded.outputs)


def sheet_of(values: Row | Sheet) -> Sheet:
    """*values* of one side as the rows that decoding works with."""
    return values if isinstance(values, Sheet) else Sheet(values.names, values.values)
