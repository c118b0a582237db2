"""A column that is written in another way: numbers as text, other case, codes, bytes, a broken character set. Pure."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from dashlight.judge.breaks.sight import Finding, Sight, is_number
from dashlight.judge.words import percent, printable
from dashlight.window.layout import UNSEEN
from dashlight.window.profile import NUMBER_TYPE, OTHER_TYPE, TEXT_TYPE, TRUTH_TYPE, spelling
from dashlight.window.recent import TEXT_CHARACTERS

LEAST_SHARE = 0.3
MOST_BEFORE = 0.1
_EXAMPLES = 3
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
        texts = [text for text in sight.texts[sight.types == TEXT_TYPE].tolist() if text is not None]
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
    return f"such as {_examples(texts)}"


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
    for words, decode in _DECODINGS:
        decoded = {text: found for text in examples if (found := decode(sight, text)) is not None}
        if sum(examples[text] for text in decoded) >= sight.least("encoding", 0.8) * len(unseen):
            now = next(text for text, _ in examples.most_common() if text in decoded)
            what = f"{sight.name} is {words}: {_shown(now)} was {_shown(decoded[now])}, in {percent(share)} of rows"
            return _finding(sight, what, f"{sight.name} in another spelling", before, share)
    if _most(unseen, is_number) and not any(map(is_number, known)):
        what = f"{sight.name} arrives as numbers ({_examples(unseen)}) in {percent(share)} of rows, not as words"
        return _finding(sight, what, f"{sight.name} as numbers", before, share)
    return None


def _finding(sight: Sight, what: str, event: str, before: float, share: float) -> Finding:
    look = f"; look at what encodes {sight.name} before the model is asked"
    return Finding("encoding", what + look, event, before, share, sight.nats(share, before))


def _known(sight: Sight, text: str) -> str | None:
    return text if text in sight.column.categories or text in sight.column.known else None


def _lowered(sight: Sight, text: str) -> str | None:
    return _respelled(sight, text, str.lower)


def _raised(sight: Sight, text: str) -> str | None:
    return _respelled(sight, text, str.upper)


def _respelled(sight: Sight, text: str, how: Callable[[str], str]) -> str | None:
    found = sight.profile.spellings.get(spelling(text))
    return found if found is not None and how(found) == text else None


def _padded(sight: Sight, text: str) -> str | None:
    return _known(sight, text.strip())


def _spelled(sight: Sight, text: str) -> str | None:
    return sight.profile.spellings.get(spelling(text))


def _quoted(sight: Sight, text: str) -> str | None:
    inner = text.removeprefix("b")
    is_quoted = len(inner) > 1 and inner[0] in "'\"" and inner[-1] == inner[0]
    return _known(sight, inner[1:-1]) if is_quoted else None


def _renumbered(sight: Sight, text: str) -> str | None:
    """A code written with or without its decimals or leading zeros."""
    if not is_number(text):
        return None
    number = float(text)
    same = (name for name in sight.profile.spellings.values() if is_number(name) and float(name) == number)
    return next(same, None)


def _mangled(sight: Sight, text: str) -> str | None:
    """UTF-8 that was read as Latin-1 or Windows-1252, or a text that was read so and no longer is."""
    for wrong in ("latin-1", "cp1252"):
        for write, read in ((wrong, "utf-8"), ("utf-8", wrong)):
            found = _known(sight, text.encode(write, "ignore").decode(read, "ignore"))
            if found is not None:
                return found
    return None


_DECODINGS: tuple[tuple[str, Callable[[Sight, str], str | None]], ...] = (
    ("lower-cased", _lowered),
    ("upper-cased", _raised),
    ("padded with spaces", _padded),
    ("spelled otherwise", _spelled),
    ("wrapped in quotes", _quoted),
    ("written as another number", _renumbered),
    ("in another character set", _mangled),
)


def _most(texts: list[str], is_so: Callable[[str], bool]) -> bool:
    return bool(texts) and float(np.mean([is_so(text) for text in texts])) >= 0.9


def _examples(texts: list[str]) -> str:
    return ", ".join(_shown(text) for text, _ in Counter(texts).most_common(_EXAMPLES))


def _shown(text: str) -> str:
    return printable(text) if text.strip() in {text, ""} else f'"{printable(text)}"'
