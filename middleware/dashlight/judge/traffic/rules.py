"""Fixed thresholds: `error_rate>2% for 5m, latency_p99>300ms for 5m`, and when they are crossed. Pure.

A rule fires once its quantity has been beyond the threshold for the whole of its time, and resolves once it has been
well inside again (below 0.8 of the threshold, or above 1.25 of a lower one) for as long.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from dashlight import units
from dashlight.errors import SettingsError

VARIABLE = "DASHLIGHT_THRESHOLDS"
RATES = ("error_rate", "missing_rate", "undecodable_rate")
QUANTILES = ("p50", "p90", "p95", "p99")
LATENCIES = tuple(f"{kind}_{quantile}" for kind in ("latency", "first_byte") for quantile in QUANTILES)
QUANTITIES = (*RATES, *LATENCIES, "throughput", "in_flight")
RESOLVES_BELOW, RESOLVES_ABOVE = 0.8, 1.25

_WITH_PATTERN = {"error_rate", "missing_rate"}
_ENTRY = re.compile(
    r"(?P<quantity>[a-z_0-9]+)\s*(?:\[(?P<pattern>[^\[\]]+)\])?\s*(?P<sign>[<>])\s*(?P<threshold>.+?)(?:\s+for\s+(?P<time>.+))?"
)
_PER = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Rule:
    """One threshold that the operator set."""

    text: str
    """As it was written, but for the spaces."""
    quantity: str
    """One of QUANTITIES."""
    pattern: str
    """A glob: of the kinds of failure that count, or of the columns; `*` for all."""
    is_upper: bool
    """Whether it is crossed upwards."""
    threshold: float
    """A share, seconds, exchanges a second or a number of exchanges."""
    hold_seconds: float
    """For how long it must be crossed, and then be well inside again."""

    def crossed(self, value: float) -> bool:
        """Whether *value* is beyond the threshold."""
        return value > self.threshold if self.is_upper else value < self.threshold

    def recovered(self, value: float) -> bool:
        """Whether *value* is well inside again."""
        if self.is_upper:
            return value <= RESOLVES_BELOW * self.threshold
        enough = RESOLVES_ABOVE * self.threshold
        # No share is above 1: half of what is left must do.
        return value >= (min(enough, (1 + self.threshold) / 2) if self.quantity in RATES else enough)


def parse_rules(text: str) -> tuple[Rule, ...]:
    """The rules in *text*, separated by commas; none where it is blank. The same one twice counts once.

    Raises:
        SettingsError: a rule cannot be read; says which, and what was wanted in its place.
    """
    entries = [entry.strip() for entry in text.split(",")]
    return tuple(dict.fromkeys(_rule(entry) for entry in entries if entry))


def _rule(entry: str) -> Rule:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise SettingsError(VARIABLE, entry, "QUANTITY>THRESHOLD or QUANTITY<THRESHOLD, then perhaps `for DURATION`")
    quantity, pattern = found["quantity"], found["pattern"]
    if quantity not in QUANTITIES:
        raise SettingsError(VARIABLE, entry, f"one of {', '.join(QUANTITIES)}")
    if pattern is not None and quantity not in _WITH_PATTERN:
        raise SettingsError(VARIABLE, entry, f"no [{pattern}]: only error_rate and missing_rate take a pattern")
    read, wanted = _reader(quantity)
    threshold, is_upper = _read(entry, read, found["threshold"], wanted), found["sign"] == ">"
    if (is_upper and quantity in RATES and threshold >= 1) or (not is_upper and threshold <= 0):
        raise SettingsError(VARIABLE, entry, "a threshold that can be crossed")
    return Rule(
        text=_canonical(found),
        quantity=quantity,
        pattern=(pattern or "*").strip(),
        is_upper=is_upper,
        threshold=threshold,
        hold_seconds=_read(entry, units.seconds, found["time"] or "0s", "a time such as 5m after `for`"),
    )


def _canonical(found: "re.Match[str]") -> str:
    pattern = f"[{found['pattern'].strip()}]" if found["pattern"] else ""
    time = f" for {found['time'].strip()}" if found["time"] else ""
    return f"{found['quantity']}{pattern}{found['sign']}{''.join(found['threshold'].split())}{time}"


def _reader(quantity: str) -> tuple[Callable[[str], float], str]:
    """How the threshold of *quantity* is read, and what it should look like."""
    if quantity in RATES:
        return units.share, f"{quantity} as a share such as 2% or 0.02"
    if quantity in LATENCIES:
        return units.seconds, f"{quantity} as a time such as 300ms or 1.5s"
    if quantity == "throughput":
        return _per_second, "throughput as a number of exchanges such as 1/s, 30/m or 100/h"
    return _count, "in_flight as a number of exchanges such as 50"


def _read(entry: str, read: Callable[[str], float], text: str, wanted: str) -> float:
    try:
        return read(text)
    except ValueError:
        raise SettingsError(VARIABLE, entry, wanted) from None


def _per_second(text: str) -> float:
    count, slash, unit = text.partition("/")
    if not slash or unit.strip() not in _PER:
        raise ValueError(text)
    return _count(count) / _PER[unit.strip()]


def _count(text: str) -> float:
    if not re.fullmatch(r"\s*\d+(\.\d+)?\s*", text):
        raise ValueError(text)
    return float(text)
