"""Numbers as people write them: with a point or a comma, in groups, with currency or percent, negative in brackets."""

import math
import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.window.columns import DecimalMark

_BLANK = "[ \u00a0\u2009\u202f]"
_APOSTROPHE = "['\u2019]"
_SIGN = "[-+\u2212]"
_POWER = "(?:[eE][-+]?[0-9]{1,3})?"
CURRENCY: Final = (
    "(?:(?:US|CA|AU|NZ|HK|SG|MX|[ACRS])?\\$|[\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9\u20ba\u20aa\u0e3f\u20ab\u20b4\u20a6]"
    "|USD|EUR|GBP|CHF|JPY|CNY|RMB|INR|SEK|NOK|DKK|PLN|CZK|HUF|CAD|AUD|NZD|BRL|MXN|ZAR|RUB|TRY|KRW|SGD|HKD"
    "|kr\\.?|Fr\\.|Rs\\.?|z[\u0142l]|K\u010d|Ft)"
)
PERCENT: Final = "%"


def _groups(mark: str) -> str:
    return f"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+"


# A leading 0 is that of a fraction, else the text is a code.
_WHOLE = "(?:0|[1-9][0-9]{0,14})"
_BLANK_GROUPS = f"{_groups(_BLANK)}|{_groups(_APOSTROPHE)}"
_LAKHS = "[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"
_POINT_DIGITS = (
    rf"(?:{_groups(',')}|{_LAKHS}|{_BLANK_GROUPS})(?:\.[0-9]*)?|{_WHOLE}(?:\.[0-9]*)?{_POWER}|\.[0-9]+{_POWER}"
    r"|[1-9][0-9]{15,30}\.[0-9]+"
)
_COMMA_DIGITS = rf"(?:{_groups('[.]')}|{_BLANK_GROUPS})(?:,[0-9]+)?|{_WHOLE}(?:,[0-9]+)?{_POWER}|,[0-9]+{_POWER}"


def _written(digits: str) -> str:
    """The pattern of a number of these *digits*, with its sign or brackets, its currency or percent sign."""
    unit = f"(?:{_BLANK}?(?:{PERCENT}|{CURRENCY}))?"
    money = f"(?:{CURRENCY}{_BLANK}?)?"
    return (
        f"(?:({_SIGN}){_BLANK}?{money}|{money}({_SIGN})?{_BLANK}?)({digits}){unit}"
        rf"|{money}\({_BLANK}?{money}({digits}){unit}{_BLANK}?\){unit}"
    )


WHOLE: Final = _written(f"{_WHOLE}{_POWER}|{_BLANK_GROUPS}")
"""No mark that may be a decimal one. Groups of these patterns: 1 or 2 the sign, 3 the digits; 4 those in brackets, below 0."""
OPEN_COMMA: Final = _written("[1-9][0-9]{0,2},[0-9]{3}")
"""1,250: thousands or thousandths."""
OPEN_POINT: Final = _written(r"[1-9][0-9]{0,2}\.[0-9]{3}")
POINTED: Final = _written(_POINT_DIGITS)
"""What can be read with a decimal point; what is open too."""
COMMAED: Final = _written(_COMMA_DIGITS)
"""What can be read with a decimal comma."""
CODE: Final = f"{_SIGN}?(?:0[0-9]+(?:[.,][0-9]*)?|[1-9][0-9]{{15,}})"
"""007, 01234, and more digits than a number holds (15): no number."""
SIGNS: Final = "-+\u2212"
INFINITIES: Final = ("inf", "infinity", "\u221e")
INFINITE: Final = f"{_SIGN}?(?:[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|\u221e)"
"""No value, and no null: of wrong type, as a JSON body has none."""
NOT_DIGITS: Final = {".": r"[^0-9.eE+-]", ",": r"[^0-9,eE+-]"}
"""By the decimal mark: what to take out of the digits of a number (groups 3 and 4) that was read with it."""

MOST_CHARACTERS: Final = 100
"""No longer text is a number."""

_READ: Final = {".": re.compile(POINTED), ",": re.compile(COMMAED)}
_OTHER: Final[dict[DecimalMark, DecimalMark]] = {".": ",", ",": "."}
_REMOVED: Final = {mark: re.compile(pattern) for mark, pattern in NOT_DIGITS.items()}
_FRACTION = re.compile(
    rf"[-+]?(?:(?:0|[1-9][0-9]{{0,30}})\.[0-9]*{_POWER}|\.[0-9]+{_POWER}|(?:0|[1-9][0-9]{{0,14}}){_POWER})"
)
PLAIN: Final = re.compile("-?(?:0|[1-9][0-9]{0,14})([.][0-9]+)?")
"""As most programs write numbers; whole ones lack the group."""
_PLAIN: Final = {
    ".": PLAIN,
    ",": re.compile("-?(?:0|[1-9][0-9]{0,14})(?:,[0-9]+)?"),
}
AMOUNT: Final = re.compile(
    r"(-?)[$\u20ac\u00a3]?((?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{3,14})\.[0-9]+"
    r"|(?:0|[1-9][0-9]{0,14})\.(?:[0-9]{1,2}|[0-9]{4,}))"
)
"""Amounts as most write them, whose mark is beyond doubt: of the shape `point`. They need not be shown the long patterns."""
_BEGINNINGS = frozenset("0123456789+-.")
_PLAIN_CHARACTERS = b"0123456789+-.eE\n"
_CODE_IN_LINES = re.compile("\n[-+]?(?:0[0-9]|[0-9]{16})")
_MINUS = frozenset({"-", "\u2212"})


def number_in(bare: str, decimal: DecimalMark) -> float | None:
    """The number that *bare*, a text without outer blanks, writes; None where it writes none.

    Where it can be read with either mark, *decimal* is the decimal one. A percent is as many: `5 %` is 5.
    """
    if len(bare) > MOST_CHARACTERS:
        return None
    if _PLAIN[decimal].fullmatch(bare):
        return float(bare.replace(",", "."))
    amount = AMOUNT.fullmatch(bare)
    if amount is not None:
        return float(amount[1] + amount[2].replace(",", ""))
    mark = decimal
    found = _READ[mark].fullmatch(bare)
    if found is None:
        mark = _OTHER[decimal]
        found = _READ[mark].fullmatch(bare)
        if found is None:
            return None
    digits = _REMOVED[mark].sub("", found[3] or found[4]).replace(",", ".")
    number = float(digits)
    if math.isinf(number):
        return None
    is_negative = found[4] is not None or found[1] in _MINUS or found[2] in _MINUS
    return -number if is_negative else number


def plain_number(bare: str) -> int | float | None:
    """The number that *bare* writes as programs do, with a point and no groups, wherever it stands; None for any other text."""
    plain = PLAIN.fullmatch(bare)
    if plain is not None:
        return int(bare) if plain[1] is None else float(bare)
    if len(bare) > MOST_CHARACTERS or bare[:1] not in _BEGINNINGS or not _FRACTION.fullmatch(bare):
        return None
    number = float(bare)
    return None if math.isinf(number) else number


def plain_numbers(texts: Sequence[str]) -> NDArray[np.float64] | None:
    """The numbers that *texts* write, where all are as programs write them, with a point; None otherwise."""
    lines = "\n" + "\n".join(texts)
    if lines.encode(errors="replace").translate(None, _PLAIN_CHARACTERS) or _CODE_IN_LINES.search(lines):
        return None
    try:
        found = np.array(list(map(float, texts)), np.float64)
    except ValueError:  # `1e`, an empty one
        return None
    return found if np.isfinite(found).all() else None
