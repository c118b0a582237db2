"""What the answers of a model mean: its task, and which outputs are its score, its class, its items. Guessed once, from rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import numpy as np

from dashlight.counting.scored.groups import (
    ProbabilityGroup,
    in_order_of_classes,
    is_negative,
    named_by_answers,
    probability_group,
)
from dashlight.counting.scored.outputs import Outputs, class_text
from dashlight.decode.llm.columns import OUTPUT_TEXT
from dashlight.decode.rows.answers import UNNAMED
from dashlight.decode.rows.roles import OutputRole, output_role
from dashlight.judge.words import printable
from dashlight.labels.rows import Task
from dashlight.privacy.names import is_tellable
from dashlight.records import Cell
from dashlight.window.facets.list_names import is_bound_name, is_forecast_name, is_ranking_name, is_time_name

WishedTask: TypeAlias = Task | Literal["auto"]
ZERO_ONE: Final = ("0", "1")
NO_YES: Final = ("false", "true")
_MOST_NUMBERED = 32
"""Whole numbers below are classes, where nothing else is said."""
_CLASS_NAMES = (
    UNNAMED, "predicted_class", "predicted_label", "label", "class", "predictions", "category", "decision", "output", "result",
    "y_pred", "pred",
)  # fmt: skip
_VALUE_NAMES = (UNNAMED, "predictions", "predicted", "value", "output", "result", "y_hat", "yhat", "y", "estimate")

_NEVER_CLASSES = frozenset({"value", "y_hat", "yhat", "estimate", "price", "amount", "quantity", "demand", "count"})
"""Whole numbers under these are no classes, unless they are 0 and 1 alone."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known before any row: by settings, or by the reference where they do not say."""

    task: WishedTask = "auto"
    classes: tuple[str, ...] = ()
    score: str = ""
    """Name of an output; likewise the next."""
    prediction: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Which outputs of a model are what. Names of columns are empty where there is none."""

    task: Task
    classes: tuple[str, ...] = ()
    score: str = ""
    """The probability of the positive class, or of the top one; the number predicted."""
    prediction: str = ""
    """The class predicted; of texts the text; of a ranking the items."""
    probabilities: tuple[str, ...] = ()
    """Columns of the probabilities of *classes*, in their order."""
    steps: tuple[str, ...] = ()
    """Of a forecast: a column of lists, or one of numbers for each step."""
    is_open: bool = False
    """Whether classes join as they are met."""
    is_guess: bool = False
    """Whether the task was guessed, so that other answers may show it to be another one."""
    is_of_top: bool = False
    """Of a binary task: whether the score is that of the predicted class, whichever it is."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All that it looks at."""
        return tuple(name for name in (self.score, self.prediction, *self.probabilities, *self.steps) if name)

    def told(self) -> str:
        """In words for people, without any value."""
        parts = [f"task {self.task}"]
        if self.steps:
            parts.append(f"a forecast in {shown(self.steps[0])}")
        if self.probabilities:
            parts.append(f"probabilities in {shown(self.probabilities[0])} and {len(self.probabilities) - 1} more")
        elif self.score:
            parts.append(f"score in {shown(self.score)}")
        if self.prediction:
            parts.append(f"prediction in {shown(self.prediction)}")
        elif self.task == "binary":
            parts.append("no class is answered: from a score of 0.5 on it is the positive one")
        return ", ".join(parts)


def meaning_of(outputs: Outputs, wish: Wish) -> Meaning | None:
    """What *outputs* mean, as far as *wish* leaves it open; None where nothing in them can be scored."""
    roles: dict[str, OutputRole] = {name: role for name in outputs.names if (role := outputs.role(name)) is not None}
    if wish.task != "auto":
        return _meaning(outputs, roles, wish, wish.task)
    task = _task(outputs, roles, wish)
    found = None if task is None else _meaning(outputs, roles, wish, task)
    return None if found is None else replace(found, is_guess=True)


def is_number_of_class(cell: Cell) -> bool:
    """Whether a whole number is small enough to be that of a class, where nothing else is said."""
    return isinstance(cell, int) and 0 <= cell < _MOST_NUMBERED


def _meaning(outputs: Outputs, roles: dict[str, OutputRole], wish: Wish, task: Task) -> Meaning | None:
    if task == "text":
        return Meaning("text", prediction=_text(roles) or next(iter(roles), ""))
    if task == "ranking":
        found = _ranking(roles)
        return None if not found else Meaning("ranking", prediction=found)
    if task == "regression":
        return _regression(outputs, roles, wish)
    return _classes(outputs, roles, wish, task)


def shown(name: str) -> str:
    """What people are told of the column *name*."""
    return printable(name) if is_tellable(name) else "a column that is not named here"


def _task(outputs: Outputs, roles: dict[str, OutputRole], wish: Wish) -> Task | None:
    if _text(roles):
        return "text"
    ranking = _ranking(roles)
    label = _label(outputs, roles, wish)
    if ranking and (is_ranking_name(ranking) or not label):
        return "ranking"
    if _steps(roles):
        return "regression"
    group = probability_group(outputs, stem=wish.score) or probability_group(outputs)
    if group is not None:
        return "binary" if len(group.columns) == 2 else "multiclass"
    score = _score(outputs, roles, wish)
    if label and not (wish.score and not score):
        is_value = _last(label) in _NEVER_CLASSES
        return _task_of_labels(outputs.told(label), has_score=bool(score), is_value=is_value)
    if score:
        return "binary"
    return "regression" if _value(outputs, roles, wish) else None


def _task_of_labels(told: Sequence[Cell], *, has_score: bool, is_value: bool) -> Task:
    if all(isinstance(cell, bool) for cell in told) or {class_text(cell) for cell in told} <= set(ZERO_ONE):
        return "binary"
    is_numbered = not is_value and all(map(is_number_of_class, told))
    return "multiclass" if has_score or is_numbered or any(isinstance(cell, str) for cell in told) else "regression"


def _classes(outputs: Outputs, roles: dict[str, OutputRole], wish: Wish, task: Task) -> Meaning | None:
    group = probability_group(outputs, stem=wish.score, is_certain=True) if wish.score else probability_group(outputs)
    label = wish.prediction if wish.prediction in outputs else _label(outputs, roles, wish)
    score = _score(outputs, roles, wish)
    told = outputs.told(label) if label else []
    texts = list(dict.fromkeys(map(class_text, told)))
    if group is not None and (task == "binary") == (len(group.columns) == 2):
        ordered = _ordered(group, wish.classes, told)
        if ordered is None and not wish.classes:
            ordered = named_by_answers(group, outputs, label)
        if ordered is not None and task == "binary":
            is_open = "" in ordered.classes
            return Meaning(task, ordered.classes, score=ordered.columns[1], prediction=label, is_open=is_open)
        if ordered is not None and "" not in ordered.classes:
            return Meaning(task, ordered.classes, prediction=label, probabilities=ordered.columns)
        if ordered is not None:  # which is whose is not known of all
            classes = tuple(filter(None, texts))
            return Meaning(task, classes, prediction=label, probabilities=ordered.columns, is_open=True)
    if not label and not score:
        return None
    if task == "binary":
        classes = wish.classes or _two_classes(told, texts)
        return Meaning(task, classes, score=score, prediction=label, is_open="" in classes)
    return Meaning(task, wish.classes or tuple(filter(None, texts)), score, label, is_open=not wish.classes)


def _ordered(group: ProbabilityGroup, classes: Sequence[str], told: Sequence[Cell]) -> ProbabilityGroup | None:
    """*group* under the names of *classes*, or of what is *told*, as far as they say any; None where they do not fit."""
    if classes:
        return in_order_of_classes(group, classes)
    if told and all(isinstance(cell, bool) for cell in told) and len(group.classes) == len(NO_YES):
        return in_order_of_classes(group, NO_YES) or group
    return group if not told or {class_text(cell) for cell in told} <= set(group.classes) else None


def _two_classes(told: Sequence[Cell], texts: Sequence[str]) -> tuple[str, str]:
    """The negative and the positive class, as well as what was answered tells them."""
    if told and all(isinstance(cell, bool) for cell in told):
        return NO_YES
    named = sorted(text for text in texts if text)
    if named and not set(named) <= set(ZERO_ONE):
        negative = next(filter(is_negative, named), "" if len(named) == 1 else named[0])
        positive = next((name for name in named if name != negative), "")
        return negative, positive
    return ZERO_ONE


def _regression(outputs: Outputs, roles: dict[str, OutputRole], wish: Wish) -> Meaning | None:
    steps = _steps(roles)
    if wish.score in outputs:
        return (
            Meaning("regression", steps=(wish.score,))
            if wish.score in steps
            else Meaning("regression", score=wish.score)
        )
    if steps:
        return Meaning("regression", steps=steps)
    value = wish.prediction if wish.prediction in outputs else _value(outputs, roles, wish)
    return Meaning("regression", score=value) if value else None


def _score(outputs: Outputs, roles: dict[str, OutputRole], wish: Wish) -> str:
    """The column of probabilities."""
    if wish.score in outputs:
        return wish.score
    for role in ("probability", "score"):
        for name, found in roles.items():
            if found == role and outputs.is_numeric(name) and _are_shares(outputs, name):
                return name
    return ""


def _are_shares(outputs: Outputs, name: str) -> bool:
    values = outputs.numbers(name)
    told = values[~np.isnan(values)]
    return bool(told.size and (told >= 0).all() and (told <= 1).all())


def _label(outputs: Outputs, roles: dict[str, OutputRole], wish: Wish) -> str:
    """The column of classes, by its name first; empty where there is none."""
    if wish.prediction in outputs:
        return wish.prediction
    labels = [name for name, role in roles.items() if role == "label" and name != wish.score]
    # Whole numbers by any other name than that of a class count something, unless they are all that there is.
    named = [name for name in labels if not outputs.is_numeric(name) or _is_called_class(name)]
    found = named or (labels if len(labels) == len(roles) == 1 else [])
    return min(found, key=lambda name: _rank(name, _CLASS_NAMES), default="")


def _is_called_class(name: str) -> bool:
    return _last(name) in _CLASS_NAMES or output_role(name, [0.5]) == "label"


def _value(outputs: Outputs, roles: dict[str, OutputRole], wish: Wish) -> str:
    if wish.score in outputs:
        return wish.score
    numeric = [name for name in roles if outputs.is_numeric(name) and not is_bound_name(name)]
    return min(numeric, key=lambda name: _rank(name, _VALUE_NAMES), default="")


def _text(roles: dict[str, OutputRole]) -> str:
    return next((name for name, role in roles.items() if role == "text" or name == OUTPUT_TEXT), "")


def _ranking(roles: dict[str, OutputRole]) -> str:
    rankings = [name for name, role in roles.items() if role == "ranking"]
    return next(filter(is_ranking_name, rankings), rankings[0] if rankings else "")


def _steps(roles: dict[str, OutputRole]) -> tuple[str, ...]:
    """The column, or the columns, in which the steps of a forecast stand."""
    for name, role in roles.items():
        if role == "forecast" and not is_bound_name(name) and not is_time_name(name):
            return (name,)
    spread: dict[str, list[str]] = {}
    for name in roles:
        stem, _, place = name.rpartition("[")
        if place.removesuffix("]").isdecimal() and is_forecast_name(stem) and not is_bound_name(stem):
            spread.setdefault(stem, []).append(name)
    found = next(iter(spread.values())) if spread else list[str]()
    return tuple(sorted(found, key=lambda name: int(name[:-1].rpartition("[")[2])))


def _last(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _rank(name: str, names: Sequence[str]) -> int:
    last = _last(name)
    return names.index(last) if last in names else len(names)
