"""Training data in Parquet, read by batches of rows; needs the extra `parquet`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashlight.cli.progress import Report
from dashlight.cli.training import CHUNK_ROWS, MOMENTS_KEPT, Look, iso_moment
from dashlight.decode.cells.shapes import CellCounts
from dashlight.decode.formats.arrow_package import arrow_module, parquet_module
from dashlight.errors import MissingExtraError, ReferenceDataError
from dashlight.records import Cell, Table
from dashlight.window.columns import Writing
from dashlight.window.tables import Column, table_of_columns


class ParquetFile:
    """A Parquet file."""

    def __init__(self, path: Path, moments_kept: int = MOMENTS_KEPT) -> None:
        """Reads its schema; ReferenceDataError if it has none, MissingExtraError without pyarrow."""
        self._arrow, parquet = _pyarrow()
        self._path = path
        self._moments_kept = moments_kept
        try:
            self._file: Any = parquet.ParquetFile(path)
        except self._arrow.ArrowInvalid:
            raise ReferenceDataError("is not a Parquet file") from None
        schema = self._file.schema_arrow
        self._names: list[str] = list(schema.names)
        for name in self._names:
            if self._names.count(name) > 1:
                raise ReferenceDataError(f"has two columns of the name {name!r}")
        self._types: dict[str, Any] = {name: schema.field(name).type for name in self._names}

    @property
    def names(self) -> Sequence[str]:
        """Its columns."""
        return self._names

    @property
    def unusable(self) -> Collection[str]:
        """Columns of lists, structures and bytes."""
        return [name for name, type_ in self._types.items() if not self._is_usable(type_)]

    @property
    def moments_in(self) -> Collection[str]:
        """Columns of moments."""
        types = self._arrow.types
        return [name for name, type_ in self._types.items() if types.is_timestamp(type_) or types.is_date(type_)]

    @property
    def writings(self) -> Mapping[str, Writing]:
        """Moments are written as such in traffic that has no type for them."""
        return dict.fromkeys(self.moments_in, Writing("time"))

    @property
    def counts(self) -> Mapping[str, CellCounts]:
        """None: its texts are words."""
        return {}

    def look(self, names: Sequence[str], time: str | None, report: Report) -> Look:
        """Reads whether *time* ascends; the schema gives the types of the columns *names*."""
        del names
        report(1.0)
        if time is None:
            return Look(self._file.metadata.num_rows, None)
        moments = self.moments(time)
        backward = np.flatnonzero(moments[1:] < moments[:-1])
        backward_row = int(backward[0]) + 2 if len(backward) else None
        return Look(len(moments), backward_row, moments if len(moments) <= self._moments_kept else None)

    def tables(self, names: Sequence[str], report: Report) -> Iterator[Table]:
        """The columns *names*, some rows at a time."""
        total = max(self._file.metadata.num_rows, 1)
        done = 0
        for batch in self._batches(names):
            yield table_of_columns({name: self._column(batch.column(name), self._types[name]) for name in names})
            done += batch.num_rows
            report(done / total)

    def moments(self, time: str) -> NDArray[np.float64]:
        """The column *time* as numbers, in its own unit."""
        pieces = [self._moments(batch.column(time), time) for batch in self._batches([time])]
        return np.concatenate(pieces) if pieces else np.zeros(0)

    def _batches(self, names: Sequence[str]) -> Iterator[Any]:
        try:
            yield from self._file.iter_batches(batch_size=CHUNK_ROWS, columns=list(names))
        except (self._arrow.ArrowInvalid, OSError) as error:
            raise ReferenceDataError(f"is a damaged Parquet file: {error}") from None

    def _is_usable(self, type_: Any) -> bool:
        types = self._arrow.types
        if types.is_dictionary(type_):
            return self._is_usable(type_.value_type)
        return any(
            fits(type_)
            for fits in (
                types.is_boolean,
                types.is_integer,
                types.is_floating,
                types.is_decimal,
                types.is_string,
                types.is_large_string,
                types.is_temporal,
                types.is_null,
            )
        )

    def _column(self, values: Any, type_: Any) -> Column:
        types = self._arrow.types
        if types.is_dictionary(type_):
            return self._column(values.cast(type_.value_type), type_.value_type)
        if types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_):
            return self._numbers(values)
        if types.is_timestamp(type_) or types.is_date(type_) or types.is_duration(type_):
            return self._seconds(values)
        listed: list[Cell] = (values if types.is_boolean(type_) else values.cast(self._arrow.string())).to_pylist()
        return listed

    def _seconds(self, values: Any) -> NDArray[np.float64]:
        """Moments as seconds since the epoch, spans of time as seconds: as frames in memory give them."""
        is_span = self._arrow.types.is_duration(values.type)
        in_micros = self._arrow.duration("us") if is_span else self._arrow.timestamp("us")
        return self._numbers(values.cast(in_micros, safe=False).cast(self._arrow.int64())) / 1e6

    def _numbers(self, values: Any) -> NDArray[np.float64]:
        # Unsafe only in Arrow's sense: integers beyond 2^53 are rounded.
        numbers = values.cast(self._arrow.float64(), safe=False).to_numpy(zero_copy_only=False)
        return np.asarray(numbers, np.float64)

    def _moments(self, values: Any, time: str) -> NDArray[np.float64]:
        types, type_ = self._arrow.types, self._types[time]
        if types.is_timestamp(type_) or types.is_date(type_):
            values = values.cast(self._arrow.timestamp("us"), safe=False).cast(self._arrow.int64())
        elif not (types.is_integer(type_) or types.is_floating(type_)):
            return np.array([iso_moment(str(text), time) for text in values.to_pylist()])
        if values.null_count:
            raise ReferenceDataError(f"has rows without a value in column {time!r}, which should order them")
        return self._numbers(values)


def _pyarrow() -> tuple[Any, Any]:
    arrow, parquet = arrow_module(), parquet_module()
    if arrow is None or parquet is None:
        raise MissingExtraError("pyarrow", "parquet")
    return arrow, parquet
