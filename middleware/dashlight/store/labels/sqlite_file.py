"""The SQLite file of predictions: private, on a local disk, begun anew where it is damaged."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sqlite3
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dashlight.errors import StateError
from dashlight.store.labels.file_systems import network_file_system
from dashlight.store.locks import try_lock
from dashlight.store.private import DRAFT, open_private
from dashlight.store.refused import put_aside

FILE: Final = "labels.sqlite"
"""Its name in the directory where processes meet."""
VERSION: Final = 1
_APPLICATION_ID: Final = 0x444C4C42
_BUSY_SECONDS: Final = 10.0
_CACHE_KIB: Final = 2048
_JOURNAL_BYTES: Final = 8 << 20
_TRIES, _PAUSE_SECONDS = 500, 0.01
"""How often and how far apart a process is waited for that makes the file: that takes milliseconds."""
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_MISTAKES: Final = (sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.DataError, sqlite3.NotSupportedError)
"""Ours, or of what is to be written: trying again is no use."""
_SCHEMA: Final = """
CREATE TABLE models (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, level INTEGER NOT NULL, implied_before REAL);
CREATE TABLE layouts (id INTEGER PRIMARY KEY, model INTEGER NOT NULL, content TEXT NOT NULL UNIQUE);
CREATE TABLE batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT, layout INTEGER NOT NULL, rows INTEGER NOT NULL,
    first_at REAL NOT NULL, last_at REAL NOT NULL, keys INTEGER NOT NULL, has_entities INTEGER NOT NULL);
CREATE TABLE parts (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE codes (batch INTEGER, part INTEGER, level INTEGER NOT NULL, rows INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (batch, part));
CREATE TABLE labelled (hour INTEGER, key BLOB, value REAL, PRIMARY KEY (hour, key)) WITHOUT ROWID;
CREATE TABLE orphans (key BLOB PRIMARY KEY, content BLOB NOT NULL, came_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE met (number INTEGER PRIMARY KEY, rows INTEGER NOT NULL, layout INTEGER NOT NULL, came_at REAL NOT NULL,
    content BLOB NOT NULL);
CREATE TABLE counts (model INTEGER, hour INTEGER, tenth INTEGER, predictions INTEGER NOT NULL, labelled INTEGER NOT NULL,
    PRIMARY KEY (model, hour, tenth)) WITHOUT ROWID;
CREATE TABLE numbers (next INTEGER NOT NULL);
"""

logger = logging.getLogger(__name__)
_left_to_parents: list[sqlite3.Connection] = []
"""Connections of the parent: closing one in the child would take the file from under the parent."""


class SqliteFile:
    """One connection to the file at *path*, opened when it is first needed. For one thread at a time.

    What was committed is there after kill -9; a loss of power may cost the last commits, and damages nothing.
    """

    def __init__(self, path: Path, *, began_at: int) -> None:
        """*began_at* is from where rows that meet are numbered in a file that is made: above what an older one gave."""
        self.path = path
        self.generation = 0
        """Changes whenever another file is meant: what is known of the one before is void."""
        self.refused_count = 0
        """Files that were put aside."""
        self._began_at = began_at
        self._connection: sqlite3.Connection | None = None
        self._inode = -1

    @contextmanager
    def transaction(self, *, is_writing: bool) -> Generator[sqlite3.Connection, None, None]:
        """A transaction on the file, undone where it fails.

        Raises:
            StateError: it cannot be used for the moment, is full, or was damaged and is begun anew.
        """
        try:
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE" if is_writing else "BEGIN")
            try:
                yield connection
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._refuse(error)
        except OSError as error:
            raise StateError("unusable", f"{self.path}: {error.strerror or error}") from None
        except StateError as error:
            if error.kind == "corrupt":
                self._begin_anew(str(error))
            raise

    def close(self) -> None:
        """Closes it."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def forget(self) -> None:
        """Leaves the connection to the parent process."""
        if self._connection is not None:
            _left_to_parents.append(self._connection)
            self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None:
            if self._is_ours():
                return self._connection
            self.close()
        reason = network_file_system(self.path.parent)
        if reason:
            raise StateError(
                "unusable",
                f"{self.path.parent} is on {reason}, where SQLite loses data: "
                "set DASHLIGHT_STATE_DIR to a local disk, or DASHLIGHT_STORE=redis://...",
            )
        self._inode = _inode_of(self.path)
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self.generation += 1
        return connection

    def _set_up(self, connection: sqlite3.Connection) -> None:
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._make(connection)
        application_id, version = _number(connection, "application_id"), _number(connection, "user_version")
        if (application_id, version) != (_APPLICATION_ID, VERSION):
            raise StateError("corrupt", f"{self.path} is not a file of this release")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES}")

    def _make(self, connection: sqlite3.Connection) -> None:
        """Makes the tables, unless another process does so: SQLite does not wait where two change the journal's mode."""
        lock = open_private(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT)
        try:
            tries = 0
            while not try_lock(lock, exclusive=True):
                tries += 1
                if tries > _TRIES:
                    raise StateError("unusable", f"{self.path} is being made by another process")
                time.sleep(_PAUSE_SECONDS)
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return
            # Before the first table, and outside of a transaction.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            for statement in filter(str.strip, _SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute("INSERT INTO numbers VALUES (?)", (self._began_at,))
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        finally:
            os.close(lock)

    def _is_ours(self) -> bool:
        """Whether the open file is still the one at its path: another process may have put it aside."""
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False

    def _refuse(self, error: sqlite3.Error) -> None:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGE:
            self._begin_anew(f"{self.path}: {error}")
        if isinstance(error, _MISTAKES):
            raise error
        raise StateError("unusable", f"{self.path}: {error}") from None

    def _begin_anew(self, why: str) -> None:
        """Puts the file aside, unless another process did so."""
        self.close()
        lock = open_private(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT)
        try:
            if not try_lock(lock, exclusive=True) or not self._is_ours():
                return
            put_aside(self.path)
            for end in ("-wal", "-shm"):
                self.path.with_name(self.path.name + end).unlink(missing_ok=True)
        finally:
            os.close(lock)
        self.refused_count += 1
        logger.warning("%s: it was put aside, and predictions wait in a new file", why)


def _inode_of(path: Path) -> int:
    """The inode of the private file at *path*, made where there is none; OSError where it is not this user's."""
    # Never opened where it has this name: closing any descriptor of a file ends the locks that this process has on it.
    if not os.path.lexists(path):
        _make_empty(path)
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise PermissionError(None, "expected a file of this user, which nobody else can read")
    return status.st_ino


def _make_empty(path: Path) -> None:
    """An empty private file at *path*, unless another process was faster."""
    draft = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}{DRAFT}")
    os.close(open_private(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path, follow_symlinks=False)
    finally:
        draft.unlink()


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
