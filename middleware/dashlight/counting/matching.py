"""Which columns of traffic are those of a reference under another name: spelled otherwise, or without a name of their own."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dashlight.decode.cells.known_columns import as_known, known_columns
from dashlight.judge.words import listed, printable
from dashlight.privacy.names import is_tellable
from dashlight.records import Cell, Prediction, Table
from dashlight.window.columns import ColumnReference, Reference, columns_of
from dashlight.window.disclosure import knows
from dashlight.window.tables import renamed
from dashlight.window.values import text_of

AGREEING_SHARE = 0.9
"""Of the values of a column: as many must lie within the reference's range, or be categories that it knows."""
ROOM = 0.5
"""Of the width of that range, on either side: traffic may have drifted already."""

_UNNAMED = re.compile(r"(?P<stem>[^\[\]]{0,200})\[(?P<place>[0-9]{1,4})\]|(?P<bare>[0-9]{1,4})")
_PAIRS_SHOWN = 3
_MATCHES_KEPT = 64
"""Sets of names whose match is remembered: a client that invents names must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Match:
    """What the columns of some traffic are called in a reference."""

    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of traffic -> of the reference, where they differ."""
    is_by_position: bool = False
    missing: tuple[str, ...] = ()
    """Features of the reference that traffic lacks."""
    extra: tuple[str, ...] = ()
    """Columns of traffic that the reference does not know."""
    outputs: Mapping[str, str] = field(default_factory=dict[str, str])
    """As *names*, of outputs, which are matched by spelling alone."""

    def renamed(self, prediction: Prediction) -> Prediction:
        """*prediction* with the names of the reference."""
        if not self.names and not self.outputs:
            return prediction
        return Prediction(
            prediction.endpoint,
            prediction.model,
            prediction.version,
            prediction.protocol,
            renamed(prediction.features, self.names),
            renamed(prediction.outputs, self.outputs),
        )

    def warning(self) -> str:
        """What was taken for what, and what was not, in a sentence or two; empty where no other name was found."""
        if not self.names and not self.outputs:
            return ""
        pairs = [f"{old} = {new}" for old, new in (*self.names.items(), *self.outputs.items())]
        if self.is_by_position:
            said = f"unnamed features are taken for those of the reference in its order: {listed(pairs)}."
        else:
            said = f"columns are taken for those of the reference of a similar name: {listed(pairs)}."
        return f"{said} {self.lacking()}".strip()

    def lacking(self) -> str:
        """What either side lacks, and what to type where some of it is the same; empty where one lacks nothing."""
        if not self.missing or not self.extra:
            return ""
        typed = ",".join(f"{printable(old)}={printable(new)}" for old, new in _suggested(self.extra, self.missing))
        return (
            f"The reference has features that requests lack: {listed(self.missing)}."
            f" Requests have features that it does not know: {listed(self.extra)}."
            f" If some are the same, name them: DASHLIGHT_COLUMNS={typed}"
        )


def match(reference: Reference, features: Table, outputs: Table | None = None) -> Match:
    """What the columns of *features* and *outputs* are called in *reference*.

    Names may differ in case, separators and a prefix that all have. The elements of one vector are those of the
    reference in its order, where there are as many and the kind and range of each agree.
    """
    found = _match(reference, features)
    if outputs is None:
        return found
    known = [column.name for column in columns_of(reference, "output") if not column.of]
    names = [*outputs.number_names, *outputs.cell_names]
    lacking = [name for name in known if name not in names]
    return replace(found, outputs=_by_spelling([name for name in names if name not in known], lacking))


def _match(reference: Reference, table: Table) -> Match:
    columns = [column for column in columns_of(reference, "feature") if not column.of]
    known = [column.name for column in columns]
    names = [*table.number_names, *table.cell_names]
    missing = [name for name in known if name not in names]
    # What the reference does without is nothing else under another name.
    left_out = {each.name for each in reference.left_out if each.role == "feature"}
    extra = [name for name in names if name not in known and name not in left_out and is_tellable(name)]
    if not missing or not extra:
        return Match(missing=tuple(missing), extra=tuple(extra))
    found = _by_spelling(extra, missing)
    if found:
        return Match(
            found,
            missing=tuple(name for name in missing if name not in found.values()),
            extra=tuple(name for name in extra if name not in found),
        )
    places = _places(names)
    if places is not None and len(places) == len(known) == len(missing):
        positions = dict(zip(places, known, strict=True))
        if _agree(columns, as_known(renamed(table, positions), known_columns(columns))):
            return Match(positions, is_by_position=True)
    return Match(missing=tuple(missing), extra=tuple(extra if places is None else places))


def _by_spelling(extra: Sequence[str], missing: Sequence[str]) -> dict[str, str]:
    """Names of *extra* and of *missing* that are spelled alike; none where that is ambiguous."""
    best: dict[str, str] = {}
    for traffic in (list(extra), _without_prefix(extra)):
        for reference in (list(missing), _without_prefix(missing)):
            spelled = _unique(traffic, extra)
            wanted = _unique(reference, missing)
            found = {spelled[key]: wanted[key] for key in spelled if key in wanted}
            best = max(best, found, key=len)
    return best


def _unique(written: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The names by what all spellings of one share; those that share it with another are left out."""
    keys = [_spelling(name) for name in written]
    counts = Counter(keys)
    return {key: name for key, name in zip(keys, names, strict=True) if key and counts[key] == 1}


def _spelling(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.removesuffix("[0]")).casefold()


def _without_prefix(names: Sequence[str]) -> list[str]:
    """*names* without the words that all of them begin with."""
    parts = [re.findall(r"[^\W_]+|[\W_]+", name) for name in names]
    shared = 0
    while len(names) > 1 and all(len(part) > shared + 1 and part[shared] == parts[0][shared] for part in parts):
        shared += 1
    if len(names) == 1:
        return [name.rpartition(".")[2] for name in names]
    return ["".join(part[shared:]) for part in parts]


def _places(names: Sequence[str]) -> list[str] | None:
    """*names* in the order of their places, where they are the elements of one vector; None where they are not."""
    found = [_UNNAMED.fullmatch(name) for name in names]
    places: dict[int, str] = {}
    stems: set[str | None] = set()
    for name, each in zip(names, found, strict=True):
        if each is None:
            return None
        places[int(each["bare"] or each["place"])] = name
        stems.add(each["stem"])
    first = min(places, default=0)
    is_whole = len(places) == len(names) and first <= 1 and max(places, default=0) - first == len(names) - 1
    return [places[at] for at in sorted(places)] if is_whole and len(stems) == 1 else None


class Matching:
    """Under which names the columns of one model's traffic are those of the operator's reference."""

    def __init__(self) -> None:
        self._matches: dict[tuple[tuple[str, ...], tuple[str, ...]], Match] = {}
        self._is_told = False

    def of(self, given: Reference, prediction: Prediction) -> Match:
        """How the columns of *prediction* are called in *given*."""
        names = (names_of(prediction.features), names_of(prediction.outputs))
        if not any(names):
            return Match()
        found = self._matches.get(names)
        if found is None:
            if len(self._matches) >= _MATCHES_KEPT:
                self._matches.clear()
            found = self._matches[names] = match(given, prediction.features, prediction.outputs)
        return found

    def warning(self, found: Match) -> str:
        """What is to be told of the names that were *found*: once, empty from then on."""
        sentence = "" if self._is_told else found.warning()
        self._is_told = self._is_told or bool(sentence)
        return sentence


def _agree(columns: Sequence[ColumnReference], table: Table) -> bool:
    numbers = dict(zip(table.number_names, table.numbers, strict=True))
    cells = dict(zip(table.cell_names, table.cells, strict=True))
    for column in columns:
        if column.name in numbers:
            values = numbers[column.name][~np.isnan(numbers[column.name])]
            room = ROOM * (column.high - column.low) if column.kind == "numeric" else 0.0
            fits = (values >= column.low - room) & (values <= column.high + room)
            if column.kind != "numeric":
                fits = np.array([_is_known(column, value) for value in values.tolist()], np.bool_)
        else:
            told = [cell for cell in cells[column.name] if cell is not None]
            fits = np.array([column.kind != "numeric" and _is_known(column, cell) for cell in told], np.bool_)
        if fits.size and fits.mean() < AGREEING_SHARE:
            return False
    return table.rows > 0


def _is_known(column: ColumnReference, cell: Cell) -> bool:
    text = text_of(cell)
    if column.kind == "text":
        return isinstance(text, str)
    return knows(column, text)


def _suggested(extra: Sequence[str], missing: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs that may be the same: those that look alike first, else in their order."""
    left = list(missing)
    pairs: list[tuple[str, str]] = []
    for name in extra[:_PAIRS_SHOWN]:
        near = difflib.get_close_matches(name, left, n=1)
        other = near[0] if near else next(iter(left), "")
        if other:
            left.remove(other)
            pairs.append((name, other))
    return pairs


def fits(reference: Reference, prediction: Prediction) -> bool:
    """Whether *prediction* has half of the features of *reference*; of the outputs, where that holds no others.

    Half, because another endpoint may share a column with the model, and a client may leave some out.
    """
    features = columns_of(reference, "feature")
    # A facet comes of the column that it is measured of.
    known = {column.of or column.name for column in features or reference.columns}
    found = known.intersection(names_of(prediction.features if features else prediction.outputs))
    return 2 * len(found) >= len(known)


def names_of(table: Table) -> tuple[str, ...]:
    """The columns of *table*, numbers first."""
    return (*table.number_names, *table.cell_names)


def is_about(reference: Reference, prediction: Prediction) -> bool:
    """Whether *prediction* may be of the model of *reference*, by names: it `fits`, as they are matched, or has no features."""
    if not names_of(prediction.features):
        return True
    return fits(reference, match(reference, prediction.features, prediction.outputs).renamed(prediction))
