"""The formats of training files: what columns a file has, and the query of DuckDB that gives some of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from dashlight.cli.scan.csv_layout import LONGEST_ROW, CsvLayout, check_names, csv_layout, explain
from dashlight.cli.scan.database import QueryError, literal, quoted, rows_of
from dashlight.cli.scan.encodings import readable
from dashlight.cli.scan.typed_columns import Held, TypedColumns
from dashlight.decode.formats.arrow_package import arrow_module, feather_module, parquet_module
from dashlight.errors import ReferenceDataError

if TYPE_CHECKING:
    from dashlight.cli.scan.database import Database


EXPECTED: Final = ".csv, .tsv, .txt (also .gz, .zst, .bz2, .xz), .parquet, .jsonl or .feather"
TEXT: Final = frozenset({"csv", "tsv", "tab", "psv", "txt"})
_LINES: Final = frozenset({"jsonl", "ndjson"})
_PARQUET: Final = frozenset({"parquet", "pq", "parq"})
_ARROW: Final = frozenset({"feather", "arrow", "ipc"})
PACKED: Final = frozenset({"gz", "zst", "zstd", "bz2", "xz"})

_CSV_OPTIONS: Final = (
    "auto_detect = false, header = true, quote = '\"', escape = '\"', allow_quoted_nulls = false, encoding = 'utf-8'"
)


class Source(Protocol):
    """One training file."""

    @property
    def columns(self) -> Mapping[str, Held]:
        """Its columns in order."""
        ...

    @property
    def note(self) -> str:
        """A remark on the file, empty where there is none."""
        ...

    @property
    def separator(self) -> str:
        """What parts its cells, where they are parted by anything."""
        ...

    def query(self, names: Sequence[str], *, exact: bool = False) -> str:
        """A query of the columns *names*, in order of the file's rows; *exact*: whole numbers stay what they are."""
        ...

    def explain(self, error: QueryError) -> ReferenceDataError:
        """What is wrong with the file where a query fails."""
        ...


def source_of(database: Database, path: Path, folder: Path) -> Source:
    """The file *path*, ready to be queried; *folder* takes what must be copied for it.

    Raises:
        ReferenceDataError: its name is of no known format, or its beginning is of another one.
    """
    words = path.name.lower().split(".")[1:]
    packed = bool(words) and words[-1] in PACKED
    word = "".join((words[:-1] if packed else words)[-1:])
    if word in TEXT:
        return _Csv(path, folder)
    if word in _LINES:
        return _Lines(database, path, folder)
    if word in _PARQUET and not packed:
        return _Parquet(database, path)
    if word in _ARROW and not packed:
        return _Arrow(database, path)
    raise ReferenceDataError(f"has an unknown format: expected {EXPECTED}")


class _Csv:
    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self.note = readable(path, _copy(path, folder))
        self._layout: CsvLayout = csv_layout(self._path)
        self.separator = self._layout.delimiter
        self.columns: Mapping[str, Held] = dict.fromkeys(self._layout.names, "text")

    def query(self, names: Sequence[str], *, exact: bool = False) -> str:  # noqa: ARG002 - its cells are texts
        # By place: DuckDB takes names that differ in case alone for one.
        places = {name: f"c{place}" for place, name in enumerate(self._layout.names)}
        columns = ", ".join(f"{place}: 'VARCHAR'" for place in places.values())
        source = (
            f"read_csv({literal(str(self._path))}, {_CSV_OPTIONS}, delim = {literal(self._layout.delimiter)},"
            f" skip = {self._layout.skipped_lines}, max_line_size = {LONGEST_ROW}, columns = {{{columns}}})"
        )
        # In a file of one column an empty line is no row; a missing value is written as "".
        rows = " WHERE c0 IS NOT NULL" if len(places) == 1 else ""
        return f"SELECT {', '.join(places[name] for name in names)} FROM {source}{rows}"

    def explain(self, error: QueryError) -> ReferenceDataError:
        try:
            explain(self._path, self._layout, otherwise=f"cannot be read: {error}")
        except ReferenceDataError as found:
            return found


class _Lines:
    """JSON lines: their values as texts, so that a number in quotes is one here as in a body."""

    separator = ","

    def __init__(self, database: Database, path: Path, folder: Path) -> None:
        self._path, self.note = readable(path, _copy(path, folder))
        types = _described(
            database,
            f"read_json({self._named()}, auto_detect = true, sample_size = -1, maximum_depth = 2, map_inference_threshold = -1)",
            self,
        )
        self.columns: Mapping[str, Held] = {
            name: "unusable" if type_.endswith("]") or type_.startswith(("STRUCT", "MAP")) else "text"
            for name, type_ in types.items()
        }

    def query(self, names: Sequence[str], *, exact: bool = False) -> str:  # noqa: ARG002 - its cells are texts
        columns = ", ".join(f"{literal(name)}: 'JSON'" for name in names)
        chosen = ", ".join(f"{quoted(name)}->>'$'" for name in names)
        return f"SELECT {chosen} FROM read_json({self._named()}, columns = {{{columns}}})"

    def explain(self, error: QueryError) -> ReferenceDataError:
        return ReferenceDataError(f"is no file of JSON objects, one a line: {error}")

    def _named(self) -> str:
        return f"{literal(str(self._path))}, format = 'newline_delimited', maximum_object_size = {LONGEST_ROW}"


class _Parquet:
    note, separator = "", ","

    def __init__(self, database: Database, path: Path) -> None:
        self._source = f"read_parquet({literal(str(path))})"
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                raise ReferenceDataError("is not a Parquet file")
        names = _parquet_names(database, path, self)
        check_names(names)
        types = list(_described(database, self._source, self).items())
        # DuckDB takes names that differ in case alone for one, and numbers them.
        self._own = {name: own for name, (own, _) in zip(names, types, strict=True)}
        self._typed = TypedColumns({name: type_ for name, (_, type_) in zip(names, types, strict=True)}, _spans(path))
        self.columns = self._typed.held

    def query(self, names: Sequence[str], *, exact: bool = False) -> str:
        chosen = ", ".join(self._typed.expression(name, quoted(self._own[name]), exact=exact) for name in names)
        return f"SELECT {chosen} FROM {self._source}"

    def explain(self, error: QueryError) -> ReferenceDataError:
        return ReferenceDataError(f"is a damaged Parquet file: {error}")


class _Arrow:
    """Feather and Arrow's own files, which pyarrow maps into memory."""

    note, separator = "", ","

    def __init__(self, database: Database, path: Path) -> None:
        arrow, feather = (
            cast("Any", arrow_module()),
            cast("Any", feather_module()),
        )  # an extra that was asked for at first
        try:
            table: Any = feather.read_table(path)
        except (arrow.ArrowException, OSError):
            raise ReferenceDataError("is not an Arrow or Feather file") from None
        names: list[str] = list(table.column_names)
        check_names(names)
        self._places = {name: f"c{place}" for place, name in enumerate(names)}
        self._view = quoted(str(path))
        database.register(str(path), table.rename_columns(list(self._places.values())))
        types = _described(database, self._view, self)
        self._typed = TypedColumns({name: types[place] for name, place in self._places.items()}, {})
        self.columns = self._typed.held

    def query(self, names: Sequence[str], *, exact: bool = False) -> str:
        chosen = ", ".join(self._typed.expression(name, self._places[name], exact=exact) for name in names)
        return f"SELECT {chosen} FROM {self._view}"

    def explain(self, error: QueryError) -> ReferenceDataError:
        return ReferenceDataError(f"is a damaged Arrow file: {error}")


def _described(database: Database, source: str, owner: Source) -> dict[str, str]:
    try:
        rows = rows_of(database, f"DESCRIBE SELECT * FROM {source}")
    except QueryError as error:
        raise owner.explain(error) from None
    return {str(row[0]): str(row[1]) for row in rows}


def _parquet_names(database: Database, path: Path, owner: Source) -> list[str]:
    query = f"SELECT name, num_children FROM parquet_schema({literal(str(path))})"
    try:
        nodes: list[tuple[str, int | None]] = rows_of(database, query)
    except QueryError as error:
        raise owner.explain(error) from None
    names: list[str] = []
    place = 1
    while place < len(nodes):  # the first is the root; those below another node are no columns
        names.append(nodes[place][0])
        waiting = 1
        while waiting:
            waiting += (nodes[place][1] or 0) - 1
            place += 1
    return names


def _spans(path: Path) -> dict[str, float]:
    """What Parquet has no type for and pyarrow writes as whole numbers."""
    arrow, parquet = cast("Any", arrow_module()), cast("Any", parquet_module())
    per_second = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
    try:
        schema: Any = parquet.read_schema(path)
    except (arrow.ArrowException, OSError):
        return {}
    return {each.name: per_second[each.type.unit] for each in schema if arrow.types.is_duration(each.type)}


def _copy(path: Path, folder: Path) -> Path:
    return folder / f"{len(list(folder.iterdir()))}-{path.name}.utf8"


def columns_wanted(sources: Mapping[Path, Source]) -> Mapping[str, Held]:
    """The columns of all *sources*; ReferenceDataError where they do not agree, which says how."""
    first, *others = sources
    columns = dict(sources[first].columns)
    for path in others:
        theirs = sources[path].columns
        for one, other, in_one, in_other in ((first, path, columns, theirs), (path, first, theirs, columns)):
            lacking = [name for name in in_one if name not in in_other]
            if lacking:
                raise ReferenceDataError(
                    f"cannot be read as one: {other.name} has no column {_listed(lacking)}, which {one.name} has"
                )
        for name, held in columns.items():
            if held == "nothing":
                columns[name] = theirs[name]
            elif theirs[name] not in {held, "nothing"}:
                raise ReferenceDataError(
                    f"cannot be read as one: column {name!r} is a {held} in {first.name} and a {theirs[name]} in {path.name}"
                )
    return {name: "text" if held == "nothing" else held for name, held in columns.items()}


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(map(repr, list(names)[:5]))
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
