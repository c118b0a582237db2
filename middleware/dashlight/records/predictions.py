"""Predictions: what exchanges decoded to, in rows of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:  # numpy loads when the Monitor starts, not with the front door
    import numpy as np
    from numpy.typing import NDArray

Role: TypeAlias = Literal["feature", "output"]
Kind: TypeAlias = Literal["numeric", "categorical", "boolean", "text", "vector", "image", "ranking", "forecast"]
Cell: TypeAlias = object
"""A decoded value that is not a plain number: str, bool, None, bytes, list or dict."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows of named columns, kept by column: numbers in one array, everything else in lists.

    A column is in *numbers* when every value of it in this batch is an int, a float or null (no bool);
    else it is in *cells*. No name occurs twice.
    """

    rows: int
    number_names: tuple[str, ...]
    numbers: NDArray[np.float64]
    """Shape (len(number_names), rows); NaN where the value is null or missing."""
    cell_names: tuple[str, ...]
    cells: tuple[Sequence[Cell], ...]
    """One sequence of *rows* values for each of cell_names; None where null or missing."""
    exchange: NDArray[np.intp]
    """Shape (rows,): the place, in the batch that was decoded, of the exchange each row came from."""
    is_sparse: bool = False
    """Whether rows leave out what is 0: a column that it lacks is 0 in each of them, not null."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What exchanges of one endpoint and one model decoded to: rows of features, rows of outputs.

    The two tables need not be of one length: a ranking of fifteen answers one row.
    """

    endpoint: str
    model: str
    version: str
    protocol: str
    features: Table
    outputs: Table

    @property
    def has_columns(self) -> bool:
        """Whether there is a row with a column: without one there is nothing to judge."""
        tables = (self.features, self.outputs)
        return any(table.rows and (table.number_names or table.cell_names) for table in tables)


@dataclass(frozen=True, slots=True)
class GenerationFacts:
    """What a language model was asked for and how it answered, without a word of what was said."""

    operation: str  # `chat`, `text_completion`, `embeddings`, or empty
    protocol: str
    requested_model: str
    answered_model: str
    response_id: str
    settings: Mapping[str, object]
    """Temperature and the like, under the names of the request."""
    input_tokens: int | None
    output_tokens: int | None
    approximate: tuple[Literal["input", "output"], ...]  # whose tokens we counted, roughly: the server did not
    finish: tuple[str, ...]  # why each choice ended, in the server's words
    tool_calls: int
    refusals: int
    is_streamed: bool
    cache_read_tokens: int | None = None
    """Of the input, read from the server's cache; None, as for the two that follow, where it did not say."""
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None  # of the output
