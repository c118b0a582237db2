"""Values that stand for one that nobody had: numbers and words of everybody, and so nobody's."""

from typing import Final

FILLS: Final = frozenset(
    {"0", "-1", "2147483647", "-2147483648", "4294967295", "inf", "-inf"}
    | {sign + "9" * digits for sign in ("", "-") for digits in range(1, 7)}
)
"""Numbers that stand for a value that nobody had."""
WORD_FILLS: Final = FILLS | {
    "", "null", "none", "nan", "nil", "na", "n/a", "#n/a", "nat", "undefined", "unknown", "missing", "default", "-", "?",
    "not available", "unspecified", "1970-01-01", "1970-01-01t00:00:00z", "0001-01-01", "9999-12-31",
}  # fmt: skip
