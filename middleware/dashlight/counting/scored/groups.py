"""Columns that stand for one probability each: `probabilities[0]`, `probability.yes`, `proba_no`."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dashlight.counting.scored.outputs import Outputs, class_text
from dashlight.decode.rows.roles import output_role

_OF_ALL, _OF_ROUNDED = 0.01, 0.05
"""By so much may probabilities of all classes miss 1 together; those that are called so, for they may be rounded."""
_NEGATIVE = re.compile(
    r"(?i)(?:0|false|no|none|neg(?:ative)?|legit(?:imate)?|ham|ok|normal|benign|stay(?:ed)?|rejected|denied|(?:not|non|no)[ _-].*)"
)


@dataclass(frozen=True, slots=True)
class ProbabilityGroup:
    """The probabilities of all classes."""

    stem: str
    """What their names have in common."""
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    """One for each, as the names say; numbers from 0 where they number them."""


def probability_group(outputs: Outputs, *, stem: str = "", is_certain: bool = False) -> ProbabilityGroup | None:
    """The columns, at least two, that hold the probabilities of all classes; those of *stem* where it is given.

    Their values say it: none below 0, and together 1 in every row. *is_certain*: somebody said that they are.
    """
    numeric = [name for name in outputs.names if outputs.is_numeric(name)]
    groups: dict[str, dict[str, str]] = {}
    for name in numeric:
        above, below = _parted(name)
        if below:
            groups.setdefault(above, {})[below] = name
    for above, columns in groups.items():
        if len(columns) < 2 or (stem and above != stem):
            continue
        is_called_so = output_role(above.rpartition(".")[2], [0.5]) == "probability"
        if is_certain or _adds_up(outputs, columns.values(), off=_OF_ROUNDED if is_called_so else _OF_ALL):
            return _group(above, columns)
    if not stem and len(numeric) >= 2 and len(numeric) == len(outputs.names) and _adds_up(outputs, numeric):
        return _group("", {name: name for name in numeric})
    return None


def in_order_of_classes(group: ProbabilityGroup, classes: Sequence[str]) -> ProbabilityGroup | None:
    """*group* in the order of *classes*, by name, or by place where it numbers them; None where they do not fit."""
    if set(classes) == set(group.classes):
        column = dict(zip(group.classes, group.columns, strict=True))
        return ProbabilityGroup(group.stem, tuple(column[name] for name in classes), tuple(classes))
    is_numbered = group.classes == tuple(map(str, range(len(group.classes))))
    if is_numbered and len(classes) == len(group.classes):
        return ProbabilityGroup(group.stem, group.columns, tuple(classes))
    return None


def named_by_answers(group: ProbabilityGroup, outputs: Outputs, label: str) -> ProbabilityGroup:
    """*group* under the names of the classes that are answered beside it in *label*: mostly that of the top one.

    A threshold may choose another one. A column that was never the top one has no name.
    """
    shares = np.array([outputs.numbers(name) for name in group.columns])
    known = np.flatnonzero(~np.isnan(shares).any(axis=0))
    known_rows: list[int] = known.tolist()
    cells = outputs.cells(label)
    tops: list[int] = shares[:, known].argmax(axis=0).tolist()
    texts = [class_text(cells[row]) for row in known_rows]
    pairs = Counter((top, text) for top, text in zip(tops, texts, strict=True) if text)
    names: dict[int, str] = {}
    for (top, text), _ in pairs.most_common():
        if top not in names and text not in names.values():
            names[top] = text
    return _ordered(group.stem, group.columns, tuple(names.get(at, "") for at in range(len(group.columns))))


def is_negative(name: str) -> bool:
    """Whether a class of this *name* is the one that says no."""
    return _NEGATIVE.fullmatch(name) is not None


def _group(stem: str, columns: dict[str, str]) -> ProbabilityGroup:
    return _ordered(stem, tuple(columns.values()), tuple(columns))


def _ordered(stem: str, columns: tuple[str, ...], classes: tuple[str, ...]) -> ProbabilityGroup:
    """The group, the negative one of two classes first."""
    if len(classes) == 2 and is_negative(classes[1]) and not is_negative(classes[0]):
        return ProbabilityGroup(stem, columns[::-1], classes[::-1])
    return ProbabilityGroup(stem, columns, classes)


def _parted(name: str) -> tuple[str, str]:
    """The stem of *name* and the class that it says; none where it says none."""
    if name.endswith("]"):
        stem, _, place = name[:-1].rpartition("[")
        return stem, place
    for mark in (".", "_"):
        stem, _, below = name.rpartition(mark)
        if stem and below:
            return stem, below
    return name, ""


def _adds_up(outputs: Outputs, columns: Iterable[str], *, off: float = _OF_ALL) -> bool:
    values = np.array([outputs.numbers(name) for name in columns])
    whole = values[:, ~np.isnan(values).any(axis=0)]
    if not whole.size:
        return False
    return bool((whole >= 0).all() and np.all(np.abs(whole.sum(axis=0) - 1) <= off))
