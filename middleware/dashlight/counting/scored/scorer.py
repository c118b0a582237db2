"""Makes the rows that wait for labels of what was decoded, model by model, as was decided once what its answers mean."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.scored.binned import Binned, SampleDraw, codes_of_rows, counted
from dashlight.counting.scored.known_by import Numbered, known_by, numbered
from dashlight.counting.scored.meaning import Meaning, Wish, WishedTask, meaning_of, shown
from dashlight.counting.scored.measured import Measured, measured
from dashlight.counting.scored.outputs import Outputs
from dashlight.counting.scored.segmented import RowSegments
from dashlight.decode.identities import Identities
from dashlight.judge.words import printable
from dashlight.labels.ids import KEY_BYTES, entity_of, item_of
from dashlight.labels.rows import ModelKey, ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.records import Exchange, Prediction
from dashlight.window.performance_reference import PerformanceReference

logger = logging.getLogger(__name__)

NO_IDENTITIES: Final = Identities()
_MOST_MODELS = 64
"""Models of which is remembered what their answers mean; when there are more, all are forgotten."""
_MOST_SHAPES = 8
"""Sets of outputs of one model that are decided by themselves."""
_MOST_TRIES = 32
_TOP_ROWS = 20
"""Rows of the negative class after which is known whether scores are those of the class that was answered."""
_NOBODY: Final[Sequence[str]] = ()
_OPAQUE = np.dtype(f"V{KEY_BYTES}")


@dataclass(frozen=True, slots=True)
class Scoring:
    """What is to be scored, and under which key its ids are hashed."""

    key: HashKey
    task: WishedTask = "auto"
    score: str = ""
    performance: Callable[[ModelKey], PerformanceReference | None] = lambda _: None
    """What the reference of a model says of it."""
    is_about: Callable[[Prediction], bool] = lambda _: True
    """Whether the reference is about the model of a prediction, by its features: one app may serve several models."""
    segments: tuple[str, ...] = ()
    """Features each of whose values is a segment."""
    is_quiet: bool = False
    """Whether nothing is told of what was decided: another scorer of this process does."""


@dataclass(slots=True)
class _Shape:
    """The answers of one model that have the same outputs."""

    meaning: Meaning | None
    decided_count: int = 1
    negative_rows: int = 0
    """Rows whose class is the negative one while all their scores are at least 0.5; -1 once one was below."""


@dataclass(slots=True)
class _Model:
    shapes: dict[frozenset[str], _Shape] = field(default_factory=dict[frozenset[str], _Shape])
    draw: SampleDraw = field(default_factory=SampleDraw)
    tries: int = 0
    """Batches in which nothing could be scored, and some columns were null in every row."""


class Scorer:
    """Makes ScoredRows of predictions. One thread at a time may use it."""

    def __init__(self, scoring: Scoring) -> None:
        self._scoring = scoring
        self._models: dict[ModelKey, _Model] = {}
        self._troubles: Counter[str] = Counter()
        self._segments = RowSegments(scoring.segments)
        self._item_of = partial(item_of, key=scoring.key)

    @property
    def troubles(self) -> Mapping[str, int]:
        """What was left out, by reason, since the start: `doubled_id`, `long_forecast` (steps), `not_understood` (rows)."""
        return self._troubles

    def score(
        self,
        prediction: Prediction,
        exchanges: Sequence[Exchange],
        ids: Identities = NO_IDENTITIES,
        binned: Binned | None = None,
    ) -> ScoredRows | None:
        """The rows of *prediction*, decoded from *exchanges*; None where nothing in it can be scored.

        Args:
            prediction: Of one model; exchanges whose rows are left out are not in it.
            exchanges: The whole batch.
            ids: What else its rows are known by, and whom they are about.
            binned: Their bins, where they were counted against a reference.
        """
        if not prediction.outputs.rows:
            return None
        key = (prediction.endpoint, prediction.model, prediction.version)
        outputs = Outputs(prediction.outputs)
        found = self.measure(key, outputs, prediction)
        if found is None or not len(found.rows):
            return None
        of_rows = numbered(prediction.outputs.exchange)
        of = Numbered(of_rows.exchange[found.rows], of_rows.places[found.rows], of_rows.counts[found.rows])
        known = known_by(exchanges, of, found.steps, ids=ids, key=self._scoring.key)
        self._note("doubled_id", known.doubled_count)
        places: list[int] = of.exchange.tolist()
        origin = {place: exchanges[place].id.to_bytes(16, "big") for place in set(places)}
        rows = ScoredRows(
            model=key,
            task=found.meaning.task,
            classes=found.meaning.classes,
            keys=known.keys,
            origins=np.frombuffer(b"".join([origin[place] for place in places]), _OPAQUE),
            places=of.places,
            predicted_at=np.array([exchanges[place].started_at for place in places]),
            scores=found.scores,
            predictions=found.predictions,
            steps=found.steps,
            probabilities=found.probabilities,
            items=found.items,
            entities=_entities(of, ids, self._scoring.key),
            other_keys=known.other_keys,
        )
        if binned is None:
            return rows
        segmented = self._segments.of(prediction, binned, found.rows)
        if segmented is not None:
            names, segments = segmented
            rows = replace(rows, segments=segments, segmented_by=names, reference=binned.reference.version)
        # Otherwise nobody knows which features led to which answer.
        is_aligned = np.array_equal(prediction.features.exchange, prediction.outputs.exchange)
        return self._with_codes(rows, found, binned) if is_aligned else rows

    def measure(self, key: ModelKey, outputs: Outputs, prediction: Prediction | None = None) -> Measured | None:
        """What *outputs* of the model *key* say; None where nothing in them can be scored.

        *prediction*, of which they are, tells whether the reference is about it; unknown: it is.
        """
        model = self._model(key)
        names = frozenset(outputs.names)
        shape = model.shapes.get(names)
        if shape is None:
            # Answers that now and then have a column more or less mean what they meant.
            like = next((held for held in model.shapes.values() if _fits(held.meaning, outputs)), None)
            if like is None and len(model.shapes) >= _MOST_SHAPES:
                self._note("not_understood", outputs.table.rows)
                return None
            shape = like or _Shape(meaning_of(outputs, self._wish(key, prediction)))
            if shape.meaning is None and model.tries < _MOST_TRIES and not _are_told(outputs):
                model.tries += 1
                return None  # the next rows may say more
            if like is None:
                self._tell_decided(key, shape.meaning)
            if len(model.shapes) < _MOST_SHAPES:
                model.shapes[names] = shape
        found = None if shape.meaning is None else measured(outputs, shape.meaning, self._item_of)
        if found is None and shape.decided_count < _MOST_SHAPES:
            shape.decided_count += 1
            shape.meaning = meaning_of(outputs, self._wish(key, prediction))
            self._tell_decided(key, shape.meaning)
            found = None if shape.meaning is None else measured(outputs, shape.meaning, self._item_of)
        if found is None:
            self._note("not_understood", outputs.table.rows)
            return None
        shape.meaning = self._learned(key, shape, found)
        return found

    def _model(self, key: ModelKey) -> _Model:
        model = self._models.get(key)
        if model is None:
            if len(self._models) >= _MOST_MODELS:
                self._models.clear()
            model = self._models[key] = _Model()
        return model

    def _wish(self, key: ModelKey, prediction: Prediction | None) -> Wish:
        scoring, known = self._scoring, self._scoring.performance(key)
        if known is not None and prediction is not None and not scoring.is_about(prediction):
            known = None
        if known is None or scoring.task not in {"auto", known.task}:
            return Wish(task=scoring.task, score=scoring.score)
        return Wish(known.task, known.classes, scoring.score or known.score, known.prediction)

    def _tell_decided(self, key: ModelKey, meaning: Meaning | None) -> None:
        if meaning is None:
            self._tell(key, "nothing that it answers can be compared with a label")
        else:
            self._tell(key, f"labels are waited for: {meaning.told()} (DASHLIGHT_TASK and DASHLIGHT_SCORE correct it)")

    def _learned(self, key: ModelKey, shape: _Shape, found: Measured) -> Meaning:
        """The meaning, after what these rows showed."""
        meaning = found.meaning
        if meaning.task != "binary" or not meaning.prediction or not meaning.score or shape.negative_rows < 0:
            return meaning
        scores = found.scores[(found.predictions == 0) & ~np.isnan(found.scores)]
        if meaning.is_of_top or not len(scores):
            return meaning
        if (scores < 0.5).any():
            shape.negative_rows = -1
            return meaning
        shape.negative_rows += len(scores)
        if shape.negative_rows < _TOP_ROWS:
            return meaning
        self._tell(key, f"{shown(meaning.score)} is the probability of the class that is answered, whichever it is")
        return replace(meaning, is_of_top=True)

    def _with_codes(self, rows: ScoredRows, found: Measured, binned: Binned) -> ScoredRows:
        drawn = self._model(rows.model).draw.drawn(rows.keys) & counted(binned, found.rows)
        sampled: NDArray[np.intp] = np.flatnonzero(drawn)
        codes = codes_of_rows(binned, found.rows[sampled])
        if codes is None or not len(sampled):
            return rows
        return replace(rows, reference=binned.reference.version, sampled=sampled, codes=codes)

    def _note(self, reason: str, count: int) -> None:
        if count:
            self._troubles[reason] += count

    def _tell(self, key: ModelKey, sentence: str) -> None:
        if not self._scoring.is_quiet:
            logger.info("%s: %s", " ".join(printable(part) for part in key if part), sentence)


def _fits(meaning: Meaning | None, outputs: Outputs) -> bool:
    return meaning is not None and all(name in outputs for name in meaning.columns)


def _are_told(outputs: Outputs) -> bool:
    """Whether no column is null in every row."""
    return all(outputs.told(name) for name in outputs.names)


def _entities(of: Numbered, ids: Identities, key: HashKey) -> NDArray[np.void] | None:
    """Keyed hashes of whom the rows are about; all zero where nobody says it."""
    if not ids.entities:
        return None
    hashed: dict[str, bytes] = {"": bytes(KEY_BYTES)}
    digests: list[bytes] = []
    of_place: list[int] = of.places.tolist()
    for place, row in zip(of.exchange.tolist(), of_place, strict=True):
        named = ids.entities.get(place, _NOBODY)
        # Of a ranking, or of rows in one answer, that are all about the same.
        entity = named[row] if row < len(named) else next(iter(named)) if len(set(named)) == 1 else ""
        if entity not in hashed:
            hashed[entity] = entity_of(entity, key)
        digests.append(hashed[entity])
    return np.frombuffer(b"".join(digests), _OPAQUE)
