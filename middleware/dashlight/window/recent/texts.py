"""What is kept of the texts of recent rows: what a break upstream shows by, and no text.

Of a value that may be told, or stands for none, the text itself; of any other its hash, and where the column does not
know it in what other way it is written; in a numeric column its shape, every digit a 9, every letter an a.
"""

from dashlight.privacy.detectors import found_in
from dashlight.privacy.hashing import is_hash, is_number
from dashlight.window.columns import ColumnReference
from dashlight.window.profile import spelling
from dashlight.window.recent.respelling import DECODINGS, Known
from dashlight.window.recent.stand_ins import FILLS, WORD_FILLS

_MARK = "|"
"""Between the hash of a value and how it is written."""
_MOST_REMEMBERED = 4096
_LONGEST_SHAPE = 32


class RecentTexts:
    """Writes the texts of one column; each distinct one is looked at once."""

    def __init__(self, column: ColumnReference) -> None:
        self._column = column
        self._known = Known(column)
        self._written: dict[str, str] = {}

    def write(self, text: str) -> str:
        """What is kept of *text*, which is cut as categories are."""
        written = self._written.get(text)
        if written is None:
            if len(self._written) >= _MOST_REMEMBERED:
                self._written.clear()
            written = self._written[text] = self._look(text)
        return written

    def _look(self, text: str) -> str:
        column, key = self._column, self._known.key
        if key is None or text in FILLS:
            return text
        if column.kind == "numeric":
            return f"{key.hash(text)}{_MARK}{shape_of(text)}"
        if text in self._known.values and not is_hash(text):
            return text
        held = key.hash(text)
        if held in self._known.values:
            return held
        if spelling(text) in WORD_FILLS or (column.shown and found_in(text) is None):
            return text
        for words, decode in DECODINGS:
            found = decode(self._known, text)
            if found is not None:
                return f"{held}{_MARK}{words}"
        return held


def hash_of(kept: str) -> str:
    """The hash of the value of which *kept* is kept, or the value itself where that is kept."""
    return kept.partition(_MARK)[0] if is_hash(kept) else kept


def how_written(kept: str) -> str:
    """In what way the value was written of which *kept* is kept: words of DECODINGS, a shape, or empty."""
    return kept.partition(_MARK)[2] if is_hash(kept) else ""


def shape_of(text: str) -> str:
    """*text* with a 9 for every digit and an a for every letter, but for those of a number: it still reads as one."""
    letters_stay = is_number(text)
    return "".join(
        "9" if character.isdigit() else "a" if character.isalpha() and not letters_stay else character
        for character in text[:_LONGEST_SHAPE]
    )
