"""Business numbers that the app tells by name, as they wait for the analysis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import inf, isfinite
from numbers import Real
from threading import Lock
from typing import Final, TypeAlias, cast

SignalValue: TypeAlias = float | bool | str

MOST_NAMES: Final = 64
MOST_WAITING: Final = 10_000
"""Values between two looks of the analysis, which come four times a second."""
MOST_CHARACTERS: Final = 64
"""Of a name, and of a category."""
UNREADABLE, TOO_MANY_NAMES, QUEUE_FULL = "unreadable", "too_many_names", "queue_full"


def checked(name: object, value: object) -> tuple[str, SignalValue]:
    """Name and value of a signal as they are kept; TypeError and ValueError for what no signal can be called, or be."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a signal is a str, not {type(name).__name__}")
    if not 0 < len(name) <= MOST_CHARACTERS or not name.isprintable() or name != name.strip():
        raise ValueError(f"the name of a signal has 1 to {MOST_CHARACTERS} printable characters: {name[:80]!r}")
    return name, _value_of(value)


def is_readable(value: SignalValue) -> bool:
    """Whether *value* says something: a finite number, a boolean, or a category of at most MOST_CHARACTERS."""
    if isinstance(value, str):
        return 0 < len(value) <= MOST_CHARACTERS and value.isprintable()
    return isinstance(value, bool) or isfinite(value)


class Signals:
    """The last values of each signal of this process; from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._names: set[str] = set()
        self._waiting: dict[str, list[SignalValue]] = {}
        self._waiting_count = 0
        self._lost: Counter[str] = Counter()

    def add(self, name: str, value: SignalValue) -> bool:
        """Takes a value; False where it was not, which is counted: it says nothing, or there is no room."""
        with self._lock:
            reason = self._refusal(name, value)
            if reason:
                self._lost[reason] += 1
                return False
            self._names.add(name)
            self._waiting.setdefault(name, []).append(value)
            self._waiting_count += 1
        return True

    def take(self) -> Mapping[str, Sequence[SignalValue]]:
        """What has come since this was last asked, by name, in order."""
        with self._lock:
            taken, self._waiting, self._waiting_count = self._waiting, {}, 0
        return taken

    @property
    def lost(self) -> Mapping[str, int]:
        """How many values were lost, by reason, since the start."""
        with self._lock:
            return dict(self._lost)

    def _refusal(self, name: str, value: SignalValue) -> str:
        if not is_readable(value):
            return UNREADABLE
        if name not in self._names and len(self._names) >= MOST_NAMES:
            return TOO_MANY_NAMES
        return QUEUE_FULL if self._waiting_count >= MOST_WAITING else ""


def _value_of(value: object) -> SignalValue:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, Real | Decimal):
        try:
            return float(value)
        except OverflowError:  # an int or a Fraction that no float can hold
            return inf
    kind = getattr(getattr(value, "dtype", None), "kind", "")  # numbers of NumPy's that Python does not count as such
    if kind and kind in "biuf" and getattr(value, "shape", None) == ():
        return bool(value) if kind == "b" else float(cast("float", value))
    raise TypeError(f"the value of a signal is a number, a bool or a str, not {type(value).__name__}")
