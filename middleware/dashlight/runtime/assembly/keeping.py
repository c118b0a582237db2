"""Which predictions are kept for their labels, and how they are read, as the settings say."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from dashlight.privacy.hashing import HashKey
from dashlight.settings import Settings

if TYPE_CHECKING:
    from dashlight.counting.references import References
    from dashlight.counting.scored.scorer import Scoring
    from dashlight.labels.rows import ModelKey
    from dashlight.labels.store import LabelStore
    from dashlight.records import Prediction
    from dashlight.runtime.labels.labelling import Labelling
    from dashlight.window.performance_reference import PerformanceReference


def labelling_of(
    settings: Settings,
    store: LabelStore,
    references: References,
    hash_key: HashKey,
    given: deque[tuple[str, float]] | None = None,
) -> Labelling:
    """What keeps predictions in *store*, and hands it labels; *given* says of which ids the app gives some, and when."""
    from dashlight.counting.agents import agents_of
    from dashlight.counting.scored.scorer import Scorer
    from dashlight.runtime.labels.feedback import Feedback
    from dashlight.runtime.labels.keeping import PredictionKeeper
    from dashlight.runtime.labels.labelling import Labelling

    scorer = Scorer(scoring_of(settings, references, hash_key))
    agents = agents_of(settings.excluded_agents)
    feedback = None if given is None else Feedback(given, hash_key)
    return Labelling(store, PredictionKeeper(scorer, store, entity=settings.entity, agents=agents, feedback=feedback))


def scoring_of(settings: Settings, references: References, hash_key: HashKey, *, is_quiet: bool = False) -> Scoring:
    """How answers are read: as the settings say, else the reference of the model, else by their looks."""
    from dashlight.counting.matching import is_about
    from dashlight.counting.scored.scorer import Scoring

    def performance(key: ModelKey) -> PerformanceReference | None:
        given = references.given
        return given.performance if given is not None and given.model in {"", key[1]} else None

    def is_about_given(prediction: Prediction) -> bool:
        given = references.given
        return given is None or is_about(given, prediction)

    return Scoring(
        hash_key, settings.task, settings.score, performance, is_about_given, settings.segments, is_quiet=is_quiet
    )
