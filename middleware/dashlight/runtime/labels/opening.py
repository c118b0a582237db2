"""Labels of sealed ids: opened, and handed to the store with what they held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from dashlight.labels.ids import KEY_BYTES, as_text, id_of_step, key_of
from dashlight.labels.label import Fate, Label, LabelValue
from dashlight.labels.rows import ModelKey, ScoredRows
from dashlight.labels.sealed import (
    Refusal,
    SealedPrediction,
    SealingKey,
    hash_of_model,
    known_classes,
    looks_sealed,
    open_sealed,
)
from dashlight.labels.store import NOTHING_OPENED, LabelStore, Met, WaitingCounts
from dashlight.labels.truth import spelling_of
from dashlight.privacy.hashing import HashKey

MOST_NAMES: Final = 1024
"""Models whose names are remembered by their hash."""
_FATES: Final[Mapping[Refusal, Fate]] = {"forged": "invalid", "foreign": "invalid", "too_old": "too_late"}
_OPAQUE = np.dtype(f"V{KEY_BYTES}")


class ModelNames:
    """The names of models by their hash, for ids in which there was no room for them. From any thread."""

    def __init__(self) -> None:
        self._known: dict[bytes, ModelKey] = {}
        self._asked: set[ModelKey] = set()

    def add(self, model: ModelKey) -> None:
        """*model* is served here."""
        if model not in self._asked and len(self._known) < MOST_NAMES:
            self._known[hash_of_model(model)] = model
            self._asked.add(model)

    def name(self, model: ModelKey | bytes) -> ModelKey:
        """The names of *model*; of one that was never served here a name that is made of its hash."""
        if isinstance(model, tuple):
            return model
        return self._known.get(model) or ("", f"sealed {model.hex()}", "")


class OpeningStore:
    """A store that opens sealed ids before it looks for their predictions; else it is *store*. From any thread."""

    def __init__(
        self,
        store: LabelStore,
        keys: Sequence[SealingKey],
        *,
        hash_key: HashKey,
        window_seconds: float,
    ) -> None:
        """*keys* all open; a label may come *window_seconds* after its prediction."""
        self.names = ModelNames()
        """Of the models that are served here."""
        self._store = store
        self._keys = keys
        self._key_names = frozenset(key.name for key in keys)
        self._hash_key = hash_key
        self._window_seconds = window_seconds
        self._refused: Counter[str] = Counter()

    def label(
        self, labels: Sequence[Label], at: float, *, opened: Mapping[int, ScoredRows] = NOTHING_OPENED
    ) -> Sequence[Fate]:
        """What became of each of *labels*, which came *at*. Sealed ids that were not sealed here are `invalid`."""
        found = dict(opened)
        refused: dict[int, Fate] = {}
        for place, label in enumerate(labels):
            if not label.id or not looks_sealed(label.id, self._key_names):
                continue
            held = self._opened(label.id, at)
            if isinstance(held, SealedPrediction):
                found[place] = row_of(held, label.value, self._hash_key, self.names)
            else:
                self._refused[f"sealed_{held}"] += 1
                refused[place] = _FATES[held]
        if not refused:
            return self._store.label(labels, at, opened=found)
        kept = [place for place in range(len(labels)) if place not in refused]
        moved = {number: found[place] for number, place in enumerate(kept) if place in found}
        fates = iter(self._store.label([labels[place] for place in kept], at, opened=moved) if kept else ())
        return [refused[place] if place in refused else next(fates) for place in range(len(labels))]

    def _opened(self, prediction_id: str, at: float) -> SealedPrediction | Refusal:
        """What *prediction_id* holds. It is of one row and at most one step, which may be named as those of others are."""
        of_row, _, step = prediction_id.partition("@")
        held = open_sealed(of_row.removesuffix(":0"), self._keys, at=at, window_seconds=self._window_seconds)
        return "forged" if step and isinstance(held, SealedPrediction) and step != str(held.step) else held

    def troubles(self) -> Mapping[str, int]:
        """Those of the store, and sealed ids that were refused: `sealed_forged`, `sealed_foreign`, `sealed_too_old`."""
        return {**self._store.troubles(), **self._refused}

    def keep(self, rows: ScoredRows) -> None:
        """As the store does, likewise the others."""
        self._store.keep(rows)

    def imply(self, model: ModelKey, *, before_at: float, most_rows: int, since_at: float = 0.0) -> int:
        """As the store does."""
        return self._store.imply(model, since_at=since_at, before_at=before_at, most_rows=most_rows)

    def met(self, cursor: int, *, most_rows: int) -> Met:
        """As the store does."""
        return self._store.met(cursor, most_rows=most_rows)

    def waiting(self, model: ModelKey, *, since_at: float) -> WaitingCounts:
        """As the store does."""
        return self._store.waiting(model, since_at=since_at)

    def unlabelled(self, model: ModelKey, *, since_at: float, most_rows: int) -> ScoredRows | None:
        """As the store does."""
        return self._store.unlabelled(model, since_at=since_at, most_rows=most_rows)

    def scored(self, model: ModelKey, *, since_at: float, until_at: float, most_rows: int) -> Sequence[ScoredRows]:
        """As the store does."""
        return self._store.scored(model, since_at=since_at, until_at=until_at, most_rows=most_rows)

    def flush(self, timeout_seconds: float) -> None:
        """As the store does."""
        self._store.flush(timeout_seconds)

    def close(self, timeout_seconds: float) -> None:
        """As the store does."""
        self._store.close(timeout_seconds)

    def forget(self) -> None:
        """As the store does."""
        self._refused.clear()
        self._store.forget()


def row_of(prediction: SealedPrediction, label: LabelValue, hash_key: HashKey, names: ModelNames) -> ScoredRows:
    """What *prediction* is to the store: one row, known by our id. Classes that were too long are those that *label* says."""
    known_as = as_text(prediction.origin)
    if prediction.step:
        known_as = id_of_step(known_as, prediction.step)
    return ScoredRows(
        model=names.name(prediction.model),
        task=prediction.task,
        classes=known_classes(prediction.classes, (spelling_of(label),)),
        keys=np.frombuffer(key_of(known_as, hash_key), _OPAQUE),
        origins=np.frombuffer(prediction.origin.to_bytes(16, "big"), _OPAQUE),
        places=np.zeros(1, np.int32),
        predicted_at=np.array([prediction.predicted_at]),
        scores=np.array([prediction.score], np.float64),
        predictions=np.array([prediction.prediction], np.int32),
        steps=np.array([prediction.step], np.int32),
    )
