"""Names of OpenTelemetry -> names of Prometheus, so that no two become one.

Source: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import blake2s
from typing import Literal, TypeAlias

FamilyKind: TypeAlias = Literal["counter", "gauge", "histogram"]

_UNITS = {"s": "seconds", "ms": "milliseconds", "By": "bytes", "1": "ratio", "": ""}
_FOREIGN = re.compile(r"[^a-zA-Z0-9_:]+")
_FOREIGN_IN_LABEL = re.compile(r"[^a-zA-Z0-9_]+")
_REPEATED = re.compile(r"__+")
_SAMPLES: dict[FamilyKind, tuple[str, ...]] = {
    # Both with and without what it adds, since a name must not mean one thing here and another there.
    "counter": ("", "_total", "_created"),
    "gauge": ("",),
    "histogram": ("", "_bucket", "_count", "_sum", "_created"),
}


@dataclass(frozen=True, slots=True)
class NamedInstrument:
    """What tells one instrument from another."""

    name: str
    kind: FamilyKind
    unit: str


@dataclass(frozen=True, slots=True)
class FamilyName:
    """Of a family of series, without the `_total` of a counter; it ends with *unit* where there is one."""

    name: str
    unit: str


def family_names(instruments: Iterable[NamedInstrument]) -> dict[NamedInstrument, FamilyName]:
    """A name for each instrument; of those that would share a name all but the first in the alphabet carry a hash."""
    found: dict[NamedInstrument, FamilyName] = {}
    taken: set[str] = set()
    for instrument in sorted(set(instruments), key=lambda each: (each.name, each.kind, each.unit)):
        named = _family_name(instrument, "")
        if taken & _samples(named, instrument.kind):
            named = _family_name(instrument, f"_{_digest(f'{instrument.name} {instrument.kind} {instrument.unit}')}")
        taken |= _samples(named, instrument.kind)
        found[instrument] = named
    return found


def label_names(keys: Iterable[str], *, reserved: Collection[str] = ()) -> dict[str, str]:
    """A label for each key of attributes; of those that would share one, or take a *reserved* one, a hash tells apart."""
    found: dict[str, str] = {}
    taken = set(reserved)
    for key in sorted(set(keys)):
        name = _mangled(key, _FOREIGN_IN_LABEL)
        found[key] = name if name not in taken else f"{name.rstrip('_')}_{_digest(key)}"
        taken.add(found[key])
    return found


def _family_name(instrument: NamedInstrument, mark: str) -> FamilyName:
    stem = _mangled(instrument.name, _FOREIGN)
    # Words in braces say what is counted, which is no unit.
    unit = _UNITS.get(instrument.unit, _FOREIGN.sub("_", re.sub(r"\{[^}]*\}", "", instrument.unit)).strip("_"))
    if unit == "ratio" and instrument.kind == "counter":
        unit = ""
    if instrument.kind == "counter":
        stem = stem.removesuffix("_total")
    if unit:
        stem = stem.removesuffix(f"_{unit}")
    return FamilyName(f"{stem}{mark}_{unit}" if unit else f"{stem}{mark}", unit)


def _mangled(name: str, foreign: re.Pattern[str]) -> str:
    plain = _REPEATED.sub("_", foreign.sub("_", name))
    return f"_{plain}" if not plain or plain[0].isdigit() else plain


def _samples(named: FamilyName, kind: FamilyKind) -> set[str]:
    return {named.name + ending for ending in _SAMPLES[kind]}


def _digest(text: str) -> str:
    return blake2s(text.encode(errors="surrogatepass"), digest_size=4).hexdigest()
