"""How the values of credentials and personal particulars are kept from leaving."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import cast

from dashlight.decode.rows.jsonvalue import NESTED_TYPES, is_list, is_object
from dashlight.privacy.detectors import LONG_NUMBER, cleaned, hold_nothing, is_long_number
from dashlight.privacy.hashing import HashKey
from dashlight.privacy.names import MAX_NAME_LENGTH, REDACTED, is_credential, is_personal
from dashlight.records import Cell

_MOST_REMEMBERED = 1 << 14
"""Characters of the names of one event of which is remembered what is replaced."""
_MOST_PLAIN = 64
"""Rows of different names of which that is remembered; of more all are forgotten."""
_MAX_NESTING = 32
_NUMBERS = frozenset({int, float})
_LARGEST = 10**30
_MAX_COPIED = 1 << 12
"""Lists and objects of the cells that are copied without their credentials; what would be more is redacted as a whole."""


def redact(values: Mapping[str, Cell], *, also: Sequence[str] = (), key: HashKey | None = None) -> dict[str, Cell]:
    """*values* as they may leave in an event: credentials and personal particulars replaced, at every depth.

    By their names, and by what is found in texts, in names and in whole numbers of twelve digits and more.

    Args:
        values: Values by column name.
        also: Globs of further names to replace, as DASHLIGHT_REDACT lists them.
        key: That of DASHLIGHT_HASH_KEY: its hash replaces what is no credential, so that it can be followed.
    """
    return Redaction(also, key).row(dict(values))


def _are_harmless(cells: Iterable[Cell]) -> bool:
    """Whether all of *cells* may leave under names that hide nothing, as nearly all rows may; False where it takes a closer look."""
    texts: list[str] = []
    low, high = -LONG_NUMBER, LONG_NUMBER
    for cell in cells:
        if isinstance(cell, float):
            if not low < cell < high:
                return False
        elif isinstance(cell, str):
            texts.append(cell)
        elif not (cell is None or isinstance(cell, bool)) and not (isinstance(cell, int) and low < cell < high):
            return False
    return hold_nothing(texts)


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


class Redaction:
    """Replaces what may not leave, as `redact` does it; for whoever has many rows of the same names."""

    def __init__(self, also: Sequence[str], key: HashKey | None) -> None:
        self._also = also
        self._key = key
        self._plain: dict[tuple[str, ...], frozenset[str]] = {}

    def row(self, cells: dict[str, Cell]) -> dict[str, Cell]:
        """*cells*, by name, as they may leave; themselves where they all may."""
        names = tuple(cells)
        plain = self._plain.get(names)
        if plain is None:
            plain = self._plain_among(names)
        if len(plain) == len(names) and _are_harmless(cells.values()):
            return cells
        told: dict[str, Cell] = {}
        for name, cell in cells.items():
            if name in plain:
                told[name] = self.inside(name, cell, 0)
            else:
                told[self.name(name)] = self.value(name, cell, 0)
        return told

    def _plain_among(self, names: tuple[str, ...]) -> frozenset[str]:
        """Those of *names* that say nothing and hide nothing: the same ones come with every event."""
        found = frozenset(name for name in names if self.name(name) == name and not self.hides(name))
        if sum(map(len, names)) <= _MOST_REMEMBERED:
            if len(self._plain) >= _MOST_PLAIN:
                self._plain.clear()
            self._plain[names] = found
        return found

    def name(self, name: str) -> str:
        """*name*, which some client may have made up."""
        return cleaned(name, self._replacement) if len(name) <= MAX_NAME_LENGTH else REDACTED

    def value(self, name: str, value: object, depth: int) -> object:
        """What may leave of the *value* under *name*."""
        if value is None:
            return None
        if depth > _MAX_NESTING or is_credential(name):
            return REDACTED
        if self.hides(name):
            return self._replacement(value) if isinstance(value, str) else REDACTED
        return self.inside(name, value, depth)

    def hides(self, name: str) -> bool:
        """Whether nothing that stands under *name* may leave."""
        return is_credential(name) or is_personal(name) or any(fnmatchcase(name, glob) for glob in self._also)

    def inside(self, name: str, value: object, depth: int) -> object:
        """What may leave of the *value* under a *name* that hides nothing by itself."""
        if isinstance(value, str):
            return cleaned(value, self._replacement)
        if is_object(value):
            return {self.name(key): self.value(key, child, depth + 1) for key, child in value.items()}
        if is_list(value):
            return [self.value(name, child, depth + 1) for child in value]
        if type(value) in _NUMBERS and is_long_number(cast("float", value)):
            # Python refuses to write the largest ones.
            return self._replacement(str(value)) if abs(cast("float", value)) < _LARGEST else REDACTED
        return value

    def _replacement(self, text: str) -> str:
        return REDACTED if self._key is None else self._key.hash(text)


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
