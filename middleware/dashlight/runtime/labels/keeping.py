"""Hands what was decoded to the store in which predictions wait for their labels."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence

from dashlight.counting.agents import Agents, are_excluded, without_rows_of
from dashlight.counting.scored.binned import Binned
from dashlight.counting.scored.scorer import Scorer
from dashlight.decode.batch import DecodedBatch
from dashlight.decode.identities import identities
from dashlight.errors import traced
from dashlight.labels.store import LabelStore
from dashlight.records import Exchange
from dashlight.runtime.labels.feedback import Feedback

logger = logging.getLogger("dashlight")


class PredictionKeeper:
    """Keeps the predictions of one process. Used by the analysis thread alone."""

    def __init__(
        self, scorer: Scorer, store: LabelStore, *, entity: str = "", agents: Agents, feedback: Feedback | None = None
    ) -> None:
        """*entity* is the feature that says whom a prediction is about; rows that came by one of *agents* are not kept.

        Nor are those of exchanges in which the app gave the label of what they name, as *feedback* knows.
        """
        self._scorer = scorer
        self._store = store
        self._entity = entity
        self._agents = agents
        self._feedback = feedback
        self._mistakes: Counter[str] = Counter()

    @property
    def troubles(self) -> Mapping[str, int]:
        """What could not be kept, by reason, since the start."""
        return {**self._scorer.troubles, **self._mistakes}

    def keep(self, batch: DecodedBatch, exchanges: Sequence[Exchange], binned: Mapping[int, Binned]) -> None:
        """Keeps the predictions of *batch*, decoded from *exchanges*; *binned* are their bins, by the place of a prediction.

        A mistake of ours costs what it was about, and is counted.
        """
        try:
            self._keep(batch, exchanges, binned)
        except Exception as error:
            if not self._mistakes:
                logger.error("predictions cannot wait for their labels: %s", traced(error))  # noqa: TRY400 - no message
            self._mistakes["mistake"] += 1

    def _keep(self, batch: DecodedBatch, exchanges: Sequence[Exchange], binned: Mapping[int, Binned]) -> None:
        ids = identities(batch, entity=self._entity)
        excluded = are_excluded(exchanges, self._agents)
        for place, whole in enumerate(batch.predictions):
            prediction = without_rows_of(whole, excluded) if excluded.any() else whole
            rows = self._scorer.score(prediction, exchanges, ids, binned.get(place))
            if rows is not None and self._feedback is not None:
                rows = self._feedback.without(rows, exchanges)
            if rows is not None:
                self._store.keep(rows)
