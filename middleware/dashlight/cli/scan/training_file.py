"""Training files as one file of named columns, which is read as often as it takes: `TrainingFile` on top of DuckDB."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from dashlight.cli.progress import Report
from dashlight.cli.scan.cell_counts import cell_counts
from dashlight.cli.scan.conversion import CELLS, MOMENT, VALUES, convert, odd_name, sort
from dashlight.cli.scan.database import open_database
from dashlight.cli.scan.formats import Source, columns_wanted, source_of
from dashlight.cli.scan.frames import table_of
from dashlight.cli.scan.paths import local_files
from dashlight.cli.training import CHUNK_ROWS, MOMENTS_KEPT, Look
from dashlight.decode.cells.grammar import likely_mark, odd_cells, writing_of
from dashlight.decode.cells.shapes import CellCounts
from dashlight.errors import ReferenceDataError
from dashlight.records import Table
from dashlight.window.columns import DecimalMark, Writing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH_ROWS: Final = 10 * CHUNK_ROWS
_SHOWN: Final = 40
_UNHEARD: Final[Report] = lambda _: None  # noqa: E731  # what is copied is small beside what is scanned
_CODES: Final = Writing("text", nulls=("",))


@contextmanager
def training_file(
    given: Sequence[str], categorical: Collection[str] = (), moments_kept: int = MOMENTS_KEPT
) -> Generator[ScannedFile]:
    """The files that *given* names, local paths and globs, as one; what it takes on disk goes when it is closed.

    *categorical* names the columns whose numbers are codes.

    Raises:
        ReferenceDataError: they cannot be read, or not as one.
        MissingExtraError: DuckDB is not installed.
        OSError: a file is not there.
    """
    paths = local_files(given)
    folder = Path(mkdtemp(prefix="dashlight-"))
    database: DuckDBPyConnection | None = None
    try:
        database = open_database([path.resolve() for path in paths], folder)
        sources: dict[Path, Source] = {}
        for path in paths:
            with _told_of(path, paths):
                sources[path] = source_of(database, path.resolve(), folder, _UNHEARD)
        yield ScannedFile(database, sources, categorical, moments_kept)
    finally:
        if database is not None:
            database.close()
        shutil.rmtree(folder, ignore_errors=True)


class ScannedFile:
    """Files of the same columns, one after the other."""

    def __init__(
        self,
        database: DuckDBPyConnection,
        sources: Mapping[Path, Source],
        categorical: Collection[str],
        moments_kept: int,
    ) -> None:
        """ReferenceDataError where the columns of *sources* differ."""
        self._database, self._sources = database, sources
        self._columns = columns_wanted(sources)
        self._categorical, self._moments_kept = frozenset(categorical), moments_kept
        self._places: dict[str, str] = {}
        self._odd: dict[str, str] = {}
        self._rows = 0
        self.counts: Mapping[str, CellCounts] = {}
        """After `look`: of each column of texts its cells by their shape."""
        self.writings: Mapping[str, Writing] = {}
        """After `look`: how each column of texts writes its values."""

    @property
    def names(self) -> Sequence[str]:
        """The columns, as the first file orders them."""
        return list(self._columns)

    @property
    def unusable(self) -> Collection[str]:
        """Columns of lists, structures and bytes."""
        return [name for name, held in self._columns.items() if held == "unusable"]

    @property
    def moments_in(self) -> Collection[str]:
        """Columns of moments: before `look` those that the format says, then also those written as text."""
        written = {name for name, writing in self.writings.items() if writing.kind == "time"}
        return [name for name, held in self._columns.items() if held == "moment" or name in written]

    def look(self, names: Sequence[str], time: str | None, report: Report) -> Look:
        """Reads the columns *names* and *time* into the database, and orders the rows by *time* if they go back in it.

        Raises:
            ReferenceDataError: a file is damaged, or a row has no time.
        """
        wanted = dict.fromkeys([*names, *([] if time is None else [time])])
        self._places = {name: f"c{place}" for place, name in enumerate(wanted)}
        self._load(report)
        texts = [name for name in wanted if self._columns[name] == "text"]
        self.counts = {name: cell_counts(self._database, CELLS, self._places[name]) for name in texts}
        mark = likely_mark(list(self.counts.values()), separator=self._separator)
        self.writings = {name: self._writing(name, counts, mark) for name, counts in self.counts.items()}
        if time is not None:
            self._check_time(time)
        self._convert(time)
        moments = None if time is None else self._moments()
        backward_row = None
        if moments is not None:
            backward = np.flatnonzero(moments[1:] < moments[:-1])
            backward_row = int(backward[0]) + 2 if len(backward) else None
            if backward_row is not None:
                sort(self._database)
        notes = tuple(f"{path.name} {source.note}" for path, source in self._sources.items() if source.note)
        kept = moments if moments is not None and 0 < len(moments) <= self._moments_kept else None
        return Look(self._rows, backward_row, kept, notes)

    def tables(self, names: Sequence[str], report: Report) -> Iterator[Table]:
        """The columns *names*, some rows at a time, in order; call `look` first."""
        import narwhals as nw

        columns = {name: self._places[name] for name in names}
        odd_texts = {name: self._odd[name] for name in names if name in self._odd}
        done = 0
        for part in self._parts([*columns.values(), *odd_texts.values()]):
            yield table_of(nw.from_native(part, eager_only=True), columns, odd_texts)
            done += part.num_rows
            report(done / self._rows)

    @property
    def _separator(self) -> str:
        return next(iter(self._sources.values())).separator

    def _load(self, report: Report) -> None:
        """The columns as they come, all files in their order."""
        import duckdb

        types = {"number": "DOUBLE", "moment": "DOUBLE", "truth": "BOOLEAN"}
        columns = ", ".join(
            f"{place} {types.get(self._columns[name], 'VARCHAR')}" for name, place in self._places.items()
        )
        self._database.execute(f"CREATE OR REPLACE TABLE {CELLS} ({columns})")
        for done, (path, source) in enumerate(self._sources.items(), 1):
            with _told_of(path, self._sources):
                try:
                    self._database.execute(f"INSERT INTO {CELLS} {source.query(list(self._places))}")
                except duckdb.Error as error:
                    raise source.explain(error) from error
            report(done / len(self._sources))
        ((self._rows,),) = self._database.execute(f"SELECT count(*) FROM {CELLS}").fetchall()

    def _writing(self, name: str, counts: CellCounts, mark: DecimalMark) -> Writing:
        writing = writing_of(counts, likely=mark)
        if name in self._categorical and writing.kind in {"number", "time"}:
            # 007 is not 7, and one A among codes is a code too.
            is_number = writing.kind == "number" and not counts.shapes["code"] and odd_cells(counts, writing) is None
            return writing if is_number else _CODES
        return writing

    def _check_time(self, time: str) -> None:
        place = self._places[time]
        if self._columns[time] != "text":
            missing = f"{place} IS NULL OR isnan({place})" if self._columns[time] != "truth" else "true"
            if self._database.execute(f"SELECT 1 FROM {CELLS} WHERE {missing} LIMIT 1").fetchall():
                raise ReferenceDataError(f"has rows without a value in column {time!r}, which should order them")
            return
        counts, writing = self.counts[time], self.writings[time]
        if not counts.rows:
            return
        if writing.kind in {"number", "time"}:
            strange = [name for name in counts.first if name in {"empty", "null", "worded_null"}]
            found = [counts.first[name] for name in strange]
            others = odd_cells(counts, writing)
            found += [(others.row, others.text)] if others is not None else []
        else:
            dates = [counts.first[name] for name in ("open_day", "day_first", "month_first") if name in counts.first]
            if dates and counts.of(["open_day", "day_first", "month_first"]) == counts.rows:
                raise ReferenceDataError(
                    f"has {min(dates)[1]!r} in column {time!r}, whose days and months cannot be told apart: write it as"
                    " 2024-12-31"
                )
            found = [
                counts.first[name] for name in counts.first if name not in {"whole", "point", "open_point", "moment"}
            ]
        if found:
            row, text = min(found)
            raise ReferenceDataError(
                f"has {text[:_SHOWN]!r} in column {time!r} in row {row + 1}, which is neither a number nor a time"
            )

    def _convert(self, time: str | None) -> None:
        found = {name: odd_cells(self.counts[name], writing) for name, writing in self.writings.items()}
        self._odd = {name: odd_name(self._places[name]) for name, each in found.items() if each is not None}
        convert(
            self._database,
            self._places.values(),
            {self._places[name]: writing for name, writing in self.writings.items()},
            odd_in=[self._places[name] for name in self._odd],
            moment=None if time is None else self._places[time],
        )

    def _moments(self) -> NDArray[np.float64]:
        pieces = [part.column(0).to_numpy() for part in self._parts([MOMENT])]
        return np.concatenate(pieces) if pieces else np.zeros(0)

    def _parts(self, columns: Sequence[str]) -> Iterator[Any]:
        """The *columns* of what was found as tables of Arrow of CHUNK_ROWS rows, the last one shorter."""
        import pyarrow as pa

        rows: Any = self._database.cursor().sql(f"SELECT {', '.join(columns)} FROM {VALUES}")
        read_by = getattr(rows, "to_arrow_reader", None) or rows.fetch_record_batch  # its name before 1.4
        reader: Any = read_by(_BATCH_ROWS)
        held: Any = None
        for batch in reader:
            read = pa.Table.from_batches([batch])
            held = read if held is None else pa.concat_tables([held, read])
            while held.num_rows >= CHUNK_ROWS:
                yield held.slice(0, CHUNK_ROWS).combine_chunks()
                held = held.slice(CHUNK_ROWS)
        if held is not None and held.num_rows:
            yield held.combine_chunks()


@contextmanager
def _told_of(path: Path, paths: Collection[Path]) -> Generator[None]:
    """Says in errors of which of several files they are."""
    try:
        yield
    except ReferenceDataError as error:
        if len(paths) == 1:
            raise
        raise ReferenceDataError(f"cannot be read as one: {path} {error}") from error.__cause__
