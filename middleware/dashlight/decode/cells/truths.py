"""Truth values in words. 0 and 1 are numbers."""

from typing import Final

TRUTHS: Final = {"true": True, "false": False, "yes": True, "no": False, "y": True, "n": False, "t": True, "f": False}
"""Bare and in lower case."""
PAIRS: Final = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"))
"""A column writes one of them. `true` or `false` alone tells it; of the others both words, for a column of the letter
`f`, or of `no`, may hold other words tomorrow."""
