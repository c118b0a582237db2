"""Many exchanges at once: what they decoded to, by endpoint and model, and what became of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from msgspec import MsgspecError

from dashlight.decode.compiled.extract import reach
from dashlight.decode.compiled.planned import Planned, by_model
from dashlight.decode.compiled.route import EXEMPLARS, Lane
from dashlight.decode.exchange import Decoded, read_exchange
from dashlight.decode.failed import FAILED, MAX_EXEMPLAR_BYTES, FailedRequests
from dashlight.decode.formats.content import is_json_body
from dashlight.decode.generation_facts import generation_facts
from dashlight.decode.llm.repeats import RecentAnswers
from dashlight.decode.protocols.detect import MAX_REMEMBERED_PATH, place_in
from dashlight.decode.rows.echoes import answers_only_of_table
from dashlight.decode.rows.gather import Gathering, Group
from dashlight.decode.rows.matching.keyed_answers import KEYED
from dashlight.decode.rows.matching.returned_inputs import ReturnedInputs
from dashlight.decode.rows.number_texts import NumberTexts, numbers_of_text
from dashlight.decode.rows.selection import Selection
from dashlight.privacy.names import told_name
from dashlight.records import Exchange, GenerationFacts, Prediction, Role
from dashlight.window.tables import renamed

MAX_LANES: Final = 256
"""Routes whose plans are remembered; when there are more, all are forgotten."""
MAX_PATHS: Final = 1024
"""Paths whose lane is remembered, likewise."""
_NO_NAMES: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class DecodedBatch:
    """What a batch of exchanges decoded to. Places are positions in the batch."""

    predictions: Sequence[Prediction]
    """One for each endpoint, model, version and protocol that occurs; several where one would be mostly null."""
    failures: Sequence[tuple[int, str]]
    """Place and kind of the answers that are errors inside a 200."""
    undecodable: Sequence[tuple[int, str]]
    """Place of each exchange whose request or answer could not be read, and the reason."""
    generations: Mapping[int, GenerationFacts]
    """By place, what is known of those that asked a language model."""
    planned: Sequence[Planned] = ()
    """Those that were read by a plan, ..."""
    read: Mapping[int, Decoded] = field(default_factory=dict[int, Decoded])
    """... and what the others with rows were read as, by place."""
    failed: Sequence[Prediction] = ()
    """What exchanges asked that failed or were refused, likewise, without outputs: these are no rows of the model."""
    unread: Sequence[int] = ()
    """Places of those of which nobody knows what they asked."""


@dataclass(slots=True)
class _Misses:
    """Exchanges of one lane that were read the general way, and the bodies of the first usual ones."""

    count: int = 0
    bodies: list[tuple[bytes, bytes | None]] = field(default_factory=list[tuple[bytes, bytes | None]])


@dataclass(slots=True)
class _Tally:
    """What a batch comes to, while it is read."""

    failed: FailedRequests
    gathering: Gathering = field(default_factory=Gathering)
    failures: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    undecodable: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    generations: dict[int, GenerationFacts] = field(default_factory=dict[int, GenerationFacts])
    read: dict[int, Decoded] = field(default_factory=dict[int, Decoded])


class Decoder:
    """Decodes batches of exchanges, and remembers from one to the next how the usual ones are read fast.

    One thread at a time may use it.
    """

    def __init__(
        self,
        *,
        model: str,
        version: str,
        features: Sequence[str] = (),
        prediction: Sequence[str] = (),
        ignore: Sequence[str] = (),
        columns: Mapping[str, str] = _NO_NAMES,
        cluster: str = "",
        entity: str = "",
    ) -> None:
        """As follows.

        Args:
            model: Name of the model where neither payload nor path says it.
            version: Its version, likewise.
            features: Globs of the only features to keep, ids among them; empty: all that the rules find.
            prediction: Globs of the only outputs to keep, likewise.
            ignore: Globs of the columns to leave out, features and outputs alike, whatever the others say.
            columns: Other names for columns, old to new; the globs mean the old ones.
            cluster: The feature by which rows hang together, which is kept although it may be an id; an old name.
            entity: The feature that says whom a prediction is about, likewise; see `identities`.
        """
        self._model = model
        self._version = version
        self._selection = Selection(tuple(features), tuple(prediction), tuple(ignore), cluster, entity)
        self._kept = lru_cache(maxsize=256)(self._kept_columns)
        self._answers = RecentAnswers()
        self._numbers = NumberTexts()
        self._returned = ReturnedInputs()
        self._columns = columns
        self._lanes: dict[tuple[object, ...], Lane] = {}
        self._lane_of_path: dict[str, Lane] = {}

    def decode(self, exchanges: Sequence[Exchange]) -> DecodedBatch:
        """What *exchanges* decoded to. What failed and refused ones asked stands apart."""
        tally = _Tally(FailedRequests(self._model, self._version, self._selection))
        slow: list[tuple[int, Lane | None]] = []
        failed: list[tuple[int, Lane | None]] = []
        hits: dict[Lane, Planned] = {}
        lane_of_path = self._lane_of_path
        current: Lane | None = None
        asked_rows: list[object] = []
        answered_rows: list[object] = []
        places: list[int] = []
        for place, exchange in enumerate(exchanges):
            is_usual = exchange.method == "POST" and exchange.outcome == "ok" and exchange.handed is None
            if not is_usual or not 200 <= exchange.status < 300:
                # Without a lane: whoever asks for paths that nobody serves must not fill what is remembered.
                (failed if exchange.outcome in FAILED else slow).append((place, None))
                continue
            lane = lane_of_path.get(exchange.path)
            if lane is None or lane.route != exchange.route:
                lane = self._lane(exchange)
            plan = lane.plan
            if plan is None:
                slow.append((place, lane))
                continue
            asked, answered = exchange.request_chunks, exchange.response_chunks
            try:
                # Each body by itself: joined into one list, `},{` inside a body would be two rows.
                row = plan.read_request(asked[0] if len(asked) == 1 else b"".join(asked))
                answer = plan.read_answer(answered[0] if len(answered) == 1 else b"".join(answered))
            except (ValueError, MsgspecError, RecursionError):  # up to msgspec 0.20 it is none
                slow.append((place, lane))
                continue
            if lane is not current:
                current, its = lane, hits.setdefault(lane, Planned(plan))
                asked_rows, answered_rows, places = its.asked, its.answered, its.places
            asked_rows.append(row)
            answered_rows.append(answer)
            places.append(place)
        for lane, its in hits.items():
            slow.extend((place, lane) for place in self._add_hits(lane, its, tally))
        misses = self._add_misses(exchanges, slow, tally)
        for lane in {**hits, **misses}:
            missed = misses.get(lane, _Misses())
            lane.learn(missed.bodies, hits=len(hits[lane].places) if lane in hits else 0, misses=missed.count)
        for place, _ in failed:
            tally.failed.add(place, exchanges[place], self._known_lane(exchanges[place]))
        tally.failed.teach()
        return DecodedBatch(
            predictions=[self._read(each) for each in tally.gathering.predictions(self._kept)],
            failures=tally.failures,
            undecodable=tally.undecodable,
            generations=tally.generations,
            planned=list(hits.values()),
            read=tally.read,
            failed=[self._called(each) for each in tally.failed.predictions(self._kept)],
            unread=tally.failed.unread,
        )

    def lane_of(self, exchange: Exchange) -> Lane | None:
        """What is known of such exchanges by now. From any thread, which may use the plan in it: plans never change."""
        lane = self._lane_of_path.get(exchange.path)
        return lane if lane is not None and lane.route == exchange.route else None

    def _read(self, prediction: Prediction) -> Prediction:
        """*prediction* as what was learnt of its columns says."""
        if not self._selection.prediction:
            prediction = self._returned.left_out(prediction)
        return self._called(self._numbers.read(prediction))

    def _called(self, prediction: Prediction) -> Prediction:
        if not self._columns:
            return prediction
        features, outputs = renamed(prediction.features, self._columns), renamed(prediction.outputs, self._columns)
        return replace(prediction, features=features, outputs=outputs)

    def _known_lane(self, exchange: Exchange) -> Lane | None:
        """The lane of *exchange* where good ones have made one."""
        lane = self.lane_of(exchange)
        if lane is not None:
            return lane
        place = place_in(exchange.path, exchange.request_headers, exchange.response_headers)
        return self._lanes.get((exchange.route, replace(place, why="")))

    def _lane(self, exchange: Exchange) -> Lane:
        # The headers of the first exchange of a path speak for all: an application is served by one server.
        place = place_in(exchange.path, exchange.request_headers, exchange.response_headers)
        key = (exchange.route, replace(place, why=""))
        lane = self._lanes.get(key)
        if lane is None:
            lane = Lane(exchange.route, place, self._selection)
            if len(self._lanes) >= MAX_LANES:
                self._lanes.clear()
                self._lane_of_path.clear()
            self._lanes[key] = lane
        if len(exchange.path) <= MAX_REMEMBERED_PATH:
            if len(self._lane_of_path) >= MAX_PATHS:
                self._lane_of_path.clear()
            self._lane_of_path[exchange.path] = lane
        return lane

    def _add_hits(self, lane: Lane, hits: Planned, tally: _Tally) -> list[int]:
        """Gather the rows of *hits*; the places of the answers among them that say that they are none."""
        plan = hits.plan
        denied = {
            at
            for path, denial in plan.confessions
            for at, said in enumerate(reach(hits.answered, path))
            if said is denial
        }
        for model, version, chosen in by_model(hits, denied):
            group = Group(
                lane.route,
                told_name(model or lane.place.model or self._model),
                told_name(version or lane.place.version or self._version),
                plan.protocol,
            )
            asked, answered, places = hits.asked, hits.answered, hits.places
            if len(chosen) < len(places):
                asked = [asked[at] for at in chosen]
                answered = [answered[at] for at in chosen]
                places = [places[at] for at in chosen]
            outputs = answers_only_of_table(plan.outputs.table(answered, places))
            tally.gathering.add_tables(group, plan.features.table(asked, places), outputs)
        return [hits.places[at] for at in sorted(denied)]

    def _add_misses(
        self, exchanges: Sequence[Exchange], slow: Sequence[tuple[int, Lane | None]], tally: _Tally
    ) -> dict[Lane, _Misses]:
        """Read the exchanges at the places *slow* the general way; by lane what is to be learnt from them."""
        misses: dict[Lane, _Misses] = {}
        for place, lane in slow:
            exchange = exchanges[place]
            if exchange.status >= 400 or exchange.outcome != "ok":
                continue
            decoded = read_exchange(exchange, model=self._model, version=self._version, selection=self._selection)
            if not decoded.is_prediction:
                continue
            if decoded.undecodable:
                tally.undecodable.append((place, decoded.undecodable))
            facts = generation_facts(decoded)
            if facts is not None:
                tally.generations[place] = facts
            if decoded.error is not None:
                tally.failures.append((place, decoded.error.kind))
                tally.failed.add_read(place, exchange.route, decoded)
            if lane is not None:
                its = misses.setdefault(lane, _Misses())
                its.count += 1
                if len(its.bodies) < EXEMPLARS and _is_usual(exchange, decoded):
                    its.bodies.append((exchange.request_body, exchange.response_body))
            if decoded.error is None and decoded.features is not None:
                tally.read[place] = decoded
                group = Group(exchange.route, decoded.model, decoded.version, decoded.protocol)
                features = decoded.features if decoded.is_typed else numbers_of_text(decoded.features)
                outputs = decoded.outputs
                if outputs is not None and decoded.generation is not None:
                    outputs = self._answers.marked(exchange.route, outputs)
                tally.gathering.add_sheets(group, place, features, outputs)
        return misses

    def _kept_columns(self, names: tuple[str, ...], role: Role) -> Sequence[int] | None:
        kept = [at for at, name in enumerate(names) if self._selection.fate(name, role) is None]
        return None if len(kept) == len(names) else kept


def _is_usual(exchange: Exchange, decoded: Decoded) -> bool:
    """Whether a plan may come of it: one row asked, one row answered, in bodies that are cheap to look at again."""
    return (
        decoded.rows == 1
        and exchange.request_bytes + exchange.response_bytes <= MAX_EXEMPLAR_BYTES
        and not decoded.undecodable
        and decoded.error is None
        and decoded.generation is None
        and decoded.outputs is not None
        and len(decoded.outputs.values) == 1
        and KEYED not in decoded.outputs.flags
        # A plan looks at bodies alone: one line of JSON among lines would be read as an object by itself.
        and is_json_body(exchange.request_body, exchange.request_headers)
    )
