"""Which names hold credentials or personal particulars, and how their values are kept from leaving."""

import re
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import pairwise
from typing import Final, cast

from dashlight.decode.rows.jsonvalue import NESTED_TYPES, is_list, is_object
from dashlight.records import Cell

REDACTED: Final = "[redacted]"
MAX_NAME_LENGTH: Final = 200
"""Longer names are no columns, and are redacted unread: they would fill the caches."""

_MOST_REMEMBERED = 1 << 14
"""Characters of the names of one event of which is remembered what is replaced."""
_MAX_NESTING = 32
_MAX_COPIED = 1 << 12
"""Lists and objects of the cells that are copied without their credentials; what would be more is redacted as a whole."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_CREDENTIAL_WORDS = re.compile(
    r"(?:password|passwd|pwd|passphrase|passcode|secret|apikey|authorization|bearer|jwt|cookie"
    r"|credential|ssn|cvv|cvc|iban|otp)s?"
)
"""A word of these anywhere in a name makes its value a credential."""
_CREDENTIAL_ENDINGS = re.compile(r"token|auth")
"""These only as the last word: `token_count` is a feature."""
_CREDENTIAL_PAIRS = re.compile(
    r"(?:api|access|private|signing|encryption|subscription) keys?|(?:card|account|routing) numbers?|social security"
)
_SUSPECT = re.compile(
    r"(?i)pass|pwd|secret|key|auth|bearer|jwt|cookie|credential|ssn|cvv|cvc|iban|otp|token|number|security"
)
"""Part of every name that the rules above match: spares the others the splitting into words."""
_PERSONAL_ENDINGS = re.compile(
    r"(?:e?mail|phone|mobile|telephone|fax|passport|licen[cs]e|address|street"
    r"|surname|(?:first|last|full|user)name|birthdate|dob|ip)(?:e?s)?"
)
_PERSONAL_PAIRS = re.compile(
    r"(?:credit|debit) cards?|(?:phone|mobile|passport|licen[cs]e|tax) numbers?"
    r"|(?:first|last|full|middle|maiden|user) names?|birth dates?"
)


def is_credential(name: str) -> bool:
    """Whether the value under *name* opens something or stands for a person: it never becomes a column."""
    return len(name) > MAX_NAME_LENGTH or _is_credential(name)


def is_personal(name: str) -> bool:
    """Whether the value under *name* tells who somebody is: its text leaves decode only as REDACTED.

    The last word of a name says what its value is: `email` and `user_email` are personal, `email_domain` is not.
    """
    return len(name) > MAX_NAME_LENGTH or _is_personal(name)


def redact(values: Mapping[str, Cell], *, also: Sequence[str] = ()) -> dict[str, Cell]:
    """*values* as they may leave in an event: credentials and personal particulars replaced, at every depth.

    Args:
        values: Values by column name.
        also: Globs of further names to replace, as DASHLIGHT_REDACT lists them.
    """
    names, globs = tuple(values), tuple(also)
    if sum(map(len, names)) > _MOST_REMEMBERED or not _are_flat(values.values()):
        return {name: _redacted(name, value, globs, 0) for name, value in values.items()}
    hidden = _hidden(names, globs)
    if not hidden:
        return dict(values)
    return {name: REDACTED if name in hidden and value is not None else value for name, value in values.items()}


def _are_flat(values: Collection[Cell]) -> bool:
    """Whether none of *values* has names inside it: scalars, and lists of these."""
    if NESTED_TYPES.isdisjoint(map(type, values)):  # the usual case
        return True
    nested = [value for value in values if type(value) in NESTED_TYPES]
    return all(is_list(value) and NESTED_TYPES.isdisjoint(map(type, value)) for value in nested)


@lru_cache(maxsize=64)
def _hidden(names: tuple[str, ...], globs: tuple[str, ...]) -> frozenset[str]:
    """Those of *names* whose values are replaced: the same names come with every event."""
    return frozenset(name for name in names if _redacted(name, "", globs, 0) == REDACTED)


def without_credentials(value: Cell) -> Cell:
    """*value* with every credential inside it replaced; REDACTED where it holds any among thousands of objects."""
    return cells_without_credentials((value,))[0] if is_object(value) or is_list(value) else value


def cells_without_credentials(cells: Sequence[Cell]) -> Sequence[Cell]:
    """*cells*, of one table, likewise: of cells that hold thousands of objects together the last ones are REDACTED.

    *cells* themselves where there is nothing to replace: a copy of all that a body holds costs more than the search.
    """
    nested = [cell for cell in cells if is_object(cell) or is_list(cell)]
    secret = _secrets_in(nested) if nested else frozenset[str]()
    if secret is not None and not secret:
        return cells
    copying = _Copying(secret or frozenset())
    return [copying.copy(cell) if is_object(cell) or is_list(cell) else cell for cell in cells]


def _redacted(name: str, value: object, also: Sequence[str], depth: int) -> object:
    if value is None:
        return None
    if depth > _MAX_NESTING or is_credential(name) or is_personal(name):
        return REDACTED
    if any(fnmatchcase(name, glob) for glob in also):
        return REDACTED
    if is_object(value):
        return {key: _redacted(key, child, also, depth + 1) for key, child in value.items()}
    if is_list(value):
        return [_redacted(name, child, also, depth + 1) for child in value]
    return value


def _secrets_in(level: list[dict[str, object] | list[object]]) -> frozenset[str] | None:
    """The names of credentials at any depth of *level*; None where it is too deep to know."""
    names = set[str]()
    for _ in range(_MAX_NESTING + 1):
        objects = [node for node in level if type(node) is dict]
        names.update(*objects)
        level = cast(
            "list[dict[str, object] | list[object]]",
            [
                child
                for node in level
                for child in (node.values() if type(node) is dict else node)
                if type(child) in NESTED_TYPES
            ],
        )
        if not level:
            return frozenset(filter(is_credential, names)) if names else frozenset()
    return None


class _Copying:
    """Copies cells with REDACTED in place of what stands under *secret* names, as long as there is room."""

    def __init__(self, secret: frozenset[str]) -> None:
        self._secret = secret
        self._room = _MAX_COPIED

    def copy(self, cell: dict[str, object] | list[object]) -> Cell:
        copied = self._copied(cell, 0)
        return REDACTED if self._room < 0 and copied is not cell else copied

    def _copied(self, value: object, depth: int) -> object:
        if is_object(value):
            if not self._has_room(depth):
                return REDACTED
            return {
                name: REDACTED if name in self._secret else self._copied(child, depth + 1)
                for name, child in value.items()
            }
        # A vector is returned as it is.
        if is_list(value) and not NESTED_TYPES.isdisjoint(map(type, value)):
            return [self._copied(child, depth + 1) for child in value] if self._has_room(depth) else REDACTED
        return value

    def _has_room(self, depth: int) -> bool:
        self._room -= 1
        return depth <= _MAX_NESTING and self._room >= 0


@lru_cache(maxsize=4096)
def _is_credential(name: str) -> bool:
    if not _SUSPECT.search(name):
        return False
    words = _words(name)
    return (
        any(map(_CREDENTIAL_WORDS.fullmatch, words))
        or any(map(_CREDENTIAL_ENDINGS.fullmatch, words[-1:]))
        or any(_CREDENTIAL_PAIRS.fullmatch(" ".join(pair)) for pair in pairwise(words))
    )


@lru_cache(maxsize=4096)
def _is_personal(name: str) -> bool:
    words = _words(name)
    # `card` is one; `card4` is the fourth column of a table about cards.
    if words[-1:] == ["card"] and name.lower().endswith("card"):
        return True
    return any(map(_PERSONAL_ENDINGS.fullmatch, words[-1:])) or bool(_PERSONAL_PAIRS.fullmatch(" ".join(words[-2:])))


def _words(name: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(name)]
    # One of several is as private as the only one: `emails[3]`, `phone2`.
    while words and words[-1].isdigit():
        words.pop()
    return words
