"""How far the sending of a file came: in a small file beside it, so that the same command goes on from there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

_ENDING: Final = ".sent"
_MOST_BYTES: Final = 4096


class _Kept(msgspec.Struct):
    what: str
    row: int
    counts: dict[str, int]


class SentSoFar:
    """Remembers the last row of *path* that was sent with the arguments *said*. Nothing stands or falls with it.

    Labels that are sent twice are told as duplicates, so a place that is lost costs time alone.
    """

    def __init__(self, path: Path | None, said: str) -> None:
        """*path* None: nothing is remembered."""
        self._path = None if path is None else path.with_name(f".{path.name}{_ENDING}")
        self._what = ""
        if path is not None:
            status = path.stat()
            told = f"{said}\0{status.st_size}\0{status.st_mtime_ns}"
            self._what = blake2b(told.encode(errors="surrogatepass"), digest_size=16).hexdigest()

    def read(self) -> tuple[int, Mapping[str, int]]:
        """The last row that was sent, from 1, and what became of all; 0 where there is none, or the file is another by now."""
        if self._path is None:
            return 0, {}
        try:
            with self._path.open("rb") as file:
                kept = msgspec.json.decode(file.read(_MOST_BYTES), type=_Kept)
        except (OSError, msgspec.MsgspecError, ValueError):
            return 0, {}
        return (kept.row, kept.counts) if kept.what == self._what and kept.row > 0 else (0, {})

    def keep(self, row: int, counts: Mapping[str, int]) -> None:
        """Remembers that all rows up to *row* were sent; where nothing can be written, nothing is remembered."""
        if self._path is None:
            return
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            draft.write_bytes(msgspec.json.encode(_Kept(self._what, row, dict(counts))))
            draft.replace(self._path)

    def forget(self) -> None:
        """All was sent."""
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink()
