"""Which predictions are kept for their labels, and how they are read, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashlight.privacy.hashing import HashKey
from dashlight.settings import Settings

if TYPE_CHECKING:
    from dashlight.counting.references import References
    from dashlight.counting.scored.scorer import Scoring
    from dashlight.labels.rows import ModelKey
    from dashlight.labels.store import LabelStore
    from dashlight.runtime.labels.keeping import PredictionKeeper
    from dashlight.window.performance_reference import PerformanceReference


def keeping_of(
    settings: Settings, store: LabelStore | None, references: References, hash_key: HashKey
) -> PredictionKeeper | None:
    """What keeps predictions in *store*; None where there is none."""
    if store is None:
        return None
    from dashlight.counting.agents import agents_of
    from dashlight.counting.scored.scorer import Scorer
    from dashlight.runtime.labels.keeping import PredictionKeeper

    scorer = Scorer(scoring_of(settings, references, hash_key))
    return PredictionKeeper(scorer, store, entity=settings.entity, agents=agents_of(settings.excluded_agents))


def scoring_of(settings: Settings, references: References, hash_key: HashKey, *, is_quiet: bool = False) -> Scoring:
    """How answers are read: as the settings say, else the reference of the model, else by their looks."""
    from dashlight.counting.scored.scorer import Scoring

    def performance(key: ModelKey) -> PerformanceReference | None:
        given = references.given
        return given.performance if given is not None and given.model in {"", key[1]} else None

    return Scoring(hash_key, settings.task, settings.score, performance, is_quiet=is_quiet)
