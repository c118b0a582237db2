"""Which names hold credentials or personal particulars."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final

from dashlight.privacy.detectors import found_in, may_be_a_person

REDACTED: Final = "[redacted]"
"""Stands for what may not leave."""
MAX_NAME_LENGTH: Final = 200
"""Longer names are no columns, and are redacted unread: they would fill the caches."""

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


def is_tellable(name: str) -> bool:
    """Whether a *name* that came from outside may be shown: it is none of a person, and looks like no particular or key."""
    return len(name) <= MAX_NAME_LENGTH and _is_tellable(name)


def told_name(name: str) -> str:
    """*name*, of a model say, as it may be shown."""
    return name if is_tellable(name) else REDACTED


@lru_cache(maxsize=1024)
def told_agent(text: str) -> str:
    """What a client calls itself, as it may be shown."""
    return text if found_in(text) is None else REDACTED


def is_credential(name: str) -> bool:
    """Whether the value under *name* opens something or stands for a person: it never becomes a column."""
    return len(name) > MAX_NAME_LENGTH or _is_credential(name)


def is_personal(name: str) -> bool:
    """Whether the value under *name* tells who somebody is: its text leaves decode only as REDACTED.

    The last word of a name says what its value is: `email` and `user_email` are personal, `email_domain` is not.
    """
    return len(name) > MAX_NAME_LENGTH or _is_personal(name)


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


@lru_cache(maxsize=4096)
def _is_tellable(name: str) -> bool:
    return found_in(name) is None and not may_be_a_person(name)
