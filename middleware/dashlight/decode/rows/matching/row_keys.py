"""Keys by which a client finds its rows again: a name such as `key` that stands on both sides of an exchange."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from dashlight.decode.rows.answers import in_order
from dashlight.decode.rows.columns import Sheet
from dashlight.records import Cell

# Alone these may be features: the key of a piece of music. What the answer repeats is none.
_KEY: Final = re.compile(
    r"(?i)(?:\w{0,40}_)?(?:key|ref|reference|row|row_?(?:key|number|num|no)|index|idx|seq|sequence_?(?:number|num|no)"
    r"|record|ticket|case|transaction|invoice|correlation|file_?name|hash|(?:order|tracking|serial|case)_?(?:number|no))"
)

_MOST_REMEMBERED = 4096


def parted(features: Sheet, outputs: Sheet) -> tuple[Sheet, Sheet]:
    """Both without the keys that they share, and the outputs in the order of the features' keys.

    Names alone decide, so that a key is none of the columns whatever it says in one exchange.
    """
    asked, answered = dict(_keys_of(features.names)), dict(_keys_of(outputs.names))
    shared = [name for name in asked if name in answered]
    if not shared:
        return features, outputs
    given = _without(features, [asked[name] for name in shared])
    told = _without(outputs, [answered[name] for name in shared])
    first = shared[0]
    if not given.row_ids:
        given = replace(given, row_ids=_ids(features, asked[first]))
        told = in_order(replace(told, row_ids=_ids(outputs, answered[first])), given.row_ids)
    return given, told


def _keys_of(names: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    # Long ones are looked at anew, so that the cache stays small.
    return (_keys if sum(map(len, names)) <= _MOST_REMEMBERED else _keys.__wrapped__)(names)


@lru_cache(maxsize=512)
def _keys(names: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """What may be a key among columns of *names*: the last part of its name in lower case, and its place."""
    last = [(name.rpartition(".")[2], at) for at, name in enumerate(names)]
    return tuple((name.lower(), at) for name, at in last if _KEY.fullmatch(name))


def _without(sheet: Sheet, places: Sequence[int]) -> Sheet:
    names = [sheet.names[at] for at in places]
    kept = [at for at in range(len(sheet.names)) if at not in places]
    return replace(
        sheet,
        names=tuple(sheet.names[at] for at in kept),
        values=[tuple(row[at] for at in kept) for row in sheet.values],
        left_out={**sheet.left_out, **dict.fromkeys(names, "id")},
        ids={**sheet.ids, **{name: [row[at] for row in sheet.values] for name, at in zip(names, places, strict=True)}},
    )


def _ids(sheet: Sheet, at: int) -> tuple[Cell, ...]:
    ids = tuple(row[at] for row in sheet.values)
    return ids if all(isinstance(cell, str | int) for cell in ids) else ()
