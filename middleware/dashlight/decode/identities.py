"""What the exchanges of a batch call their predictions, and whom these are about, for labels that come later.

No column holds these: ids are left out of them. They are looked up where labels are waited for, and cost nothing elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashlight.decode.batch import DecodedBatch
from dashlight.decode.compiled.extract import reach
from dashlight.decode.exchange import Decoded
from dashlight.decode.rows.matching.prediction_ids import LONGEST_ID, column_called, id_column, id_text


@dataclass(frozen=True, slots=True, eq=False)
class Identities:
    """By the place of an exchange in its batch; those of which nothing is known are not there."""

    rows: Mapping[int, Sequence[str]] = field(default_factory=dict[int, Sequence[str]])
    """The ids of its rows, one each; empty where one has none. What the answer says goes before what the request says."""
    whole: Mapping[int, str] = field(default_factory=dict[int, str])
    """The id of all its rows together, by payload or server."""
    entities: Mapping[int, Sequence[str]] = field(default_factory=dict[int, Sequence[str]])
    """Whom its rows are about, one each."""


def identities(batch: DecodedBatch, *, entity: str = "") -> Identities:
    """Those of *batch*; *entity* is the feature that says whom a row is about, as requests call it."""
    rows, whole, entities = dict[int, Sequence[str]](), dict[int, str](), dict[int, Sequence[str]]()
    for planned in batch.planned:
        plan = planned.plan
        asked = [] if plan.asked_id is None else list(reach(planned.asked, plan.asked_id))
        answered = [] if plan.answered_id is None else list(reach(planned.answered, plan.answered_id))
        for told in (asked, answered):  # the answer's win
            rows.update(
                (place, (text,)) for place, cell in zip(planned.places, told, strict=False) if (text := id_text(cell))
            )
        if plan.entity is not None and entity:
            about = reach(planned.asked, plan.entity)
            entities.update((place, (id_text(cell),)) for place, cell in zip(planned.places, about, strict=True))
    for place, decoded in batch.read.items():
        ids = _row_ids(decoded)
        if any(ids):
            rows[place] = ids
        if 0 < len(decoded.request_id) <= LONGEST_ID:
            whole[place] = decoded.request_id
        about_rows = None if decoded.features is None else column_called(entity, decoded.features)
        if about_rows is not None:
            entities[place] = [id_text(cell) for cell in about_rows]
    return Identities(rows, whole, entities)


def _row_ids(decoded: Decoded) -> Sequence[str]:
    """One for each row of the answer; none where nobody says which belongs to which."""
    features, outputs = decoded.features, decoded.outputs
    if outputs is None or features is None:
        return ()
    for sheet in (outputs, features):
        column = id_column(sheet) if len(sheet.values) == len(outputs.values) else None
        if column is not None and len(column) == len(outputs.values):
            ids = [id_text(cell) for cell in column]
            if any(ids):
                return ids
    return ()
