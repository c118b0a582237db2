"""Fixed thresholds: `failure_rate>2% for 5m, latency_p99>300ms for 5m`, and when they are crossed. Pure.

A rule fires once its quantity has been beyond the threshold for the whole of its time, and resolves once it has been
well inside again (below 0.8 of the threshold, or above 1.25 of a lower one) for as long. The floors of DEFAULT need no
learning: they watch from the first minute, and stand outside the budget of false alarms.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashlight import units
from dashlight.errors import SettingsError

VARIABLE = "DASHLIGHT_THRESHOLDS"
DEFAULT, NONE = "default", "none"
FLOOR_FAILURE_RATE, FLOOR_REFUSAL_RATE, FLOOR_EXCHANGES = 0.2, 0.5, 20
DEFAULT_TEXT = (
    f"failure_rate>20% over {FLOOR_EXCHANGES} exchanges for 6 panes, "
    f"refusal_rate>50% over {FLOOR_EXCHANGES} exchanges for 30 panes, "
    "unanswered>19 for 60s"
)
"""The floors. A refusal is a 400, 413, 415 or 422; `unanswered` are requests of a process that waits for its first answer."""
UNDECODABLE_FLOOR = f"undecodable_rate>50% over {FLOOR_EXCHANGES} exchanges for 30 panes"
"""A floor that watches an endpoint only once most of its bodies were readable: one whose bodies never are is told of once."""
RATES = ("failure_rate", "refusal_rate", "missing_rate", "undecodable_rate")
ALIASES = {"error_rate": "failure_rate"}
QUANTILES = ("p50", "p90", "p95", "p99")
LATENCIES = tuple(f"{kind}_{quantile}" for kind in ("latency", "first_byte") for quantile in QUANTILES)
OF_PROCESS = ("in_flight", "unanswered")
"""Quantities of whole processes, whichever the endpoint."""
QUANTITIES = (*RATES, *LATENCIES, "throughput", *OF_PROCESS)
RESOLVES_BELOW, RESOLVES_ABOVE = 0.8, 1.25

_WITH_PATTERN = {"failure_rate", "refusal_rate", "missing_rate"}
_OVER_EXCHANGES = {"failure_rate", "refusal_rate", "undecodable_rate"}
_ENTRY = re.compile(
    r"(?P<quantity>[a-z_0-9]+)\s*(?:\[(?P<pattern>[^\[\]]+)\])?\s*(?P<sign>[<>])\s*(?P<threshold>.+?)"
    r"(?:\s+over\s+(?P<least>\d{1,9})\s+exchanges)?(?:\s+for\s+(?P<time>.+))?"
)
_PANES = re.compile(r"(\d{1,9}) +panes?")
_PER = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Rule:
    """One threshold that the operator set."""

    text: str
    """As it was written, but for the spaces."""
    quantity: str
    """One of QUANTITIES."""
    pattern: str
    """A glob: of the kinds of failure or refusal that count, or of the columns; `*` for all."""
    is_upper: bool
    """Whether it is crossed upwards."""
    threshold: float
    """A share, seconds, exchanges a second or a number of exchanges."""
    hold_seconds: float
    """For how long it must be crossed, and then be well inside again."""
    least_exchanges: int = 0
    """It is judged over the last so many exchanges where its time holds fewer, and not at all before so many came."""

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


def limits_of(text: str, *, pane_seconds: float) -> tuple[Rule, ...]:
    """The rules of DASHLIGHT_THRESHOLDS: the floors of DEFAULT_TEXT unless *text* names NONE, and the operator's own.

    Raises:
        SettingsError: as parse_rules; or both words are there.
    """
    entries = [entry.strip() for entry in text.split(",")]
    if DEFAULT in entries and NONE in entries:
        raise SettingsError(VARIABLE, text, f"either {DEFAULT} or {NONE}")
    own = ",".join(entry for entry in entries if entry not in {DEFAULT, NONE})
    floors = "" if NONE in entries else DEFAULT_TEXT
    return parse_rules(f"{floors},{own}", pane_seconds=pane_seconds)


def is_floor(rule: Rule) -> bool:
    """Whether *rule* is one of DEFAULT_TEXT."""
    return rule.text in DEFAULT_TEXT.split(", ")


def rules_of_endpoint(rules: Sequence[Rule], *, pane_seconds: float) -> tuple[Rule, ...]:
    """*rules*, and UNDECODABLE_FLOOR where the floors are among them."""
    also = parse_rules(UNDECODABLE_FLOOR, pane_seconds=pane_seconds) if any(map(is_floor, rules)) else ()
    return tuple(dict.fromkeys((*rules, *also)))


def parse_rules(text: str, *, pane_seconds: float = 10.0) -> tuple[Rule, ...]:
    """The rules in *text*, separated by commas; none where it is blank. The same one twice counts once.

    *pane_seconds* is the length of a pane, in which a rule may give its time.

    Raises:
        SettingsError: a rule cannot be read; says which, and what was wanted in its place.
    """
    entries = [entry.strip() for entry in text.split(",")]
    return tuple(dict.fromkeys(_rule(entry, pane_seconds) for entry in entries if entry))


def _rule(entry: str, pane_seconds: float) -> Rule:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        wanted = f"QUANTITY>THRESHOLD or QUANTITY<THRESHOLD, then perhaps `for DURATION`; or {DEFAULT} or {NONE}"
        raise SettingsError(VARIABLE, entry, wanted)
    quantity, pattern = ALIASES.get(found["quantity"], found["quantity"]), found["pattern"]
    if quantity not in QUANTITIES:
        raise SettingsError(VARIABLE, entry, f"one of {', '.join(QUANTITIES)}")
    if pattern is not None and quantity not in _WITH_PATTERN:
        wanted = f"no [{pattern}]: only failure_rate, refusal_rate and missing_rate take a pattern"
        raise SettingsError(VARIABLE, entry, wanted)
    if found["least"] and quantity not in _OVER_EXCHANGES:
        raise SettingsError(VARIABLE, entry, "no number of exchanges: only rates of exchanges are judged over them")
    read, wanted = _reader(quantity)
    threshold, is_upper = _read(entry, read, found["threshold"], wanted), found["sign"] == ">"
    if (is_upper and quantity in RATES and threshold >= 1) or (not is_upper and threshold <= 0):
        raise SettingsError(VARIABLE, entry, "a threshold that can be crossed")
    panes = _PANES.fullmatch((found["time"] or "").strip())
    if panes:
        hold_seconds = int(panes[1]) * pane_seconds
    else:
        hold_seconds = _read(entry, units.seconds, found["time"] or "0s", "a time such as 5m or 6 panes after `for`")
    return Rule(
        text=_canonical(found),
        quantity=quantity,
        pattern=(pattern or "*").strip(),
        is_upper=is_upper,
        threshold=threshold,
        hold_seconds=hold_seconds,
        least_exchanges=int(found["least"] or 0),
    )


def _canonical(found: "re.Match[str]") -> str:
    pattern = f"[{found['pattern'].strip()}]" if found["pattern"] else ""
    least = f" over {int(found['least'])} exchanges" if found["least"] else ""
    time = f" for {found['time'].strip()}" if found["time"] else ""
    return f"{found['quantity']}{pattern}{found['sign']}{''.join(found['threshold'].split())}{least}{time}"


def _reader(quantity: str) -> tuple[Callable[[str], float], str]:
    """How the threshold of *quantity* is read, and what it should look like."""
    if quantity in RATES:
        return units.share, f"{quantity} as a share such as 2% or 0.02"
    if quantity in LATENCIES:
        return units.seconds, f"{quantity} as a time such as 300ms or 1.5s"
    if quantity == "throughput":
        return _per_second, "throughput as a number of exchanges such as 1/s, 30/m or 100/h"
    return _count, f"{quantity} as a number of exchanges such as 50"


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
