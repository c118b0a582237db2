"""All that one process has of labels: the store it shares with others, what it keeps in it, and what became of its labels."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dashlight.labels.ids import id_of_only_row
from dashlight.labels.label import JOINED_LATER, Fate, Label
from dashlight.labels.store import LabelStore
from dashlight.metrics.losses import SignalFate
from dashlight.runtime.labels.keeping import PredictionKeeper


class Labelling:
    """The labels of one process."""

    def __init__(self, store: LabelStore, keeping: PredictionKeeper) -> None:
        self.keeping = keeping
        """Takes what was decoded; of the analysis thread alone."""
        self._store = store
        self._fates: Counter[Fate] = Counter()
        self._lock = threading.Lock()

    def take(self, labels: Sequence[Label], at: float) -> Sequence[Fate]:
        """Hands labels that came *at* to the store, and counts what became of each. From any thread but an event loop's."""
        fates = list(self._store.label(labels, at))
        # A batch that happened to have one row goes by its own id.
        unknown = [place for place, fate in enumerate(fates) if fate == "unknown"]
        ids = {label.id for label in labels} if unknown else ()
        only_rows = {place: only_row for place in unknown if (only_row := id_of_only_row(labels[place].id, ids))}
        if only_rows:
            again = [replace(labels[place], id=only_row) for place, only_row in only_rows.items()]
            for place, fate in zip(only_rows, self._store.label(again, at), strict=True):
                fates[place] = fate
        with self._lock:
            self._fates.update(fates)
        return fates

    @property
    def counts(self) -> Mapping[SignalFate, int]:
        """What became of labels, and what of labels and predictions was lost, since the start."""
        with self._lock:
            fates = {SignalFate("labels", "delivered", fate): count for fate, count in self._fates.items()}
        stored = {
            SignalFate("labels", "delivered" if _is_no_loss(reason) else "dropped", reason): count
            for reason, count in self._store.troubles().items()
            if reason != "repeated"  # whoever sent it was told `duplicate`
        }
        kept = {
            SignalFate("labels", "delivered", reason)
            if _is_no_loss(reason)
            else SignalFate("predictions", "dropped", reason): count
            for reason, count in self.keeping.troubles.items()
        }
        return {**fates, **stored, **kept}

    def flush(self, timeout_seconds: float) -> None:
        """Writes what is waiting."""
        self._store.flush(timeout_seconds)

    def close(self, timeout_seconds: float) -> None:
        """Writes what is waiting, and ends the store's thread."""
        self._store.close(timeout_seconds)

    def forget(self) -> None:
        """Lets go of what belongs to the parent process: what a forked child does at once."""
        self._lock = threading.Lock()
        self._fates.clear()
        self._store.forget()


def _is_no_loss(reason: str) -> bool:
    """Whether nothing is missing for it.

    What became of a label may be told later, or that it says another thing; a write that failed is tried again; a
    prediction whose second id was there before is known by its own.
    """
    if reason.startswith(JOINED_LATER):
        return True
    return reason in {"contradicted", "late_positive", "write_failed", "doubled_id"}
