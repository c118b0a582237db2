"""A column that is written in another way: numbers as text, other case, codes, bytes, a broken character set. Pure."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from dashlight.judge.breaks.sight import Finding, Sight
from dashlight.judge.words import percent, printable
from dashlight.privacy.detectors import found_in
from dashlight.privacy.hashing import is_hash, is_number
from dashlight.window.columns import ColumnReference
from dashlight.window.disclosure import is_told
from dashlight.window.layout import UNSEEN
from dashlight.window.profile import NUMBER_TYPE, OTHER_TYPE, TEXT_TYPE, TRUTH_TYPE
from dashlight.window.recent.respelling import DECODINGS, Decoding, Known
from dashlight.window.recent.texts import how_written
from dashlight.window.recent.values import TEXT_CHARACTERS

LEAST_SHARE = 0.3
MOST_BEFORE = 0.1
_TYPE_WORDS = {NUMBER_TYPE: "numbers", TRUTH_TYPE: "true and false", TEXT_TYPE: "text", OTHER_TYPE: "lists or objects"}


def recoded(sight: Sight) -> Finding | None:
    """The other way in which much of the column is written, where there is one."""
    kind = sight.column.kind
    expected = {"numeric": NUMBER_TYPE, "boolean": TRUTH_TYPE, "text": TEXT_TYPE}.get(kind)
    if expected is not None:
        return _other_type(sight, expected)
    return _other_spelling(sight) if kind == "categorical" else None


def _other_type(sight: Sight, expected: int) -> Finding | None:
    found = max((type_ for type_ in _TYPE_WORDS if type_ != expected), key=sight.share_of_type)
    share, before = sight.share_of_type(found), sight.profile.types[found]
    if share < sight.least("encoding", LEAST_SHARE) or before > MOST_BEFORE:
        return None
    words = _TYPE_WORDS[found]
    if found == TEXT_TYPE and sight.column.kind == "numeric":
        kept = [text for text in sight.texts[sight.types == TEXT_TYPE].tolist() if text is not None]
        texts = [how_written(text) or text for text in kept]
        words = f"text ({_number_words(texts)})"
    was = _TYPE_WORDS[expected]
    what = f"{sight.name} arrives as {words} in {percent(share)} of rows ({percent(before)} in the reference), not as {was}"
    return _finding(sight, what, f"{sight.name} as {_TYPE_WORDS[found]}", before, share)


def _number_words(texts: list[str]) -> str:
    """How *texts* differ from numbers."""
    if _most(texts, is_number):
        return "numbers in quotes"
    if _most(texts, lambda text: is_number(text.replace(".", "").replace(",", "."))):
        return "numbers with a decimal comma"
    if _most(texts, lambda text: is_number(text.strip(" %$€£").replace(",", ""))):
        return "numbers with a sign of their unit"
    return "none of it numbers"


def _other_spelling(sight: Sight) -> Finding | None:
    column = sight.column
    known = {name[:TEXT_CHARACTERS] for name in (*column.categories, *column.known)}
    texts = [text for text in sight.texts.tolist() if text is not None]
    unseen = [text for text in texts if text not in known]
    share, before = len(unseen) / sight.rows, float(column.counts[UNSEEN]) / max(column.rows, 1)
    before += column.single_block_rows / max(column.rows, 1)
    if share < sight.least("encoding", LEAST_SHARE) or before > MOST_BEFORE:
        return None
    examples = Counter(unseen)
    values = Known(column, sight.profile)
    for words, decode in DECODINGS:
        decoded = {text: _decoded(values, text, words, decode) for text in examples}
        found = [text for text, _ in examples.most_common() if decoded[text] is not None]
        if found and sum(examples[text] for text in found) >= sight.least("encoding", 0.8) * len(unseen):
            pair = _pair(column, found[0], decoded[found[0]])
            what = f"{sight.name} is {words}{pair} in {percent(share)} of rows"
            return _finding(sight, what, f"{sight.name} in another spelling", before, share)
    if _most(unseen, is_number) and not any(map(is_number, known)):
        what = f"{sight.name} arrives as numbers in {percent(share)} of rows, not as words"
        return _finding(sight, what, f"{sight.name} as numbers", before, share)
    return None


def _decoded(values: Known, text: str, words: str, decode: Decoding) -> str | None:
    """The known value that *text* is in another spelling; its hash tells by itself whether it is one."""
    if is_hash(text):
        return text if how_written(text) == words else None
    return decode(values, text)


def _pair(column: ColumnReference, now: str, was: str | None) -> str:
    """What a value is written as and was, where both may be told."""
    if was not in column.categories or not is_told(column, column.categories.index(was)):
        return ""
    return f": {_shown(now)} was {_shown(was)}," if found_in(now) is None else ""


def _finding(sight: Sight, what: str, event: str, before: float, share: float) -> Finding:
    look = f"; look at what encodes {sight.name} before the model is asked"
    return Finding("encoding", what + look, event, before, share, sight.nats(share, before))


def _most(texts: list[str], is_so: Callable[[str], bool]) -> bool:
    return bool(texts) and float(np.mean([is_so(text) for text in texts])) >= 0.9


def _shown(text: str) -> str:
    return printable(text) if text.strip() in {text, ""} else f'"{printable(text)}"'
