"""Sparse rows as libsvm writes them: a label, then `index:value` for each element that is not nought."""

from typing import Final

from dashlight.decode.formats.bodies import counted
from dashlight.decode.rows.budget import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, check_cells
from dashlight.decode.rows.reasons import undecodable

_MAX_INDEX_DIGITS = 9
_FIRST: Final = 1
"""Of the indices; a row that has 0 shows that they begin there."""


def read_libsvm(text: str) -> list[object]:
    """The rows of *text*, an object each with the index as key; what a row does not say is nought, as the format means.

    Labels are left out: in a request they mean nothing.

    Raises:
        DecodeError: empty_body, too_complex or invalid_body.
    """
    lines = text.rstrip().split("\n", MAX_ROWS)
    beyond = lines.pop().count("\n") + 1 if len(lines) > MAX_ROWS else 0
    rows: list[dict[int, float]] = []
    left = MAX_CELLS
    for line in lines:
        bare = line.partition("#")[0]
        if not bare.strip():
            continue
        row = _row(bare.split())
        left -= len(row)
        if left < 0:
            beyond += 1
        else:
            rows.append(row)
    if not rows:
        raise undecodable("empty_body")
    indices = sorted({index for row in rows for index in row})
    if indices and indices[-1] <= MAX_COLUMNS:
        # All between them too, so that a body in which one is nought everywhere has the columns of the others.
        indices = list(range(min(_FIRST, indices[0]), indices[-1] + 1))
    kept = indices[: MAX_COLUMNS + 1]
    most = MAX_CELLS // max(1, len(kept))
    check_cells(min(most, len(rows)) * len(kept), given=MAX_CELLS - left)
    names = [str(index) for index in kept]
    dense = [dict(zip(names, [row.get(index, 0.0) for index in kept], strict=True)) for row in rows[:most]]
    return counted(list(dense), beyond + len(rows) - len(dense))


def _row(words: list[str]) -> dict[int, float]:
    pairs = words[1:] if ":" not in words[0] else words
    row: dict[int, float] = {}
    for pair in pairs:
        index, _, value = pair.partition(":")
        try:
            row[int(index[: _MAX_INDEX_DIGITS + 1])] = float(value)
        except ValueError:
            raise undecodable("invalid_body", "a line that is no list of indices and values") from None
    return row
