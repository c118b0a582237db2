"""One exchange read by itself, while its client waits: its outputs, where it asked one row and was answered well.

It shares nothing that changes with whoever decodes batches meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import MsgspecError

from dashlight.decode.as_sent import sheet_of, values_as_sent
from dashlight.decode.compiled.extract import reach
from dashlight.decode.compiled.plan import Plan
from dashlight.decode.compiled.route import Lane
from dashlight.decode.exchange import columns_of, read_exchange
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.echoes import answers_only, answers_only_of_table
from dashlight.decode.rows.number_texts import NumberTexts
from dashlight.decode.rows.reading import Place
from dashlight.decode.rows.selection import Selection
from dashlight.decode.rows.tables import table_of
from dashlight.privacy.names import told_name
from dashlight.records import Exchange, Table
from dashlight.window.tables import renamed


@dataclass(frozen=True, slots=True, eq=False)
class AtOnce:
    """What one row was answered by."""

    model: str
    version: str
    outputs: Table


@dataclass(frozen=True, slots=True, eq=False)
class Reads:
    """How exchanges are read: as a Decoder does that was given the same."""

    model: str
    version: str
    selection: Selection
    columns: Mapping[str, str]

    def at_once(self, exchange: Exchange, lane: Lane | None) -> AtOnce | None:
        """What *exchange* was answered; None where it did not ask and get one row, or cannot be read.

        *lane* is what is known of how such exchanges are read, where somebody knows.
        """
        plan = None if lane is None else lane.plan
        found = None if lane is None or plan is None else self._planned(exchange, lane.place, plan)
        return found or self._read(exchange)

    def _planned(self, exchange: Exchange, place: Place, plan: Plan) -> AtOnce | None:
        """By *plan*; None where it does not fit, or the answer says that it is none."""
        try:
            plan.read_request(exchange.request_body)
            answer = plan.read_answer(exchange.response_body)
        except (ValueError, MsgspecError, RecursionError):
            return None
        if any(said is denial for path, denial in plan.confessions for said in reach((answer,), path)):
            return None
        model = "" if plan.model is None else str(next(iter(reach((answer,), plan.model))) or "")
        version = "" if plan.version is None else str(next(iter(reach((answer,), plan.version))) or "")
        named = model or place.model, version or place.version
        if not plan.may_return_inputs:
            table = answers_only_of_table(plan.outputs.table((answer,), (0,)))
            return self._told(named, NumberTexts().read_table(table))
        outputs = values_as_sent(exchange, plan, selection=self.selection).outputs
        return None if outputs is None else self._told(named, _table_of(answers_only(sheet_of(outputs))))

    def _read(self, exchange: Exchange) -> AtOnce | None:
        decoded = read_exchange(exchange, model=self.model, version=self.version, selection=self.selection)
        if decoded.rows != 1 or decoded.error is not None or decoded.undecodable or not decoded.is_prediction:
            return None
        outputs = columns_of(decoded, self.selection).outputs
        if outputs is None or len(outputs.values) != 1:
            return None
        return self._told((decoded.model, decoded.version), _table_of(outputs))

    def _told(self, named: tuple[str, str], outputs: Table) -> AtOnce:
        model, version = named
        whole = renamed(outputs, self.columns) if self.columns else outputs
        return AtOnce(told_name(model or self.model), told_name(version or self.version), whole)


def _table_of(row: Sheet) -> Table:
    return table_of(row.names, [[cell] for cell in row.values[0]], (0,))
