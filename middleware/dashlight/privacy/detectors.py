"""What looks like somebody's particulars or like a key, wherever it stands in a text. Linear in the text.

A name of a person looks like any word: nothing here finds it. What is open (texts, categories) is therefore hidden by
where it stands, and these are for what may be told otherwise: labels of classes, names, texts of sampled events.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from functools import partial
from math import log2
from typing import Final, Literal, TypeAlias

Particular: TypeAlias = Literal["email", "card", "iban", "phone", "key", "token", "digits"]
Finding: TypeAlias = Callable[[str], Iterator[re.Match[str]]]
Substitution: TypeAlias = Callable[[Callable[[re.Match[str]], str], str], str]

LONG_DIGITS: Final = 9
"""Digits from which on a string of them is somebody's number: of an account, a passport, a social insurance."""
LONG_NUMBER: Final = 10.0**11
"""Whole numbers from this size on are taken for such a number too, where they stand alone."""

_MOST_DIGITS_OF_CARD, _FEWEST_DIGITS_OF_CARD = 19, 13
_IBAN_CHARACTERS = range(15, 35)
_LEAST_ENTROPY = 3.3
"""Bits a character: English has 4.1 of all its letters, and words of few; hexadecimal digits drawn at random near 4."""
_FEWEST_OF_A_KIND = 3
"""Letters, and digits, of a random string: a word with a number behind it has fewer."""

_MAY_HOLD = re.compile(r"[@%]|\d{4}|\d[ ()/.-]{1,3}\d|[A-Za-z0-9]{16}|eyJ|sk-|(?i:bearer)|-----BEGIN|xox|://")
"""In every text in which something is found: spares the others the rest."""
_MOST_HARMLESS, _SHORT = 4096, 32
_HARMLESS: set[str] = set()
"""Texts of so few characters in which nothing is found; about so many, of more all are forgotten."""
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_IBAN = re.compile(r"(?i)(?<![a-z0-9])[a-z]{2}\d{2}(?: ?[a-z0-9]){11,30}(?![a-z0-9])")
_DIGITS = re.compile(r"(?<![\d.,])\d(?:[ -]?\d){8,}(?![.,]?\d)")
_PHONE = re.compile(
    r"(?<![\w.-])(?:(?:\+|00)\d(?:[ ()/.-]{0,2}\d){6,14}"
    r"|\(?0\d{1,4}\)?(?:[ /.-]{1,3}\d{4,9}|(?:[ /.-]{1,3}\d{2,8}){2,4})|\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4})(?!\d)"
)
_TOKEN = re.compile(r"(?<![\w-])eyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?")
_KEY = re.compile(
    r"(?<![A-Za-z0-9_-])(?:(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}"
    r"|xox[a-z]-[A-Za-z0-9-]{8,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{16,}|npm_[A-Za-z0-9]{16,}|AIza[\w-]{30,}"
    r"|(?:AKIA|ASIA|AROA)[A-Z0-9]{12,}|(?i:bearer)[ \t]{1,8}[\w.~+/=-]{8,})"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----|://[^\s/@:]{0,64}:[^\s/@]{1,128}@"
)
_PERSON = re.compile(r"(?<!['.\w-])[\d_'.-]*[^\W\d_]['.\w-]* {1,3}[A-Z\u00c0-\u00de][a-z\u00df-\u00ff]")
_RANDOM = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{20,}")


def found_in(text: str) -> Particular | None:
    """What kind of particular or key stands anywhere in *text*; None where nothing looks like one."""
    if not _MAY_HOLD.search(text):
        return None
    return next((kind for kind, find, _, is_one in _DETECTORS if any(map(is_one, find(text)))), None)


def cleaned(text: str, replacement: Callable[[str], str]) -> str:
    """*text* with *replacement* of whatever `found_in` finds in it."""
    if not _MAY_HOLD.search(text):
        return text
    for _, _, substitute, is_one in _DETECTORS:
        text = substitute(partial(_replaced, is_one, replacement), text)
    return text


def hold_nothing(texts: Collection[str]) -> bool:
    """Whether `cleaned` leaves every one of *texts* as it is, at a glance: False where it may not.

    Categories come again and again: short texts are remembered, if nothing is found in them.
    """
    if _HARMLESS.issuperset(texts):
        return True
    if any(map(_MAY_HOLD.search, texts)):
        return False
    if len(_HARMLESS) > _MOST_HARMLESS:
        _HARMLESS.clear()
    _HARMLESS.update(text for text in texts if len(text) <= _SHORT)
    return True


def may_be_a_person(text: str) -> bool:
    """Whether *text* reads like the name of somebody: words of which a later one begins with a capital."""
    return _PERSON.search(text) is not None


def is_long_number(number: float) -> bool:
    """Whether *number* may be that of a card or an account: a whole one of twelve digits and more."""
    return LONG_NUMBER <= abs(number) < float("inf") and (isinstance(number, int) or number.is_integer())


def _replaced(is_one: Callable[[re.Match[str]], bool], replacement: Callable[[str], str], match: re.Match[str]) -> str:
    return replacement(match[0]) if is_one(match) else match[0]


def _is_card(match: re.Match[str]) -> bool:
    digits = [int(character) for character in match[0] if character.isdigit()]
    if not _FEWEST_DIGITS_OF_CARD <= len(digits) <= _MOST_DIGITS_OF_CARD:
        return False
    doubled = [digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _is_iban(match: re.Match[str]) -> bool:
    """Whether its check digits are right, modulo 97 (ISO 13616); what follows it after a space may be another word."""
    words = match[0].upper().split(" ")
    for count in range(len(words), 0, -1):
        written = "".join(words[:count])
        if len(written) in _IBAN_CHARACTERS:
            number = "".join(str(int(character, 36)) for character in written[4:] + written[:4])
            if int(number) % 97 == 1:
                return True
    return False


def _is_random(match: re.Match[str]) -> bool:
    text = match[0]
    digits = sum(character.isdigit() for character in text)
    if min(digits, len(text) - digits) < _FEWEST_OF_A_KIND:
        return False
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * log2(share) for share in shares) >= _LEAST_ENTROPY


def _always(_: re.Match[str]) -> bool:
    return True


_DETECTORS: tuple[tuple[Particular, Finding, Substitution, Callable[[re.Match[str]], bool]], ...] = (
    ("email", _EMAIL.finditer, _EMAIL.sub, _always),
    ("token", _TOKEN.finditer, _TOKEN.sub, _always),
    ("key", _KEY.finditer, _KEY.sub, _always),
    ("iban", _IBAN.finditer, _IBAN.sub, _is_iban),
    ("card", _DIGITS.finditer, _DIGITS.sub, _is_card),
    ("phone", _PHONE.finditer, _PHONE.sub, _always),
    ("digits", _DIGITS.finditer, _DIGITS.sub, _always),
    ("key", _RANDOM.finditer, _RANDOM.sub, _is_random),
)
