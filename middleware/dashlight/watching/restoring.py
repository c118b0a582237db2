"""The parts of a state by model, and what is done with one that cannot be taken over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias, TypeVar

from dashlight.watching.model import ModelWatch
from dashlight.watching.segments.state import SegmentsState
from dashlight.watching.state import Compared, WatchedModel, WholeState

Key = TypeVar("Key")
State = TypeVar("State")
Lose: TypeAlias = Callable[[str, Exception], None]
"""Takes the name of a part of a state that cannot be taken over, and why."""


def tried(part: str, restore: Callable[[], object], lose: Lose) -> bool:
    """Whether *part* of a state could be taken over; if not, it is handed to *lose*."""
    try:
        restore()
    except Exception as error:  # a file can say anything: counted and told by *lose*
        lose(part, error)
        return False
    return True


def restore_each(part: str, restore: Callable[[Key, State], object], states: Mapping[Key, State], lose: Lose) -> None:
    """Has each of *states* taken over, by its key; those that cannot be are handed to *lose*."""
    for key, state in states.items():
        tried(part, partial(restore, key, state), lose)


def restore_models(models: Mapping[WatchedModel, ModelWatch], state: WholeState, lose: Lose) -> None:
    """Goes on from what *state* holds of each of *models*; what does not fit is handed to *lose*."""
    for (route, name, number, version), comparison in state.comparisons.items():
        model = models.get((route, name, number))
        if model is not None:
            tried("comparison", partial(model.restore_comparison, version, comparison), lose)
    for (route, name, number, version), segments in state.segments.items():
        model = models.get((route, name, number))
        if model is not None:
            tried("segments", partial(model.segments.restore, version, segments), lose)
    for watched, learner in state.learners.items():
        if watched in models:
            tried("learner", partial(models[watched].restore_learner, learner), lose)


def segment_states(models: Mapping[WatchedModel, ModelWatch]) -> dict[Compared, SegmentsState]:
    """What outlives the process of the segments of *models*."""
    return {(*key, version): state for key, model in models.items() for version, state in model.segments.states}
