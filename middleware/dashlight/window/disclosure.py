"""Which values of a column may be told, and what is said instead of those that may not. Every output asks here."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from dashlight.privacy.detectors import found_in, may_be_a_person
from dashlight.privacy.hashing import HashKey, is_hash
from dashlight.privacy.names import is_personal
from dashlight.window.columns import ColumnReference, Reference
from dashlight.window.layout import STRUCTURAL_BINS

LEAST_LABEL_SHARE: Final = 0.01
"""Of the rows of the reference: a rarer answer of a model is no label of a class."""
UNSEEN_VALUE: Final = "a value never seen in the reference"

_OPEN_KINDS = frozenset({"categorical", "text"})
"""Whose categories are what somebody wrote; those of other kinds are words of ours, sizes, or true and false."""
_CLOSED_FACETS = (" \N{MIDDLE DOT} format",)
"""Facets whose categories are words of ours."""
_EXACT_DIGITS, _FEW_DIGITS = 6, 4
"""Whole numbers of more digits than the first are told to as many as the second: one may be somebody's date of birth."""


def with_shown(reference: Reference, globs: Sequence[str]) -> Reference:
    """*reference* whose columns that *globs* name may be told by their categories, beside those that it declares itself."""
    if not globs:
        return reference
    columns = [
        replace(column, shown=column.shown or any(fnmatchcase(column.of or column.name, glob) for glob in globs))
        for column in reference.columns
    ]
    return replace(reference, columns=tuple(columns))


def is_told(column: ColumnReference, place: int) -> bool:
    """Whether the category at *place* among those of *column* that have bins may be told by its own name."""
    text = column.categories[place]
    if column.kind not in _OPEN_KINDS or column.name.endswith(_CLOSED_FACETS):
        return True
    if is_hash(text) or found_in(text) is not None:
        return False
    if column.shown:
        return True
    if column.hash_key is not None:  # decided when the others were hashed
        return column.role == "output"
    share = float(column.counts[STRUCTURAL_BINS + place]) / max(column.rows, 1)
    return share >= LEAST_LABEL_SHARE and _holds_labels(column)


def _holds_labels(column: ColumnReference) -> bool:
    """Whether *column* is an answer of classes: where any of its values is somebody's, all may be."""
    if column.role != "output" or column.of or is_personal(column.name):
        return False
    return not any(
        is_hash(text) or may_be_a_person(text) or found_in(text) is not None
        for text in (*column.categories, *column.known)
    )


def category_words(column: ColumnReference, place: int) -> str:
    """The category at *place* of *column* as it may be told: by its name, or by its number among the known ones.

    Under a key that the operator gave its hash is told as well, by which it can be followed.
    """
    if is_told(column, place):
        return column.categories[place]
    known = len(column.categories) + len(column.known)
    key, text = column.hash_key, column.categories[place]
    followed = ""
    if key is not None and key.is_given:
        followed = f", {text if is_hash(text) else key.hash(text)}"
    return f"value #{place + 1} (of {known} known{followed})"


def value_words(column: ColumnReference, text: str) -> str:
    """The value of *column* that is written *text*, or that hash, as it may be told."""
    if column.kind == "numeric":
        return number_words(text)
    if text in column.categories:
        return category_words(column, column.categories.index(text))
    if column.kind not in _OPEN_KINDS or (column.shown and not is_hash(text) and found_in(text) is None):
        return text
    return "a rare value" if text in column.known else UNSEEN_VALUE


def told_number(value: float) -> float:
    """*value* with no more digits than may be told: a whole number of many digits may be one person's own."""
    if abs(value) < 10.0**_EXACT_DIGITS or not abs(value) < float("inf"):
        return value
    return float(f"{value:.{_FEW_DIGITS}g}")


def number_words(text: str) -> str:
    """A number that is written *text*, as it may be told."""
    value = float(text)
    rounded = told_number(value)
    return text if rounded == value else f"about {rounded:,.0f}"


def protected(reference: Reference, key: HashKey) -> Reference:
    """*reference* with the hash under *key* of every category, spelling and frequent value that may not be told.

    What it compares stays the same. Columns whose values are hashed already stay as they are. Labels are compared with the
    names of classes, which stay as well: but for those that are somebody's particulars, whose labels are then none of them.
    """
    performance = reference.performance
    if performance is not None:
        is_personal_label = is_personal(performance.label)
        classes = tuple(
            key.hash(text) if not is_hash(text) and (is_personal_label or found_in(text) is not None) else text
            for text in performance.classes
        )
        performance = replace(performance, classes=classes)
    columns = tuple(_protected(column, key) for column in reference.columns)
    return replace(reference, columns=columns, performance=performance)


def is_open(column: ColumnReference) -> bool:
    """Whether its values are what somebody wrote, or numbers: whoever keeps rows of it needs a key."""
    return column.kind in {"categorical", "numeric"}


def _protected(column: ColumnReference, key: HashKey) -> ColumnReference:
    if column.hash_key is not None:
        return column
    if column.kind == "numeric":
        return replace(column, hash_key=key)
    if column.kind != "categorical":
        return column
    told = {text for place, text in enumerate(column.categories) if is_told(column, place)}
    told |= {text for text in column.known if column.shown and found_in(text) is None}

    def held(text: str) -> str:
        return text if text in told else key.hash(text)

    profile = column.profile
    if profile is not None:
        profile = replace(
            profile,
            frequent=tuple((held(text), share) for text, share in profile.frequent),
            spellings={
                spelled if name in told else key.hash(spelled): held(name)
                for spelled, name in profile.spellings.items()
            },
        )
    return replace(
        column,
        categories=tuple(map(held, column.categories)),
        known=frozenset(map(held, column.known)),
        profile=profile,
        hash_key=key,
    )


def knows(column: ColumnReference, text: object) -> bool:
    """Whether the value *text*, in the clear, is one of the categories of *column*, however it holds them."""
    if not isinstance(text, str):
        return False
    if not is_hash(text) and (text in column.categories or text in column.known):
        return True
    held = None if column.hash_key is None else column.hash_key.hash(text)
    return held in column.categories or held in column.known
