"""What is unusual about the values of a sheet, in words."""

import math
from collections.abc import Iterator

from dashlight.decode.cells.numbers import plain_number
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.jsonvalue import NUMBER_TYPES, is_list


def cell_flags(sheet: Sheet) -> Iterator[str]:
    """Which of null, nonfinite, numeric_string, mixed_type and vector_column its columns are, in any order."""
    for at in range(len(sheet.names)):
        column = [row[at] for row in sheet.values]
        kinds = set(map(type, column))
        if type(None) in kinds:
            yield "null"
        if float in kinds and any(type(cell) is float and not math.isfinite(cell) for cell in column):
            yield "nonfinite"
        if str in kinds and any(isinstance(cell, str) and plain_number(cell) is not None for cell in column):
            yield "numeric_string"
        if len(kinds - NUMBER_TYPES) + (not kinds.isdisjoint({int, float})) > 1:
            yield "mixed_type"
        if list in kinds and any(is_list(cell) and NUMBER_TYPES.issuperset(map(type, cell)) for cell in column):
            yield "vector_column"
