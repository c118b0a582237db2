"""In what other way a value is written that a column knows: other case, padding, quotes, digits, character sets."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from dashlight.privacy.hashing import is_number
from dashlight.window.columns import ColumnReference, Profile
from dashlight.window.profile import spelling
from dashlight.window.values import number_text

Decoding: TypeAlias = Callable[["Known", str], str | None]

_MOST_ZEROS = 12
"""Digits to which a code may be filled up with zeros."""


class Known:
    """The values that *column* knows, in the clear or by their hashes: asked in the clear, it answers as it holds them."""

    def __init__(self, column: ColumnReference, profile: Profile | None = None) -> None:
        profile = profile or column.profile
        self.key = column.hash_key
        self.values = frozenset(column.categories) | column.known
        self.spellings: Mapping[str, str] = dict[str, str]() if profile is None else profile.spellings

    def value(self, text: str) -> str | None:
        """How *text* is held; None where it is not."""
        held = self._held(text)
        return held if held is not None and held in self.values else None

    def respelled(self, text: str) -> str | None:
        """How the value is held that *text* is another spelling of; None where there is none."""
        held = spelling(text)
        found = self.spellings.get(held)
        return found if found is not None or self.key is None else self.spellings.get(self.key.hash(held))

    def _held(self, text: str) -> str | None:
        if self.key is None or text in self.values:
            return text
        return self.key.hash(text)


def _cased(how: Callable[[str], str]) -> Decoding:
    def decoded(known: Known, text: str) -> str | None:
        found = known.respelled(text)
        if found is None:
            return None
        if known.key is None:
            return found if how(found) == text else None
        return found if how(text) == text == text.strip() else None

    return decoded


def _padded(known: Known, text: str) -> str | None:
    return known.value(text.strip())


def _spelled(known: Known, text: str) -> str | None:
    return known.respelled(text)


def _quoted(known: Known, text: str) -> str | None:
    inner = text.removeprefix("b")
    is_quoted = len(inner) > 1 and inner[0] in "'\"" and inner[-1] == inner[0]
    return known.value(inner[1:-1]) if is_quoted else None


def _renumbered(known: Known, text: str) -> str | None:
    """A code written with or without its decimals or leading zeros."""
    if not is_number(text):
        return None
    if known.key is None:
        number = float(text)
        return next((name for name in known.spellings.values() if is_number(name) and float(name) == number), None)
    return next((found for other in _written(text) if (found := known.value(other)) is not None), None)


def _written(text: str) -> Iterator[str]:
    """Other ways to write the number *text*."""
    plain = number_text(float(text))
    if plain is None:
        return
    yield plain
    yield f"{plain}.0"
    yield from (plain.zfill(digits) for digits in range(2, _MOST_ZEROS + 1) if len(plain) < digits)


def _mangled(known: Known, text: str) -> str | None:
    """UTF-8 that was read as Latin-1 or Windows-1252, or a text that was read so and no longer is."""
    for wrong in ("latin-1", "cp1252"):
        for write, read in ((wrong, "utf-8"), ("utf-8", wrong)):
            found = known.value(text.encode(write, "ignore").decode(read, "ignore"))
            if found is not None:
                return found
    return None


DECODINGS: Final[tuple[tuple[str, Decoding], ...]] = (
    ("lower-cased", _cased(str.lower)),
    ("upper-cased", _cased(str.upper)),
    ("padded with spaces", _padded),
    ("spelled otherwise", _spelled),
    ("wrapped in quotes", _quoted),
    ("written as another number", _renumbered),
    ("in another character set", _mangled),
)
"""Each in words and with what tells a value by it; the first that fits tells most."""
