"""Which columns are learned at all: a reference that is made of more than there is memory for would be cut afterwards. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dashlight.records import Cell, Role, Table
from dashlight.window.reference.chunks import Chunk
from dashlight.window.tables import selected
from dashlight.window.values import is_listed

_PLAIN_BYTES: Final = 80_000
_WHOLE_BYTES: Final = 1_600_000
"""Of what may be a text or a vector: what is measured of it, and all of its dimensions together."""
_FEW_DISTINCT = 0.5
"""Share of different ones among words up to which they are categories rather than texts."""
_LOOKED_AT = 200
_ROLES: tuple[Role, ...] = ("output", "feature")


def within_memory(rows: Chunk, *, most_bytes: float) -> tuple[Chunk, int]:
    """*rows* with as many columns as a reference of *most_bytes* may have, about; how many were left out.

    Outputs come first, then the first columns of features.
    """
    kept, left_bytes, left_out = dict[Role, Table](), most_bytes, 0
    for role in _ROLES:
        table = rows.get(role)
        if table is None:
            continue
        names: list[str] = []
        sizes = [_PLAIN_BYTES] * len(table.number_names) + [_size_of(cells) for cells in table.cells]
        for name, size in zip((*table.number_names, *table.cell_names), sizes, strict=True):
            if size <= left_bytes:
                left_bytes -= size
                names.append(name)
            else:
                left_out += 1
        kept[role] = selected(table, names) if len(names) < len(sizes) else table
    return {role: kept[role] for role in rows if role in kept}, left_out


def _size_of(cells: Sequence[Cell]) -> int:
    some = [cell for cell in cells[:_LOOKED_AT] if cell is not None]
    texts = [cell for cell in some if isinstance(cell, str)]
    is_text = len(set(texts)) > _FEW_DISTINCT * max(len(texts), 1) and len(texts) > 1
    return _WHOLE_BYTES if is_text or any(map(is_listed, some)) else _PLAIN_BYTES
