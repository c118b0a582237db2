"""What is done with a part of a state that cannot be taken over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias, TypeVar

from dashlight.watching.model import ModelWatch
from dashlight.watching.state import WatchedModel, WholeState

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
    """What *models* compare and learn goes on from *state*."""
    for (route, name, number, version), comparison in state.comparisons.items():
        model = models.get((route, name, number))
        if model is not None:
            tried("comparison", partial(model.restore_comparison, version, comparison), lose)
    for watched, learner in state.learners.items():
        if watched in models:
            tried("learner", partial(models[watched].restore_learner, learner), lose)
