"""Training files as one file of named columns, which is read as often as it takes: `TrainingFile` on top of DuckDB."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.cli.progress import Report
from dashlight.cli.scan.cell_counts import CountedCells, counted_cells
from dashlight.cli.scan.conversion import CELLS, MOMENT, VALUES, convert, odd_name, sort
from dashlight.cli.scan.database import QueryError, batches_of, open_database, rows_of
from dashlight.cli.scan.formats import Source, columns_wanted, source_of
from dashlight.cli.scan.frames import Coder, frame_of, tables_of
from dashlight.cli.scan.paths import local_files
from dashlight.cli.training import CHUNK_ROWS, MOMENTS_KEPT, Look
from dashlight.decode.cells.grammar import MOST_ODD_SHARE, OddCells, likely_mark, odd_cells, writing_of
from dashlight.decode.cells.shapes import NOTHING, CellCounts, Shape
from dashlight.decode.formats.arrow_package import arrow_module
from dashlight.errors import ReferenceDataError
from dashlight.records import Table
from dashlight.window.columns import Writing

if TYPE_CHECKING:
    from dashlight.cli.scan.database import Database

_BATCH_ROWS: Final = 10 * CHUNK_ROWS
_SHOWN: Final = 40
_TYPES: Final = {"number": "DOUBLE", "moment": "DOUBLE", "truth": "BOOLEAN"}
_OPEN_DATES: Final[frozenset[Shape]] = frozenset({"open_day", "day_first", "month_first"})


@contextmanager
def training_file(
    given: Sequence[str], categorical: Collection[str] = (), moments_kept: int = MOMENTS_KEPT
) -> Generator[ScannedFile]:
    """The files that *given* names, local paths and globs, as one; what it takes on disk goes when it is closed.

    *categorical* names the columns whose numbers are codes, of which none is odd.

    Raises:
        ReferenceDataError: they cannot be read, or not as one.
        MissingExtraError: DuckDB is not installed.
        OSError: a file is not there.
    """
    paths = local_files(given)
    folder = Path(mkdtemp(prefix="dashlight-"))
    database: Database | None = None
    try:
        database = open_database([path.resolve() for path in paths], folder)
        sources: dict[Path, Source] = {}
        for path in paths:
            with _told_of(path, paths):
                sources[path] = source_of(database, path.resolve(), folder)
        yield ScannedFile(database, sources, categorical, moments_kept)
    finally:
        if database is not None:
            database.close()
        shutil.rmtree(folder, ignore_errors=True)


class ScannedFile:
    """Files of the same columns, one after the other."""

    def __init__(
        self, database: Database, sources: Mapping[Path, Source], categorical: Collection[str], moments_kept: int
    ) -> None:
        """ReferenceDataError where the columns of *sources* differ."""
        self._database, self._sources = database, sources
        self._columns = columns_wanted(sources)
        self._categorical, self._moments_kept = frozenset(categorical), moments_kept
        self._places: dict[str, str] = {}
        self._texts: Mapping[str, CountedCells] = {}
        self._written: Mapping[str, Writing] = {}
        self._odd: Mapping[str, OddCells] = {}
        self._rows = 0
        self._coders: dict[str, Coder] = {}

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
        """Columns whose type says that they hold moments."""
        return [name for name, held in self._columns.items() if held == "moment"]

    @property
    def writings(self) -> Mapping[str, Writing]:
        """How columns are written: moments, which traffic may have no type for, and after `look` those of texts."""
        return {**dict.fromkeys(self.moments_in, Writing("time")), **self._written}

    @property
    def counts(self) -> Mapping[str, CellCounts]:
        """After `look`: of each column of texts its cells by their shape."""
        return {name: text.counts for name, text in self._texts.items()}

    def look(self, names: Sequence[str], time: str | None, report: Report) -> Look:
        """Reads the columns *names* and *time* into the database, and orders the rows by *time* if they go back in it.

        Raises:
            ReferenceDataError: a file is damaged, or a row has no time.
        """
        wanted = dict.fromkeys(names if time is None else [*names, time])
        self._places = {name: f"c{place}" for place, name in enumerate(wanted)}
        self._coders = {}
        self._load(report)
        self._decide()
        if time is not None:
            self._check_time(time)
        self._convert(time)
        moments, backward_row = (None, None) if time is None else self._moments()
        if backward_row is not None:
            sort(self._database)
        notes = tuple(f"{path.name} {source.note}" for path, source in self._sources.items() if source.note)
        return Look(self._rows, backward_row, moments, notes)

    def tables(self, names: Sequence[str], report: Report) -> Iterator[Table]:
        """The columns *names*, some rows at a time, in order; call `look` first."""
        columns = {name: self._places[name] for name in names}
        odd = {name: odd_name(place) for name, place in columns.items() if name in self._odd}
        done = 0
        for part in self._parts([*columns.values(), *odd.values()]):
            for table in tables_of(frame_of(part), columns, odd, self._coders, rows=CHUNK_ROWS):
                yield table
                done += table.rows
                report(done / self._rows)

    def _load(self, report: Report) -> None:
        """The columns as they come, all files in their order."""
        columns = ", ".join(
            f"{place} {_TYPES.get(self._columns[name], 'VARCHAR')}" for name, place in self._places.items()
        )
        rows_of(self._database, f"CREATE OR REPLACE TABLE {CELLS} ({columns})")
        for done, (path, source) in enumerate(self._sources.items(), 1):
            with _told_of(path, self._sources):
                try:
                    rows_of(self._database, f"INSERT INTO {CELLS} {source.query(list(self._places))}")
                except QueryError as error:
                    raise source.explain(error) from error
            report(done / len(self._sources))
        ((self._rows,),) = rows_of(self._database, f"SELECT count(*) FROM {CELLS}")

    def _decide(self) -> None:
        """How the columns of texts write their values."""
        texts = [name for name in self._places if self._columns[name] == "text"]
        self._texts = {name: counted_cells(self._database, CELLS, self._places[name]) for name in texts}
        separator = next(iter(self._sources.values())).separator
        mark = likely_mark(list(self.counts.values()), separator=separator)
        self._written = {
            name: writing_of(counts, likely=mark, most_odd_share=0 if name in self._categorical else MOST_ODD_SHARE)
            for name, counts in self.counts.items()
        }
        odd = {name: odd_cells(self._texts[name].counts, writing) for name, writing in self._written.items()}
        self._odd = {name: cells for name, cells in odd.items() if cells is not None}

    def _check_time(self, time: str) -> None:
        if self._columns[time] != "text":
            place = self._places[time]
            missing = "true" if self._columns[time] == "truth" else f"{place} IS NULL OR isnan({place})"
            if rows_of(self._database, f"SELECT 1 FROM {CELLS} WHERE {missing} LIMIT 1"):
                raise ReferenceDataError(f"has rows without a value in column {time!r}, which should order them")
            return
        counts, writing = self._texts[time].counts, self._written[time]
        strange: Collection[Shape] = NOTHING & counts.first.keys()
        if writing.kind not in {"number", "time"}:
            if counts.rows and counts.of(_OPEN_DATES) == counts.rows:
                raise ReferenceDataError(
                    f"has {min(counts.first.values())[1]!r} in column {time!r}, where nothing tells the day from the month:"
                    " write it as 2024-12-31"
                )
            strange = counts.first.keys() - {"whole", "point", "open_point", "moment"} or counts.first.keys()
        found = [counts.first[shape] for shape in strange]
        if time in self._odd:
            found.append((self._odd[time].row, self._odd[time].text))
        if found:
            row, text = min(found)
            raise ReferenceDataError(
                f"has {text[:_SHOWN]!r} in column {time!r} in row {row + 1}, which is neither a number nor a time"
            )

    def _convert(self, time: str | None) -> None:
        convert(
            self._database,
            self._places.values(),
            {self._places[name]: writing for name, writing in self._written.items()},
            # Where commas are decimal, 1.250 is more than DuckDB takes it for.
            plain={
                self._places[name]
                for name, text in self._texts.items()
                if text.is_plain and self._written[name].decimal == "."
            },
            odd_in=[self._places[name] for name in self._odd],
            moment=None if time is None else self._places[time],
        )

    def _moments(self) -> tuple[NDArray[np.float64] | None, int | None]:
        """The moments, None where there are too many or none, and the row, counted from 1, that first goes back."""
        pieces: list[NDArray[np.float64]] = []
        backward_row, rows, latest = None, 0, -np.inf
        for part in self._parts([MOMENT]):
            piece: NDArray[np.float64] = part.column(0).to_numpy()
            if backward_row is None:
                backward = np.flatnonzero(piece < np.concatenate([[latest], piece[:-1]]))
                backward_row = rows + int(backward[0]) + 1 if len(backward) else None
                latest = piece[-1]
            if self._rows <= self._moments_kept:
                pieces.append(piece)
            rows += len(piece)
        return (np.concatenate(pieces) if pieces else None), backward_row

    def _parts(self, columns: Sequence[str]) -> Iterator[Any]:
        """The *columns* of what was found as tables of Arrow of _BATCH_ROWS rows, the last one shorter."""
        arrow = cast("Any", arrow_module())
        held: Any = None
        for batch in batches_of(self._database, f"SELECT {', '.join(columns)} FROM {VALUES}", _BATCH_ROWS):
            read = arrow.Table.from_batches([batch])
            held = read if held is None else arrow.concat_tables([held, read])
            while held.num_rows >= _BATCH_ROWS:
                yield held.slice(0, _BATCH_ROWS).combine_chunks()
                held = held.slice(_BATCH_ROWS)
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
