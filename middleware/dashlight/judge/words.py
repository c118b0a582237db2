"""Numbers, shares and spans of time as an engineer writes them: `1,400`, `0.1 %`, `300 ms`. Pure."""

from collections.abc import Sequence
from math import floor, log10

SIGNIFICANT = 4
LONGEST_NAME = 60
NAMES_LISTED = 10
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def number(value: float) -> str:
    """*value* to four significant digits, whole digits all of them: 1400.2 is `1,400`, 0.02514 is `0.02514`."""
    if value == 0:
        return "0"
    magnitude = floor(log10(abs(value))) if abs(value) < float("inf") else SIGNIFICANT
    if not -SIGNIFICANT <= magnitude <= 2 * SIGNIFICANT:
        return f"{value:.3g}"
    decimals = max(SIGNIFICANT - 1 - magnitude, 0)
    return _trimmed(f"{value:,.{decimals}f}")


def told_apart(low: float, high: float) -> tuple[str, str]:
    """Two numbers, with as many digits as it takes to tell one from the other where they differ."""
    texts = number(low), number(high)
    for digits in (SIGNIFICANT + 2, 9, 12, 17):
        if texts[0] != texts[1] or low == high:
            break
        texts = f"{low:.{digits}g}", f"{high:.{digits}g}"
    return texts


def percent(share: float) -> str:
    """*share*, 0 to 1, in percent: `0 %`, `<0.1 %`, `2.5 %`, `21 %`."""
    parts = 100 * share
    if 0 < parts < 0.1:
        return "<0.1 %"
    return f"{_trimmed(f'{parts:.1f}')} %" if parts < 10 else f"{parts:.0f} %"


def span(seconds: float) -> str:
    """A span of time in its usual unit: `300 ms`, `2.5 s`, `10 min`, `36 h`, `30 d`."""
    if seconds < 1:
        return f"{number(seconds * 1000)} ms"
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size)
    return f"{number(seconds / size)} {unit}"


def printable(name: str) -> str:
    """*name*, which came from outside, on one line and not longer than 60 characters; in quotes where it is empty."""
    plain = "".join(character if character.isprintable() else "?" for character in name)
    if not plain.strip():  # nobody sees where it stands
        plain = f'"{plain}"'
    return plain if len(plain) <= LONGEST_NAME else f"{plain[: LONGEST_NAME - 3]}..."


def listed(names: Sequence[str], most: int = NAMES_LISTED) -> str:
    """*names*, which came from outside, between commas: the first ten, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(printable, names[:most])) + more


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
