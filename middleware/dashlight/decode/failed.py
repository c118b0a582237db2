"""What exchanges asked that failed or were refused: their rows of features, without an answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec import MsgspecError

from dashlight.decode.compiled.planned import Planned
from dashlight.decode.compiled.route import EXEMPLARS, Lane
from dashlight.decode.exchange import Decoded, read_exchange
from dashlight.decode.formats.content import is_json_body
from dashlight.decode.rows.gather import Gathering, Group, Kept
from dashlight.decode.rows.number_texts import numbers_of_text
from dashlight.decode.rows.selection import Selection
from dashlight.privacy.names import told_name
from dashlight.records import Exchange, Outcome, Prediction

FAILED: Final[frozenset[Outcome]] = frozenset({"error", "refused"})
"""Outcomes of exchanges whose requests are read although there is no answer to them."""
MOST_READ: Final = EXEMPLARS
"""Requests of one batch that are read the general way where good ones are read by a plan, or nobody knows how: a storm of
failures costs no more than as many good exchanges do."""
MAX_EXEMPLAR_BYTES: Final = 1 << 16
"""Both bodies of an exchange from which a plan may be made."""


@dataclass(slots=True)
class _Misses:
    count: int = 0
    bodies: list[tuple[bytes, bytes | None]] = field(default_factory=list[tuple[bytes, bytes | None]])


class FailedRequests:
    """The failed and refused exchanges of one batch, while it is read."""

    def __init__(self, model: str, version: str, selection: Selection) -> None:
        """*model* and *version*, where neither payload nor path says them."""
        self.unread: list[int] = []
        """Places of those of which nobody knows what they asked."""
        self._model = model
        self._version = version
        self._selection = selection
        self._gathering = Gathering()
        self._planned: dict[Lane, Planned] = {}
        self._misses: dict[Lane, _Misses] = {}
        self._left = MOST_READ

    def add(self, place: int, exchange: Exchange, lane: Lane | None) -> None:
        """Read what *exchange* asked, by a plan of its *lane* where one fits, else the general way."""
        if lane is not None and exchange.method == "POST" and exchange.handed is None:
            body = exchange.request_body
            unanswered = lane.unanswered
            if self._add_planned(place, body, lane) or (unanswered and self._add_planned(place, body, unanswered)):
                return
            lane = unanswered or lane
        if lane is None or lane.is_of_unanswered:
            if not self._left:
                self.unread.append(place)
                return
            self._left -= 1
        self._read(place, exchange, lane)

    def add_read(self, place: int, route: str, decoded: Decoded) -> bool:
        """Add what the exchange at *place* was read as; whether that says what it asked."""
        features = decoded.features
        if features is None or not features.values:
            self.unread.append(place)
            return False
        group = Group(route, decoded.model, decoded.version, decoded.protocol)
        self._gathering.add_sheets(group, place, features if decoded.is_typed else numbers_of_text(features), None)
        return True

    def predictions(self, kept: Kept) -> Sequence[Prediction]:
        """What they asked, one for each group that occurs, without outputs."""
        for lane, its in self._planned.items():
            model, version = lane.place.model or self._model, lane.place.version or self._version
            group = Group(lane.route, told_name(model), told_name(version), its.plan.protocol)
            self._gathering.add_features(group, its.plan.features.table(its.asked, its.places))
        return self._gathering.predictions(kept)

    def teach(self) -> None:
        """Let the lanes learn how requests are best read that have no answer."""
        for lane in {**self._planned, **self._misses}:
            if lane.is_of_unanswered:
                missed = self._misses.get(lane, _Misses())
                hits = len(self._planned[lane].places) if lane in self._planned else 0
                lane.learn(missed.bodies, hits=hits, misses=missed.count)

    def _add_planned(self, place: int, body: bytes, lane: Lane) -> bool:
        plan = lane.plan
        if plan is None:
            return False
        try:
            asked = plan.read_request(body)
        except (ValueError, MsgspecError, RecursionError):
            return False
        its = self._planned.setdefault(lane, Planned(plan))
        its.asked.append(asked)
        its.places.append(place)
        return True

    def _read(self, place: int, exchange: Exchange, lane: Lane | None) -> None:
        decoded = read_exchange(exchange, model=self._model, version=self._version, selection=self._selection)
        if not decoded.is_prediction:
            return
        is_read = self.add_read(place, exchange.route, decoded)
        if lane is None:
            return
        its = self._misses.setdefault(lane, _Misses())
        its.count += 1
        is_usual = decoded.rows == 1 and exchange.request_bytes <= MAX_EXEMPLAR_BYTES
        if is_read and is_usual and is_json_body(exchange.request_body, exchange.request_headers):
            its.bodies.append((exchange.request_body, None))
